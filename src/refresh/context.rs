//! The context of a call to a refresher.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock, Weak};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use http::Method;
use reqwest::Url;

use super::clock::Clock;
use super::demand::Demand;
use super::reason::RefreshReason;
use super::session_access::SessionAccess;
use crate::challenge::Challenges;
use crate::credential::{Credential, Secret, SlotKey};
use crate::error::RefreshError;
use crate::origin::Origin;
use crate::util::{ClockSkew, OneLine};

/// The context of a call to a refresher: why it is called, for which request, and which credential was refused. Cheap to
/// clone.
///
/// A decorator changes what the refresher inside it sees with [`with_credential`](Self::with_credential),
/// [`without_credential`](Self::without_credential), [`with_schemes`](Self::with_schemes) and
/// [`with_renewal_lock`](Self::with_renewal_lock). [`builder`](Self::builder) makes a context without a session, to test a
/// refresher.
#[derive(Clone)]
pub struct RefreshContext {
    pub(crate) reason: RefreshReason,
    pub(crate) demand: Demand,
    pub(crate) request: Option<Arc<RefusedRequest>>,
    pub(crate) origin: Origin,
    pub(crate) credential: Option<Credential>,
    pub(crate) session: SessionAccess,
    pub(crate) clock: Arc<dyn Clock>,
    /// The session's slot that the credential is for.
    pub(crate) slot: SlotKey,
    /// The lock that is released before the user is asked. A kept copy of the context does not keep it alive.
    pub(crate) renewal_lock: Option<Weak<dyn RenewalLock>>,
}

/// A lock that a decorator, such as a store, holds during a refresh, so that other processes do not renew at the same
/// time. The decorator puts it into the context by [`RefreshContext::with_renewal_lock`]; the refresher inside calls
/// [`RefreshContext::before_prompt`], [`RefreshContext::before_spending`] and [`RefreshContext::keep_attachment`].
///
/// ```
/// use std::sync::Mutex;
/// use reqwest_challenge::{Credential, RefreshContext, RefreshError, RenewalLock, Secret, async_trait};
///
/// /// Holds the lock of a file. It is released when the guard is dropped.
/// struct FileLock(Mutex<Option<std::fs::File>>);
///
/// #[async_trait]
/// impl RenewalLock for FileLock {
///     async fn before_prompt(&self, _context: &RefreshContext) -> Result<Option<Credential>, RefreshError> {
///         self.0.lock().map(|mut file| *file = None).ok();
///         Ok(None)
///     }
/// }
/// ```
#[async_trait]
pub trait RenewalLock: Send + Sync + 'static {
    /// Releases the lock before the user is asked, which can take minutes. Returns a credential if another process
    /// obtained one meanwhile; then the user need not be asked.
    ///
    /// # Errors
    /// Returns why the user must not be asked: for example, the credential could not be saved.
    async fn before_prompt(&self, context: &RefreshContext) -> Result<Option<Credential>, RefreshError>;

    /// Called before the refresher presents a single-use token. The default implementation does nothing.
    ///
    /// # Errors
    /// Returns why the token must not be presented: its replacement could not be saved, or another process is replacing it.
    async fn before_spending(&self) -> Result<(), RefreshError> {
        Ok(())
    }

    /// Keeps the new attachment of the credential although the refresh fails. The default implementation does nothing.
    fn keep_attachment(&self, _attachment: Secret) {}
}

/// The request that was refused, and its challenges.
pub(crate) struct RefusedRequest {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) challenges: Challenges,
}

/// The challenges of a context without a request.
static NO_CHALLENGES: LazyLock<Challenges> = LazyLock::new(Challenges::default);

impl RefreshContext {
    /// Returns why the refresher is called.
    #[must_use]
    pub fn reason(&self) -> RefreshReason {
        self.reason
    }

    /// Returns the challenges of the 401. Empty if there was no 401, or if it had no challenges.
    #[must_use]
    pub fn challenges(&self) -> &Challenges {
        self.request.as_ref().map_or(&NO_CHALLENGES, |request| &request.challenges)
    }

