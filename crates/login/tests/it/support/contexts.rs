//! The contexts that a session gives to a refresher, for tests without a session.

use reqwest_challenge::{Credential, RefreshContext, RefreshReason};

use super::script::API;

/// The context of the first credential.
pub(crate) fn initial() -> RefreshContext {
    RefreshContext::builder(API).reason(RefreshReason::Initial).build().unwrap()
}

/// The context of a logout that forgets a credential.
pub(crate) fn logout(credential: Option<Credential>) -> RefreshContext {
    let context = RefreshContext::builder(API).reason(RefreshReason::Logout).build().unwrap();
    context.to_forget(RefreshReason::Logout, credential)
}
