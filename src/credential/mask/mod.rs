//! TODO story of mask.

mod masker;
mod pieces;
mod search;
mod views;

pub use masker::Masker;