    /// Returns the realm of the first challenge that has one (RFC 9110 §11.5).
    #[must_use]
    pub fn realm(&self) -> Option<Cow<'_, str>> {
        self.challenges().iter().find_map(|challenge| challenge.realm())
    }

    /// Returns what the server demands beyond a fresh credential.
    #[must_use]
    pub fn demand(&self) -> &Demand {
        &self.demand
    }

    /// Returns the URL of the protected resource's metadata (RFC 9728), if the server has several resources and this credential
    /// is for another one than the first. Each resource has its own credential, so [`credential`](Self::credential)
    /// never belongs to another resource. `None` for the first resource.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        match &self.slot {
            SlotKey::Resource(resource) => Some(resource),
            SlotKey::Main | SlotKey::Partition(_) => None,
        }
    }

    /// Returns the name of the partition that the credential is for, if the caller defines partitions by
    /// [`Builder::partition_by`](crate::Builder::partition_by).
    #[must_use]
    pub fn partition(&self) -> Option<&str> {
        match &self.slot {
            SlotKey::Partition(partition) => Some(partition),
            SlotKey::Main | SlotKey::Resource(_) => None,
        }
    }

    /// Returns the method of the refused request. `None` if no request was refused, as in a login.
    #[must_use]
    pub fn method(&self) -> Option<&Method> {
        self.request.as_ref().map(|request| &request.method)
    }

    /// Returns the whole URL of the refused request. `None` if no request was refused, as in a login.
    #[must_use]
    pub fn url(&self) -> Option<&Url> {
        self.request.as_ref().map(|request| &request.url)
    }

    /// Returns the origin that the credential is for: the origin of the request, or else the first origin of the middleware.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Returns the credential that was refused, has expired, or is to be forgotten. Its attachment contains what a renewal
    /// needs, such as a refresh token.
    #[must_use]
    pub fn credential(&self) -> Option<&Credential> {
        self.credential.as_ref()
    }

    /// Returns the time of the session's clock. A refresher uses it instead of [`SystemTime::now`], so that a test that moves the
    /// clock moves it for the refresher too.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Returns the time of the server, for what a server checks: the `iat` of a DPoP proof, the `iat` and `exp` of an
    /// assertion. It differs from [`now`](Self::now) if the session knows the [skew](Self::clock_skew) of the server's clock.
    /// The lifetime of a new credential counts from [`now`](Self::now).
    #[must_use]
    pub fn server_now(&self) -> SystemTime {
        let now = self.now();
        self.clock_skew().map_or(now, |skew| skew.server_time(now))
    }

    /// Returns how far the server's clock is from the session's clock. `None` if they differ by 30 s at most, or if it is
    /// not known. A refresher converts an expiry of the server, such as the `exp` of a token, with
    /// [`ClockSkew::local_time`].
    #[must_use]
    pub fn clock_skew(&self) -> Option<ClockSkew> {
        self.session.clock_skew()
    }

    /// Returns the session's clock.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// Whether a caller still waits for the result of the refresh.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        self.session.is_awaited()
    }

    /// Completes when no caller waits for the result of the refresh any more. A refresher that asks the user stops
    /// asking then.
    pub async fn abandoned(&self) {
        // Checks twice, because another caller may begin to wait meanwhile.
        const INTERVAL: Duration = Duration::from_millis(100);
        let mut checks_alone = 0;
        while checks_alone < 2 {
            tokio::time::sleep(INTERVAL).await;
            checks_alone = if self.is_awaited() { 0 } else { checks_alone + 1 };
        }
    }

    /// Reports that a credential could not be saved, although it is used. A store calls it, so that
    /// [`Builder::on_event`](crate::Builder::on_event) and the metrics hear of it. In a call to
    /// [`Refresh::forget`](crate::Refresh::forget), it reports that a credential could not be deleted. The error must not
    /// contain a secret; the credential of this context is masked in it.
    pub fn report_save_failed(&self, error: &dyn std::error::Error) {
        let masker = || Credential::masker_of(&self.credential);
        let text = || OneLine::new(&masker().mask(error.to_string())).to_string();
        self.session.save_failed(self.reason, text);
    }

    /// Returns a client for the refresher's own requests: without middleware, redirects, cookies and referer, and with finite
    /// timeouts; or the one that the caller gave to [`Builder::refresh_client`](crate::Builder::refresh_client).
    ///
    /// # Errors
    /// [`RefreshErrorKind::Other`](crate::RefreshErrorKind::Other) if the client cannot be built, for example because its
    /// TLS stack cannot be initialised; [`RefreshErrorKind::Gone`](crate::RefreshErrorKind::Gone) if the middleware was
    /// dropped.
    pub fn http_client(&self) -> Result<reqwest::Client, RefreshError> {
        self.session.http_client()
    }

    /// Returns the context with this credential. A store uses it if the stored credential is newer than the refused one. The
    /// [renewal lock](Self::with_renewal_lock) and everything else stay.
    #[must_use]
    pub fn with_credential(self, credential: Credential) -> Self {
        Self { credential: Some(credential), ..self }
    }

    /// Returns the context without a credential. A store uses it if the credential was removed by a logout. The
    /// [renewal lock](Self::with_renewal_lock) and everything else stay.
    #[must_use]
    pub fn without_credential(self) -> Self {
        Self { credential: None, ..self }
    }

    /// Returns the context with the refused request, the challenges and the demand of another context. A refresher
    /// uses it if a login follows a 401, so that the new credential meets what that 401 demands.
    #[must_use]
    pub fn with_request_of(self, other: &Self) -> Self {
        Self { request: other.request.clone(), demand: other.demand.clone(), ..self }
    }

    /// Returns the context without a demand, for a refresher that has met the demand.
    #[must_use]
    pub fn without_demand(self) -> Self {
        Self { demand: Demand::default(), ..self }
    }

    /// Returns the context for a call to [`Refresh::forget`](crate::Refresh::forget), with this reason and this credential. A
    /// decorator uses it to make the refresher inside it forget a credential. The context has no request, no demand and no
    /// [renewal lock](Self::with_renewal_lock).
    #[must_use]
    pub fn to_forget(self, reason: RefreshReason, credential: Option<Credential>) -> Self {
        Self { reason, credential, demand: Demand::default(), request: None, renewal_lock: None, ..self }
    }

    /// Returns the context with the challenges of these schemes only. The case of the names does not matter.
    #[must_use]
    pub fn with_schemes<S: AsRef<str>>(self, schemes: impl AsRef<[S]>) -> Self {
        let schemes = schemes.as_ref();
        let request = self.request.as_ref().map(|request| {
            let kept = request.challenges.iter().filter(|one| schemes.iter().any(|scheme| one.is(scheme.as_ref())));
            let challenges = Challenges::parse_lines(kept.map(|challenge| challenge.to_bytes()));
            Arc::new(RefusedRequest { method: request.method.clone(), url: request.url.clone(), challenges })
        });
        Self { request, ..self }
    }
}

impl fmt::Debug for RefreshContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshContext")
            .field("reason", &self.reason)
            .field("challenges", self.challenges())
            .field("method", &self.method())
            .field("origin", &self.origin.to_string())
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}
