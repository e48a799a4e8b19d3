//! How this crate reaches the servers that issue tokens.
//!
//! A URL that a server names passes a [`UrlPolicy`] before anything is sent there; [`is_public_address`] checks what its
//! host name resolves to. [`send_once`] sends the request so that no client can send its body a second time, whatever the
//! redirect policy of that client is. [`encode_form`] writes the body and [`read_body`] reads the response, both in
//! memory that is wiped afterwards.

mod address;
mod body;
mod send_once;
mod url_policy;

#[cfg(feature = "oauth")]
pub(crate) use address::is_public_address;
pub(crate) use body::{encode_form, read_body};
pub(crate) use send_once::send_once;
pub(crate) use url_policy::{RefusedUrl, UrlPolicy, UrlProblem};
