//! Origins: which server a credential belongs to, and which part of a URL may be printed.
//!
//! The middleware reads the origins that the caller lists as [`Origin`]s, once, when it is built. For each request it
//! compares the URL with them ([`Origin::contains`]): only a listed origin gets the credential. `origins` holds the list. A text that is not an
//! origin gives an [`OriginError`], which names the part that is wrong and the origin to write instead.
//!
//! `origins` finds the origin of a URL among many.
//!
//! `loopback` holds the one test for a host on the local machine. Plain `http` is safe there, and a remote server may
//! not send a client there. `without_secrets` removes the parts of a URL that may hold a secret, before the URL is printed.

mod error;
mod loopback;
mod origin;
mod origins;
mod without_secrets;

pub use error::{OriginError, OriginErrorKind};
pub use origin::Origin;
pub(crate) use origins::Origins;
pub use without_secrets::url_without_secrets;
