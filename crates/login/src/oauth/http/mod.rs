//! One request to an authorization server, and its response.
//!
//! A [`Form`] holds the parameters of the request and knows which of them are secrets. [`Sender`] checks the URL, chooses
//! one of the [`HttpClients`], sends the request and reads the [`ServerResponse`]. If the response is an error
//! ([`ErrorResponse`]), the table in `error_codes` says what its codes mean, and the response becomes a `RefreshError`
//! without the secrets that were sent.

mod form;
mod error_codes;
mod members;
mod error_response;
mod response;
mod clients;
mod sender;

pub(super) use clients::HttpClients;
pub(super) use error_codes::{Meaning, is_known, meaning};
pub(super) use error_response::is_code;
pub(super) use form::Form;
pub(super) use response::{ServerResponse, one_line};
pub(super) use sender::{Sender, untrusted};
