//! The mock API, which decides by the credential of a request.
//!
//! [`MockApi`] is the handle of the test. [`At`] changes the [`Route`](route::Route) of one path. When a request arrives,
//! `respond` merges the routes from the root down to its path, judges the credential by the protection of the merged
//! route, and answers with the refusal or with the configured answer.

mod route;
mod at;
mod respond;
mod mock_api;

pub use at::At;
pub use mock_api::MockApi;
