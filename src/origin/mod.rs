//! TODO story of origin.

mod origin;

pub use origin::{Origin, OriginError};
