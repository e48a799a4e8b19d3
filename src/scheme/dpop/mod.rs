//! TODO story of dpop.

mod dpop;
mod key;
mod nonces;
mod proof;

pub use dpop::{Dpop, NotBound};
pub use key::{Es256Key, ProofKey};
