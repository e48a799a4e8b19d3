//! The last 401 of an API, and the API of the last refresh. A login or a logout without a request has no challenge of its
//! own.

use crate::util::lock;
use std::sync::Mutex;

use reqwest_challenge::{Origin, RefreshContext, RefreshReason};

use super::resource::named;

/// The last 401, the last known URL of the API's metadata, and the API of the last refresh.
#[derive(Default)]
pub(super) struct Seen(Mutex<Heard>);

#[derive(Default)]
struct Heard {
    refused: Option<RefreshContext>,
    metadata: Option<(Origin, String)>,
    api: Option<Origin>,
}

impl Seen {
    /// Remembers a 401.
    pub(super) fn hear(&self, context: &RefreshContext) {
        if context.reason() != RefreshReason::Challenged || context.url().is_none() {
            return;
        }
        let mut heard = lock(&self.0);
        if let Some(metadata) = named(context) {
            heard.metadata = Some((context.origin().clone(), metadata));
        }
        heard.refused = Some(context.clone().without_credential());
    }

    /// Remembers for which API the issuer is asked.
    pub(super) fn refreshes(&self, api: &Origin) {
        lock(&self.0).api = Some(api.clone());
    }

    /// The API of the last refresh. `None` if nothing was refreshed yet, as after a start with a stored credential.
    pub(super) fn api(&self) -> Option<Origin> {
        lock(&self.0).api.clone()
    }

    /// The context of a login with the last 401 of the same API, and what that 401 demands.
    pub(super) fn recall(&self, context: RefreshContext) -> RefreshContext {
        if context.reason() != RefreshReason::Login || context.url().is_some() {
            return context;
        }
        let heard = lock(&self.0);
        match &heard.refused {
            Some(refused) if refused.origin() == context.origin() => context.with_request_of(refused),
            _ => context,
        }
    }

    /// The URL of the API's metadata, for a context without a challenge.
    pub(super) fn metadata(&self, context: &RefreshContext) -> Option<String> {
        if context.reason() == RefreshReason::Challenged {
            return None;
        }
        let heard = lock(&self.0);
        heard.metadata.as_ref().filter(|(api, _)| api == context.origin()).map(|(_, text)| text.clone())
    }

    /// Forgets the demand of the last 401, because it has been met.
    pub(super) fn met(&self) {
        let mut heard = lock(&self.0);
        heard.refused = heard.refused.take().map(RefreshContext::without_demand);
    }
}
