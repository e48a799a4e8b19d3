//! The mock identity provider: an OAuth 2 authorization server on loopback.
//!
//! [`MockIdentityProvider`] is the handle of the test: it changes the `state`, which all requests share. A request arrives
//! at `respond`. If the test configured a [`Failure`], the answer is that failure. Otherwise the path selects the part that
//! answers: `token_endpoint` for tokens and revocations, `login_pages` for metadata, registration and the pages of a login.
//! Both check the client (`client`), the codes that the pages gave out (`logins`) and the proof of a key (`keys`, with the
//! feature `dpop`). `custom_grants` has the grant types that the test adds.

mod failure;
mod issued;
mod logins;
mod custom_grants;
mod state;
mod client;
#[cfg(feature = "dpop")]
mod keys;
#[cfg(not(feature = "dpop"))]
mod without_keys;
mod login_pages;
mod token_endpoint;
mod respond;
mod mock_identity_provider;

pub use failure::Failure;
pub use issued::Issued;
pub use mock_identity_provider::MockIdentityProvider;
