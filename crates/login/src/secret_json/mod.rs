//! JSON objects that contain secrets.
//!
//! A token response, a stored credential and a file of credentials are JSON objects with secrets in their members. They are
//! parsed into a `SecretJson`, which overwrites each text when it is dropped, and written into a `Secret`, which does the
//! same. In between, a value is read by its name, or replaced; a replaced value is overwritten at once.
//!
//! One copy is not overwritten: the buffer in which the parser resolves the escapes of a text.

mod secret_json;
#[cfg(any(feature = "oauth", feature = "store"))]
mod write;

pub(crate) use secret_json::SecretJson;
