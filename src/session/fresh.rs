//! The session as a source of credentials for clients that are not reqwest: gRPC, WebSocket, event streams.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::header::{HeaderName, HeaderValue};

use super::flight_request::NoCredential;
use super::renewal_request::RenewalRequest;
use super::session::Session;
use super::session_core::SessionCore;
use super::slot::Stage;
use super::types::Current;
use crate::credential::{Credential, SlotKey};
use crate::error::{AuthReport, Error, RefreshError, Signed};
use crate::refresh::RefreshReason;

/// A credential of a session that is valid now, for a request that the middleware does not send: a gRPC call, the handshake of a
/// WebSocket, a request of a generated client.
///
/// [`Session::fresh`] returns it. Only the caller sees the response to that request, so only the caller can report it:
/// [`Session::accepted`] or [`Session::fresh_after`]. A `Fresh` is not tied to the origins of the middleware: send it only to
/// servers that may see the credential. The [guide](crate::guide::other_clients) has examples for several clients.
///
/// ```
/// use http::{Request, StatusCode};
/// use reqwest_challenge::{Error, Fresh, Session};
///
/// /// Sends a request with the credential of the session, by any HTTP client.
/// async fn call(session: &Session, send: impl AsyncFn(Request<()>) -> StatusCode) -> Result<StatusCode, Error> {
///     let mut fresh = session.fresh().await?;
///     let mut status = send(request(&fresh)).await;
///     if status == StatusCode::UNAUTHORIZED {
///         // Renews, unless another caller has done so already.
///         fresh = session.fresh_after(&fresh).await?;
///         status = send(request(&fresh)).await;
///     }
///     if status.is_success() {
///         session.accepted(&fresh);
///     }
///     Ok(status)
/// }
///
/// fn request(fresh: &Fresh) -> Request<()> {
///     let mut request = Request::new(());
///     // `None` for a scheme that signs each request, such as Digest or DPoP.
///     if let Some((name, value)) = fresh.header() {
///         request.headers_mut().insert(name, value.clone());
///     }
///     request
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), reqwest_challenge::BoxError> {
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use reqwest_challenge::{BoxError, ChallengeMiddleware, Credential, RefreshContext};
///
/// static TOKENS: AtomicUsize = AtomicUsize::new(0);
///
/// async fn log_in(_context: RefreshContext) -> Result<Credential, BoxError> {
///     Ok(Credential::bearer(format!("token-{}", TOKENS.fetch_add(1, Ordering::SeqCst))))
/// }
///
/// let session = ChallengeMiddleware::new("https://api.example.com", log_in)?.session();
/// // A server that has revoked the first token.
/// let server = async |request: Request<()>| match request.headers()["authorization"].to_str() {
///     Ok("Bearer token-0") => StatusCode::UNAUTHORIZED,
///     _ => StatusCode::OK,
/// };
/// assert_eq!(call(&session, server).await?, StatusCode::OK);
/// assert_eq!(call(&session, server).await?, StatusCode::OK);
/// assert_eq!(TOKENS.load(Ordering::SeqCst), 2);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Fresh {
    held: Arc<Current>,
    credential: Credential,
    /// Names the slot, the epoch and the generation. Nothing was sent, so it counts no attempts.
    report: AuthReport,
}

impl Session {
    /// Returns a credential that is valid now. However many callers and requests of the middleware need it at the same time,
    /// they share one refresh.
    ///
    /// - If no credential is held yet, [`Refresh::initial`](crate::Refresh::initial) is asked for one, and then
    ///   [`Refresh::refresh`](crate::Refresh::refresh) with [`RefreshReason::Login`](crate::RefreshReason::Login).
    /// - If the held credential is due for renewal or is known to be invalid, it is renewed. If that fails and the held
    ///   credential has not expired, the held one is returned.
    ///
    /// Call it before each request, and do not keep the result. While the held credential is valid, the call does not wait.
    ///
    /// # Errors
    /// - [`Error::Refresh`] if the refresher fails or declines, if it needs a challenge and none has arrived yet
    ///   ([`Refresh::needs_challenge`](crate::Refresh::needs_challenge)), if the server refused several new credentials in a
    ///   row, or if there is no tokio runtime.
    /// - [`Error::SessionEnded`] if the session is logged out.
    pub async fn fresh(&self) -> Result<Fresh, Error> {
        self.fresh_for(SlotKey::Main).await
    }

    /// Returns a credential of this [partition](crate::Builder::partition_by) that is valid now. Apart from that, it is
    /// [`fresh`](Self::fresh).
    ///
    /// # Errors
    /// The errors of [`fresh`](Self::fresh).
    pub async fn fresh_in(&self, partition: &str) -> Result<Fresh, Error> {
        self.fresh_for(SlotKey::Partition(partition.into())).await
    }

