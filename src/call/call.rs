//! One call: sign, send, decide, refresh, sign, send, finish.
//!
//! The middleware sends the requests. This file has the order of the other steps. The steps are in `sign.rs`, `decide.rs`
//! and `finish.rs`.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use http::{Extensions, HeaderMap, Method};
use reqwest::{Request, Response, Url};

use super::options::CallOptions;
use super::read;
use super::replay::RequestCopy;
use super::response_kind::{ResponseKind, Target};
use super::settings::Shared;
use crate::challenge::Challenges;
use crate::credential::SlotKey;
use crate::error::{AuthReport, Error, RefreshError, UnauthorizedReason};
use crate::refresh::RefusedRequest;
use crate::session::{Current, RenewalRequest, Verdict};

/// One call through the middleware: what was sent, and what is known of its credential.
pub(crate) struct Call<'m> {
    pub(crate) shared: &'m Shared,
    pub(crate) options: CallOptions,
    pub(crate) sent: SentRequest,
    pub(crate) report: AuthReport,
    /// Whether the caller set the credential header.
    pub(crate) has_caller_credential: bool,
    /// What the session held when the request was last signed.
    pub(crate) held: Arc<Current>,
    /// The slot of the session that holds the credential.
    pub(crate) slot: SlotKey,
    /// Whether the refresher declined before the first send. If so, this call does not ask it again.
    pub(crate) is_declined: bool,
    /// Whether the server accepted a credential of this call on another path and refused it here.
    pub(crate) is_accepted_elsewhere: bool,
    /// Whether this call has used its one renewal.
    pub(crate) has_renewed: bool,
    /// Whether the first request carries the held credential, and the report does not list it yet.
    pub(crate) is_signed_at_once: bool,
    /// Why a renewal before the first send failed. In that case the call has sent the old credential.
    pub(crate) failure: Option<RefreshError>,
}

/// What the call keeps of a request after it is sent.
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every request is a copy, and a box is one allocation more: the rows `GET` and `POST` of the benchmark `engine`"
)]
pub(crate) enum SentRequest {
    /// The whole request, to be sent again.
    Copy(RequestCopy),
    /// The method and the URL. The body is a stream, which cannot be copied.
    Head(Arc<RefusedRequest>),
}

/// What is done about a 401 of the API.
pub(crate) enum Decision {
    /// The call ends.
    Refuse(Refusal),
    /// The request is sent again without a refresh, because the scheme answers the challenge itself.
    RetryByScheme,
    /// The session is asked for a newer credential.
    Renew(RenewalRequest),
}

/// Why a 401 ends the call, and the error of the refresh if it failed.
pub(crate) struct Refusal {
    pub(crate) reason: UnauthorizedReason,
    pub(crate) error: Option<RefreshError>,
}

/// How a call ends.
pub(crate) enum End {
    /// With the last response, and what it means.
    Response(Verdict),
    Error(Error),
}

impl<'m> Call<'m> {
    /// Keeps what a second send needs. The request has no credential yet.
    // Inlined, because a `Call` is large and an inlined constructor does not move it (rows `GET` and `POST` of the
    // benchmark `engine`).
    #[inline(always)]
    pub(crate) fn new(shared: &'m Shared, request: &mut Request, extensions: &Extensions) -> Self {
        let partition = shared.settings.partition_of(request.method(), request.url());
        let slot = partition.unwrap_or_else(|| shared.resources.slot_of(request.url()));
        let held = shared.session.current_in(&slot);
        let options = extensions.get::<CallOptions>().cloned().unwrap_or_default();
        let report = AuthReport { slot: slot.clone(), ..AuthReport::default() };
        let sent = match RequestCopy::of(request, options.body.is_some()) {
            Some(copy) => SentRequest::Copy(copy),
            None => SentRequest::Head(Arc::new(RefusedRequest {
                method: request.method().clone(),
                url: request.url().clone(),
                challenges: Challenges::default(),
            })),
        };
        Self {
            shared,
            options,
            sent,
            has_caller_credential: false,
            held,
            slot,
            is_declined: false,
            is_accepted_elsewhere: false,
            has_renewed: false,
            is_signed_at_once: false,
            failure: None,
            report,
        }
    }

