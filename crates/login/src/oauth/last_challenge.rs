//! The last 401 of the API, and the API of the last refresh. A login or a logout without a request has no challenge of its
//! own.

use std::sync::Mutex;

use super::server::metadata_url;
use crate::util::lock;
use reqwest_challenge::{Origin, RefreshContext, RefreshReason};

/// The last 401 of the API, the last known URL of its metadata, and the API of the last refresh.
#[derive(Default)]
pub(super) struct LastChallenge(Mutex<State>);

#[derive(Default)]
struct State {
    refused: Option<RefreshContext>,
    metadata: Option<MetadataUrl>,
    api: Option<Origin>,
}

struct MetadataUrl {
    api: Origin,
    url: String,
}

impl LastChallenge {
    /// Remembers the context if it is that of a 401.
    pub(super) fn remember(&self, context: &RefreshContext) {
        if context.reason() != RefreshReason::Challenged || context.url().is_none() {
            return;
        }
        let mut state = lock(&self.0);
        if let Some(url) = metadata_url(context) {
            state.metadata = Some(MetadataUrl { api: context.origin().clone(), url });
        }
        state.refused = Some(context.clone().without_credential());
    }

    /// Remembers for which API a token is requested.
    pub(super) fn set_api(&self, api: &Origin) {
        lock(&self.0).api = Some(api.clone());
    }

    /// The API of the last refresh. `None` if nothing was refreshed yet, as after a start with a stored credential.
    pub(super) fn api(&self) -> Option<Origin> {
        lock(&self.0).api.clone()
    }

    /// For a login without a request: the context with the request, the challenges and the demand of the last 401 of the same
    /// API. Other contexts do not change.
    pub(super) fn add_to(&self, context: RefreshContext) -> RefreshContext {
        if context.reason() != RefreshReason::Login || context.url().is_some() {
            return context;
        }
        let state = lock(&self.0);
        match &state.refused {
            Some(refused) if refused.origin() == context.origin() => context.with_request_of(refused),
            _ => context,
        }
    }

    /// The URL of the API's metadata, for a context without a challenge.
    pub(super) fn metadata_url(&self, context: &RefreshContext) -> Option<String> {
        if context.reason() == RefreshReason::Challenged {
            return None;
        }
        let state = lock(&self.0);
        state.metadata.as_ref().filter(|known| known.api == *context.origin()).map(|known| known.url.clone())
    }

    /// Drops the demand of the last 401, because it has been met.
    pub(super) fn clear_demand(&self) {
        let mut state = lock(&self.0);
        state.refused = state.refused.take().map(RefreshContext::without_demand);
    }
}
