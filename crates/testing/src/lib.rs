//! Contract tests for API clients that use [`reqwest_challenge`]: a mock API, a mock identity provider, control over time
//! and order, and contract suites.
//!
//! A contract test runs a client against servers that answer as the RFCs require, or with a fault that the test configures.
//! Then it asserts what the servers received:
//!
//! ```
//! use reqwest_challenge::{ChallengeMiddleware, Forbidden};
//! use reqwest_challenge_testing::{MockApi, RecordingRefresher};
//! use reqwest_middleware::ClientBuilder;
//!
//! # #[allow(clippy::needless_doctest_main)]
//! #[tokio::main] // in a project: #[tokio::test]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let api = MockApi::start().await?;
//!     api.at("/reports").requires("reports:read");
//!     api.at("/admin").requires("admin");
//!     // The refresher returns the tokens t1 and t2. The API accepts both for one scope.
//!     for token in ["t1", "t2"] {
//!         api.tokens().accept_with(token, ["reports:read"], None);
//!     }
//!     let refresher = RecordingRefresher::new().with_journal(api.journal());
//!     let auth = ChallengeMiddleware::new(api.origin(), refresher)?;
//!     let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
//!
//!     // A new token, and a renewed one.
//!     for _ in 0..2 {
//!         assert_eq!(client.get(api.url("/reports")).send().await?.status(), 200);
//!         api.tokens().expire_now("t1");
//!     }
//!     // A 403 is an error, and the request is not sent again.
//!     let error = client.get(api.url("/admin")).send().await.expect_err("the token lacks the scope");
//!     assert_eq!(Forbidden::find(&error).expect("a 403").required_scopes(), ["admin"]);
//!
//!     api.journal().assert_refreshes(2);
//!     api.journal().assert_sends("/reports", 4);
//!     api.journal().assert_no_403_was_resent();
//!     Ok(())
//! }
//! ```
//!
//! # The parts
//!
//! - [`MockApi`]: an API on loopback, which decides by the credential of a request. [`At`] configures a path, [`Protection`]
//!   says which credential it requires, and [`Tokens`] are the tokens that exist.
//! - [`MockIdentityProvider`]: an OAuth 2 authorization server on loopback. [`Failure`] makes it fail.
//! - [`Script`]: a server without a socket, which also works while tokio's time is paused.
//! - [`Answer`] and [`ReceivedRequest`]: what a server answers, and what it received.
//! - [`Journal`]: the requests and refreshes in order, with assertions that print a timeline when they fail.
//! - [`RecordingRefresher`]: a refresher that records each call and returns what the test configured.
//! - [`Gate`], [`ManualClock`], [`until`]: control over the order of events and over the time.
//! - [`refresher_contract`]: the checks that each refresher must pass. [`decorator_contract`]: those of a refresher around
//!   another one.
//!
//! # Features
//!
//! No feature is on by default.
//!
//! | feature | what it adds |
//! |---|---|
//! | `dpop` | the mock servers check DPoP proofs and bind tokens to keys (RFC 9449) |
//! | `lint` | `Journal::findings`: what is wrong with the answers of a test's servers |
//! | `store` | `store_contract`: the checks that each credential store must pass |
//! | `wiremock` | the module `wiremock`: responders and matchers for a `wiremock::MockServer` |
//!
//! The servers of this crate use hyper, which reqwest already depends on. wiremock cannot count or close connections, and it
//! cannot send an endless body.

#![cfg_attr(doctest, doc = include_str!("../README.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

// Each module uses only modules above it. A test reads the `use` lines.
mod util;
mod timing;
mod message;
mod journal;
mod protection;
mod server;
mod provider;
mod api;
mod refresher;
mod contract;
#[cfg(feature = "wiremock")]
pub mod wiremock;

pub use crate::api::{At, MockApi};
pub use crate::contract::{
    Check, DecoratorContract, RefresherContract, Report, Verdict, decorator_contract, refresher_contract,
};
#[cfg(feature = "store")]
pub use crate::contract::{StoreContract, store_contract};
pub use crate::journal::Journal;
pub use crate::message::{Answer, Exchange, ReceivedRequest};
pub use crate::protection::{Judgement, Protection, Tokens};
pub use crate::provider::{Failure, Issued, MockIdentityProvider};
pub use crate::refresher::RecordingRefresher;
pub use crate::server::Script;
pub use crate::timing::{Gate, ManualClock, until};
