//! What a session tells a refresher, for tests without a session.

use reqwest_challenge::{Credential, RefreshContext, RefreshReason};

use super::script::API;

/// For the credential that is sent first.
pub(crate) fn initial() -> RefreshContext {
    RefreshContext::builder(API).reason(RefreshReason::Initial).build().unwrap()
}

/// For a logout, which forgets that credential.
pub(crate) fn logout(credential: Option<Credential>) -> RefreshContext {
    let context = RefreshContext::builder(API).reason(RefreshReason::Logout).build().unwrap();
    context.to_forget(RefreshReason::Logout, credential)
}
