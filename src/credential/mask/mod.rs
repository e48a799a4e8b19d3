//! TODO story of mask.

mod masker;
mod certain;
mod pieces;
mod search;
mod views;

pub use masker::Masker;
