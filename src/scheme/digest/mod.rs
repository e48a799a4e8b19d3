//! TODO story of digest.

mod answer;
mod digest;
mod hash;
mod nonces;

pub(crate) use digest::{DigestAuth, acceptable};
pub(crate) use hash::Hash;
