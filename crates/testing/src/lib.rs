//! Contract tests: the whole of what a test of an API client needs, without the API.
//!
//! - [`MockApi`]: an API on loopback, which decides by the credential presented. [`MockIdentityProvider`]: a token endpoint.
//! - [`Script`]: a server without a socket, also under paused time.
//! - [`Gate`] holds a window open, [`ManualClock`] moves time: no test sleeps to win a race.
//! - [`RecordingRefresher`]: a refresher that records the contexts that it got, and answers as the test says.
//! - [`Journal`]: what happened, with claims that read as sentences and a timeline when one fails.
//! - [`refresher_contract`]: the checks that a refresher of your own must pass.
//!
//! The servers use hyper, which reqwest already depends on. wiremock cannot count or cut connections and cannot send an
//! endless body. For tests that already use a `wiremock::MockServer`, the feature `wiremock` adds responders and matchers
//! in the module `wiremock`.

mod answer;
mod api;
mod arrived;
mod at;
mod contract;
mod endpoint;
mod exchanged;
mod gate;
mod journal;
#[cfg(feature = "lint")]
mod linted;
mod login;
#[cfg(feature = "dpop")]
mod proofs;
#[cfg(not(feature = "dpop"))]
mod proofs_off;
mod protection;
mod provider;
mod purpose;
mod recording;
mod report;
mod script;
mod server;
#[cfg(feature = "store")]
mod store_contract;
mod tokens;
mod util;
#[cfg(feature = "wiremock")]
pub mod wiremock;

pub use crate::answer::Answer;
pub use crate::api::MockApi;
pub use crate::arrived::Arrived;
pub use crate::at::At;
pub use crate::contract::{Contract, refresher_contract};
pub use crate::exchanged::Exchanged;
pub use crate::gate::{Gate, ManualClock, until};
pub use crate::journal::Journal;
pub use crate::protection::Protection;
pub use crate::provider::{Failure, Issued, MockIdentityProvider};
pub use crate::recording::RecordingRefresher;
pub use crate::report::{Check, Report, Verdict};
pub use crate::script::Script;
#[cfg(feature = "store")]
pub use crate::store_contract::{StoreContract, store_contract};
pub use crate::tokens::{Judgement, Tokens};
