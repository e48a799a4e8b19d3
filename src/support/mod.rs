//! Functions for crates that extend this one: refreshers, stores, command-line tools.
//!
//! A refresher that talks to a server reads text that the server wrote. [`Masker`] removes the secrets that the server
//! repeats in it, [`OneLine`] prints it without control characters, and [`url_without_secrets`] makes a URL safe to
//! print. [`retry_after`] and [`is_transient_status`] classify a response, [`is_transient_error`] classifies a failure of
//! the network, [`refresh_client`] builds the client for such requests, and [`read_chunks`] bounds a response. A tool that prints an error uses
//! [`error_lines`].
//!
//! ```
//! use reqwest_challenge::support::{Masker, OneLine};
//! use reqwest_challenge::Secret;
//!
//! let mut masker = Masker::default();
//! masker.add_secret(&Secret::new("s3cret-token-12345"));
//! let text = masker.mask("unknown token s3cret-token-12345\nand more");
//! assert_eq!(OneLine::new(&text).to_string(), "unknown token ***\\u{a}and more");
//! ```

pub use crate::challenge::is_scope_token;
pub use crate::credential::Masker;
pub use crate::error::{error_lines, find_error, is_transient_error};
pub use crate::origin::url_without_secrets;
pub use crate::refresh::refresh_client;
pub use crate::util::{BodyEnd, OneLine, hides_text, is_transient_status, read_chunks, retry_after};
