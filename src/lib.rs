#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod challenge;
mod origin;
mod secret;

pub use challenge::{Challenge, Challenges, Defect};
pub use origin::{Origin, OriginError};
pub use secret::Secret;