    /// Decides what the first response means: the end of the call, or a second request, which is signed.
    #[allow(
        clippy::manual_async_fn,
        reason = "the future of an `async fn` holds each argument twice; see `peak memory` in the benchmark `engine`"
    )]
    pub(crate) fn after_first_send(
        &mut self,
        response: &mut Response,
    ) -> impl Future<Output = Result<Request, End>> + Send {
        async move {
            self.list_sent_credential();
            self.learn_date(response);
            match self.kind_of(response) {
                ResponseKind::Other => return Err(self.inspect_and_pass(response).await),
                ResponseKind::Forbidden => return Err(self.forbidden(response).await),
                ResponseKind::Foreign => {
                    return Err(self.unauthorized(response, UnauthorizedReason::ForeignOrigin.into()).await);
                }
                ResponseKind::Challenged => {}
            }
            let refused = self.refused_request(response);
            let body = match self.decide(response, &refused) {
                // Not by `?`, which would make the future larger by a copy of the decision.
                Err(error) => return Err(error.into()),
                Ok(Decision::Refuse(refusal)) => return Err(self.unauthorized(response, refusal).await),
                // The body is read, so that its connection can serve the second send.
                Ok(Decision::RetryByScheme) => self.drain(response).await,
                Ok(Decision::Renew(request)) => {
                    let started = Instant::now();
                    let renewal = pin!(self.shared.session.renew(request));
                    // The rest of the response is read meanwhile.
                    let (renewal, body) = read::both(renewal, pin!(self.drain(response))).await;
                    self.report.waited += started.elapsed();
                    if let Err(refusal) = self.take_renewal(renewal) {
                        return Err(self.refused(response, body, refusal));
                    }
                    self.learn(response, &refused.challenges);
                    body
                }
            };
            if !body.bytes.is_empty() {
                // The task of the connection puts it back into the pool after the body was read. Without this turn for that task,
                // the second send would open another connection.
                tokio::task::yield_now().await;
            }
            let mut request = match self.second_request(response, refused) {
                Ok(request) => request,
                Err(reason) => return Err(self.refused(response, body, reason.into())),
            };
            // The header fields hold the buffer of the connection, which the next response needs.
            *response.headers_mut() = HeaderMap::new();
            self.sign(&mut request, self.held.credential.clone()).await?;
            Ok(request)
        }
    }

    /// Ends the call after the second response. There is no third send.
    pub(crate) async fn after_second_send(&mut self, response: &mut Response) -> End {
        self.learn_date(response);
        match self.kind_of(response) {
            ResponseKind::Other => self.inspect_and_pass(response).await,
            ResponseKind::Forbidden => self.forbidden(response).await,
            ResponseKind::Foreign => self.unauthorized(response, UnauthorizedReason::ForeignOrigin.into()).await,
            ResponseKind::Challenged => {
                let refused = self.refused_request(response);
                if let Err(error) = self.observe(response, &refused.challenges) {
                    return error.into();
                }
                self.record_refused_credential();
                self.record_rejecting_path();
                self.renew_for_next_call(response, refused).await;
                self.unauthorized(response, UnauthorizedReason::StillRejected.into()).await
            }
        }
    }

    /// The method and the URL that responses are compared with.
    pub(crate) fn target(&self) -> Target<'_> {
        Target { method: self.sent.method(), url: self.sent.url() }
    }

    /// The facts of this call that a refresher sees, with the challenges of its 401.
    pub(super) fn with_challenges(&self, challenges: Challenges) -> Arc<RefusedRequest> {
        Arc::new(RefusedRequest { method: self.sent.method().clone(), url: self.sent.url().clone(), challenges })
    }
}

impl SentRequest {
    pub(crate) fn method(&self) -> &Method {
        match self {
            Self::Copy(copy) => &copy.method,
            Self::Head(head) => &head.method,
        }
    }

    pub(crate) fn url(&self) -> &Url {
        match self {
            Self::Copy(copy) => &copy.url,
            Self::Head(head) => &head.url,
        }
    }
}

impl From<UnauthorizedReason> for Refusal {
    fn from(reason: UnauthorizedReason) -> Self {
        Self { reason, error: None }
    }
}

impl From<RefreshError> for Refusal {
    fn from(error: RefreshError) -> Self {
        Self { reason: UnauthorizedReason::RefreshFailed, error: Some(error) }
    }
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}
