//! Checks the responses of a server: finds what is wrong with a 401 or a 403.
//!
//! An [`Exchange`] borrows one request and its response. [`check`] is pure: it looks at one exchange and does no I/O. It
//! collects the facts that several rules need (`evidence`), and applies each rule of `rules` to them. `phrases` knows what
//! the text of an error body means.
//!
//! Each broken rule gives a [`Finding`]: what is wrong in one sentence, the section of the RFC, and what the server should
//! have sent instead. Defects of the challenges become findings too.
//!
//! ```
//! use http::{HeaderMap, Method, StatusCode};
//! use reqwest_challenge::lint::{Exchange, Severity, check};
//!
//! let url = "https://api.example.com/reports".parse().unwrap();
//! let headers = HeaderMap::new();
//! let exchange = Exchange::new(&Method::GET, &url, StatusCode::UNAUTHORIZED, &headers);
//! let findings = check(&exchange);
//! assert_eq!((findings[0].id(), findings[0].severity()), ("401-without-challenge", Severity::Fault));
//! assert_eq!(findings[0].section(), "RFC 9110 §15.5.2");
//! ```

mod check;
mod evidence;
mod exchange;
mod finding;
mod phrases;
mod rules;

pub(crate) use check::check_with;
pub use check::{assert_conformant, check, rule_ids};
pub use exchange::{Exchange, Presented};
pub use finding::{Finding, Severity};
