//! TODO story of challenge.

mod challenge;
mod challenges;
mod defect;
mod grammar;
mod list;
mod parse;
mod views;

pub use challenge::{Challenge, Param, Params};
pub use challenges::{Challenges, Iter};
pub use defect::{Defect, Mark, Rule};
pub use grammar::is_scope_token;
pub use views::{Basic, Bearer, Cargo, ClaimsError, Digest, DigestAlgorithm, Dpop, ErrorCode, Registry};