    /// Returns a credential that is newer than one that a server refused. If another caller has renewed it already, that
    /// credential is returned and no refresh starts.
    ///
    /// The refusal counts in the budget of the session, as a 401 of the middleware does. So a loop against a server that refuses
    /// every credential ends with an error after three new credentials, and no refresh starts for 30 s. The refused credential
    /// stays the held one until a newer one arrives, because another server may accept it; [`invalidate`](Self::invalidate)
    /// changes that.
    ///
    /// # Errors
    /// - [`Error::Refresh`] if the refresher fails, declines, returns the refused credential or needs a challenge, or if the
    ///   server refused several new credentials in a row.
    /// - [`Error::SessionEnded`] if a login or a logout has ended the session of the refused credential: the request must not be
    ///   sent again as another identity.
    pub async fn fresh_after(&self, refused: &Fresh) -> Result<Fresh, Error> {
        self.0.was_refused(refused.report.signed);
        let slot = refused.report.slot.clone();
        let may_start = self.0.answers_without_challenge();
        let held = self.0.renew_for_caller(RefreshReason::Expired, &slot, &refused.held, may_start).await?;
        if held.credential == refused.held.credential {
            return Err(Error::from(NoCredential::Unchanged));
        }
        Fresh::new(slot, held)
    }

    /// Records that a server accepted the credential: the session may refresh again as often as before. A client that never calls it
    /// has no refresh for a while after three refusals, however long ago the first of them was.
    pub fn accepted(&self, fresh: &Fresh) {
        if !self.0.is_accepted(fresh.generation()) {
            self.0.was_accepted(fresh.generation());
        }
    }

    async fn fresh_for(&self, slot: SlotKey) -> Result<Fresh, Error> {
        let core = &self.0;
        let mut held = core.current_in(&slot);
        if held.stage == Stage::New {
            match core.initial(&held).await {
                // Nothing was handed out yet, so the credential of the new identity is returned.
                Ok(_) | Err(NoCredential::SessionChanged | NoCredential::LoggedOut) => {}
                Err(none) => return Err(Error::from(none)),
            }
            held = core.current_in(&slot);
        }
        let is_due = |time: Option<SystemTime>| time.is_some_and(|time| time <= core.now());
        let is_invalid = held.stage == Stage::Invalid;
        let reason = match &held.credential {
            None => RefreshReason::Login,
            Some(_) if is_invalid || is_due(held.renew_at.before_send) => RefreshReason::Expired,
            Some(_) => {
                if is_due(held.renew_at.in_background) {
                    core.renew_soon(slot.clone(), &held);
                }
                return Fresh::new(slot, held);
            }
        };
        // A renewal whose time has come is requested of every refresher, as for a call.
        let may_start = core.answers_without_challenge() || (reason == RefreshReason::Expired && !is_invalid);
        match core.renew_for_caller(reason, &slot, &held, may_start).await {
            Ok(held) => Fresh::new(slot, held),
            Err(error) => {
                let held = core.current_in(&slot);
                let expiry = held.credential.as_ref().and_then(Credential::expiry);
                let is_usable = held.stage == Stage::Ready && !is_due(expiry);
                if is_usable && held.credential.is_some() { Fresh::new(slot, held) } else { Err(error) }
            }
        }
    }
}

impl SessionCore {
    /// A newer credential than the one that a caller holds. `may_start` says whether the refresher can be called for it.
    async fn renew_for_caller(
        self: &Arc<Self>,
        reason: RefreshReason,
        slot: &SlotKey,
        held: &Current,
        may_start: bool,
    ) -> Result<Arc<Current>, Error> {
        let mut request = RenewalRequest::of(reason, slot.clone(), held);
        request.may_start = may_start;
        // A caller that has no credential waits for a pending login.
        request.is_unsigned = held.credential.is_none() && *slot == SlotKey::Main;
        match self.renew(request).await {
            Ok(renewal) => Ok(renewal.held),
            Err(NoCredential::TooSoon) if !may_start => Err(Error::Refresh(RefreshError::other(NEEDS_CHALLENGE))),
            Err(none) => Err(Error::from(none)),
        }
    }
}

const NEEDS_CHALLENGE: &str = "the refresher needs a challenge of the server, so it can get a credential only after the server has \
                               refused a request of the middleware";

impl Fresh {
    fn new(slot: SlotKey, held: Arc<Current>) -> Result<Self, Error> {
        let Some(credential) = held.credential.clone() else { return Err(Error::from(NoCredential::Declined)) };
        let signed = Some(Signed { epoch: held.epoch, generation: held.generation });
        Ok(Self { credential, report: AuthReport { slot, signed, ..AuthReport::default() }, held })
    }

    /// The credential.
    #[must_use]
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The header field to send. The value is marked as sensitive. `None` if the scheme signs each request, as Digest and DPoP do,
    /// because then no header is valid for more than one request.
    #[must_use]
    pub fn header(&self) -> Option<(&HeaderName, &HeaderValue)> {
        self.credential.header_name().zip(self.credential.header_value())
    }

    /// The number of the credential. A newer credential of the session has a higher one.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.held.generation
    }

    /// The time at which the credential expires, if it is known.
    #[must_use]
    pub fn expiry(&self) -> Option<SystemTime> {
        self.credential.expiry()
    }
}

impl AsRef<AuthReport> for Fresh {
    fn as_ref(&self) -> &AuthReport {
        &self.report
    }
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fresh")
            .field("epoch", &self.held.epoch)
            .field("generation", &self.held.generation)
            .field("credential", &self.credential)
            .finish()
    }
}
