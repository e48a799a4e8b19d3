//! What is known of one call while it runs.

use std::sync::Arc;

use http::{Extensions, Method};
use reqwest::{Request, Url};

use super::options::CallOptions;
use super::replay;
use super::settings::Shared;
use crate::challenge::Challenges;
use crate::credential::SlotKey;
use crate::error::{AuthReport, RefreshError};
use crate::refresh::RefusedRequest;
use crate::session::Current;

/// One call through the middleware: what was sent, and what became of it.
pub(crate) struct Call<'m> {
    pub(crate) of: &'m Shared,
    pub(crate) options: CallOptions,
    pub(crate) sent: Kept,
    pub(crate) report: AuthReport,
    /// Whether the caller set the credential header.
    pub(crate) callers_own: bool,
    pub(crate) held: Arc<Current>,
    /// The slot of the session that holds the credential.
    pub(crate) slot: SlotKey,
    /// Whether the body is a stream that the caller can make a second time.
    pub(crate) makes_body: bool,
    /// Whether the refresher declined before the send. If so, this call does not ask it again.
    pub(crate) declined: bool,
    /// Whether a refused credential of this call has worked on another path.
    pub(crate) worked: bool,
    /// Whether this call has had its one renewal.
    pub(crate) spent: bool,
    /// Whether the first send carries the credential that is held.
    pub(crate) signed_now: bool,
    /// Why a renewal before the send failed, and the old credential was sent.
    pub(crate) failed: Option<RefreshError>,
}

/// What is kept of a request that is sent.
#[allow(
    clippy::large_enum_variant,
    reason = "nearly always the large one, and a box of it is an allocation for each call"
)]
pub(crate) enum Kept {
    /// All of it, to be sent again.
    Copy(Request),
    /// Its body is a stream.
    Head(Arc<RefusedRequest>),
}

impl Kept {
    pub(crate) fn method(&self) -> &Method {
        match self {
            Self::Copy(request) => request.method(),
            Self::Head(head) => &head.method,
        }
    }

    pub(crate) fn url(&self) -> &Url {
        match self {
            Self::Copy(request) => request.url(),
            Self::Head(head) => &head.url,
        }
    }
}

impl<'m> Call<'m> {
    /// Keeps what a second send needs, before the credential goes in.
    #[inline(always)]
    pub(crate) fn new(of: &'m Shared, request: &mut Request, extensions: &Extensions) -> Self {
        let partition = of.settings.partition_of(request.method(), request.url());
        let slot = partition.unwrap_or_else(|| of.resources.slot_of(request.url()));
        let held = of.session.current_in(&slot);
        let options = extensions.get::<CallOptions>().cloned().unwrap_or_default();
        let report = AuthReport { slot: slot.clone(), ..AuthReport::default() };
        let mut makes_body = false;
        let sent = match replay::copy(request, options.body.is_some()) {
            Some(copy) => {
                makes_body = copy.body().is_none() && request.body().is_some();
                Kept::Copy(copy)
            }
            None => Kept::Head(Arc::new(RefusedRequest {
                method: request.method().clone(),
                url: request.url().clone(),
                challenges: Challenges::default(),
            })),
        };
        Self {
            of,
            options,
            sent,
            callers_own: false,
            held,
            slot,
            makes_body,
            declined: false,
            worked: false,
            spent: false,
            signed_now: false,
            failed: None,
            report,
        }
    }
}
