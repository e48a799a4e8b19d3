//! One call through the middleware.
//!
//! `call.rs` has the order of the steps: sign, send, decide, refresh, sign, send, finish. The middleware sends. A request
//! arrives without a credential; `replay.rs` copies it for the second send, and `sign.rs` puts the credential on it.
//! `response_kind.rs` classifies the response. For a 401 of the API, `decide.rs` chooses between a refusal, a retry by the
//! scheme itself, and a renewal by the session; `read.rs` reads the body meanwhile. `finish.rs` ends the call with a
//! response or with a typed error, and `ended.rs` reports it.
//!
//! `verdict.rs` asks the functions of the caller which responses count as a 401 and which ones mean an expired credential. For
//! that, `inspect.rs` chooses the bodies that are read although the caller gets them, and `peek.rs` reads them and puts them back.
//!
//! `settings.rs` has what the builder sets and what clones share. `rejecting_paths.rs`, `accepted_urls.rs` and
//! `resources.rs` are what calls learn about paths, `linting.rs` and `reported_findings.rs` run the lint, `options.rs`
//! has the caller's options of one request, and `mock_response.rs` marks the responses of mocks.

mod accepted_urls;
mod call;
mod decide;
mod ended;
mod finish;
mod inspect;
#[cfg(feature = "lint")]
mod linting;
#[cfg(not(feature = "lint"))]
#[path = "linting_off.rs"]
mod linting;
mod mock_response;
mod options;
mod peek;
pub(crate) mod read;
mod rejecting_paths;
pub(crate) mod replay;
#[cfg_attr(not(feature = "lint"), expect(dead_code, reason = "only the lint uses it"))]
mod reported_findings;
mod resources;
mod response_kind;
mod settings;
mod sign;
mod verdict;

pub(crate) use call::Call;
pub use mock_response::MockResponse;
pub(crate) use mock_response::is_mock;
pub use options::CallOptions;
pub(crate) use settings::{Settings, Shared};
