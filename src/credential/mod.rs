//! TODO story of credential.

mod authorize;
mod credential;
mod header;
mod mask;
mod masking;
mod secret;
mod slot_key;

pub use authorize::{Authorize, Observed, ResponseHead};
pub use credential::Credential;
pub use header::CredentialError;
pub use mask::Masker;
pub use secret::Secret;
pub(crate) use slot_key::SlotKey;
