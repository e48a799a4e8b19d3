//! Credentials: what the middleware puts on a request.
//!
//! A refresher returns a [`Credential`]: a header with a token, a password or a key, or an [`Authorize`] scheme that
//! signs each request. `header` turns the secret into a header value, once, and checks it: a wrong character gives a
//! [`CredentialError`]. Each text that is secret is a [`Secret`], which prints nothing and is wiped when it is dropped.
//!
//! The middleware puts the credential on each request. A scheme also sees the head of each response
//! ([`ResponseHead`]) and may ask for one more send ([`Observed`]).
//!
//! A server may repeat a secret in its response. A [`Masker`] replaces the secrets of a credential in such text, before
//! the text reaches an error or a log. `SlotKey` names the slot of a session that keeps a credential.

mod authorize;
mod credential;
mod error;
mod header;
mod mask;
mod masking;
mod secret;
mod slot_key;

pub use authorize::{Authorize, Observed, ResponseHead};
pub use credential::Credential;
pub use error::{CredentialError, CredentialErrorKind};
pub use mask::Masker;
pub use secret::Secret;
pub(crate) use slot_key::SlotKey;
