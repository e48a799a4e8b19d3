//! The settings for servers that do not say by a 401 that a credential is missing or has expired.

use std::sync::Arc;

use super::builder::Builder;
use crate::credential::ResponseHead;
use crate::error::Refusal;

impl Builder {
    /// Sets which other responses count as a 401, by their status and header fields. Such a response is answered as a 401 is:
    /// one refresh, which all waiting calls share, and one more send. If the second response counts as a 401 too, the call ends
    /// with [`Unauthorized`](crate::Unauthorized), whose [`status`](crate::Unauthorized::status) is the real one.
    ///
    /// The function is not asked about a 401, a 403 or a success (2xx): a 403 and a success are never sent again.
    /// Let it return `true` only for responses that come before the server has processed the request, because
    /// the request is sent again whatever its method is ([`safe_methods_only`](Self::safe_methods_only) changes that).
    ///
    /// ```
    /// use reqwest_challenge::{ChallengeMiddleware, Credential};
    ///
    /// let auth = ChallengeMiddleware::builder("https://api.example.com", Credential::bearer("token"))
    ///     .unauthenticated_when(|head| match head.status().as_u16() {
    ///         // Laravel, IIS, and ArcGIS.
    ///         419 | 440 | 498 => true,
    ///         // An API that sends 400 and its reason in a header field.
    ///         400 => head.headers().get("x-error-code").is_some_and(|code| code == "expired_token"),
    ///         // A redirect to a login page, if the client does not follow redirects itself.
    ///         302 => head.headers().get("location").is_some_and(|to| to.as_bytes().starts_with(b"/login")),
    ///         _ => false,
    ///     })
    ///     .build()?;
    /// # Ok::<(), reqwest_challenge::BuildError>(())
    /// ```
    pub fn unauthenticated_when(
        mut self,
        is_unauthenticated: impl Fn(&ResponseHead<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        let verdicts = Arc::make_mut(self.settings.verdicts.get_or_insert_default());
        verdicts.unauthenticated_when = Some(Arc::new(is_unauthenticated));
        self
    }

    /// Sets which 403 means an expired credential, for servers that respond with 403 in that case. The call still ends with
    /// `Forbidden`. The credential is marked as invalid, and the next call renews it first. With
    /// [`inspect_bodies`](Self::inspect_bodies) the function gets responses with 200 and 400 too.
    ///
    /// These refusals count in the budget of refreshes, and a path has a cooldown after each of them
    /// ([`rejection_cooldown`](Self::rejection_cooldown)). During it, the path marks no other credential as invalid.
    ///
    /// ```
    /// use reqwest_challenge::{ChallengeMiddleware, Credential};
    ///
    /// let auth = ChallengeMiddleware::builder("https://api.example.com", Credential::bearer("token"))
    ///     .expired_when(|refusal| refusal.error_code().as_deref() == Some("token_expired"))
    ///     .build()?;
    /// # Ok::<(), reqwest_challenge::BuildError>(())
    /// ```
    pub fn expired_when(mut self, means_expired: impl Fn(&Refusal) -> bool + Send + Sync + 'static) -> Self {
        self.settings.expired_when = Some(Arc::new(means_expired));
        self
    }

    /// Shows responses with 200 and 400 to the function of [`expired_when`](Self::expired_when) too, if their bodies have at most
    /// this many bytes. The call returns its response unchanged, and is not sent again. If the function returns `true`, the
    /// credential is marked as invalid, and the next call renews it first.
    ///
    /// The response is returned after its body has arrived, but at most [`body_timeout`](Self::body_timeout) later.
    /// If the body is longer than the limit, does not end within that time, or fails, the caller gets the response as
    /// it is, and the function is not called. The same holds for bodies that are not read at all: those of another
    /// server, of a request without a credential of this middleware, of a HEAD, compressed ones that reqwest does not
    /// decompress, event streams, and those whose `Content-Type` is neither a text nor JSON, XML or a form.
    ///
    /// ```
    /// use reqwest_challenge::{ChallengeMiddleware, Credential};
    ///
    /// let auth = ChallengeMiddleware::builder("https://api.example.com", Credential::bearer("token"))
    ///     .inspect_bodies(64 << 10)
    ///     .expired_when(|refusal| match (refusal.status().as_u16(), refusal.error_code().as_deref()) {
    ///         // GraphQL: {"data": null, "errors": [{"message": "…", "extensions": {"code": "UNAUTHENTICATED"}}]}
    ///         (200, Some("UNAUTHENTICATED")) => true,
    ///         // Slack: {"ok": false, "error": "token_expired"}
    ///         (200, Some("token_expired" | "token_revoked" | "invalid_auth")) => refusal.body().starts_with(b"{\"ok\":false"),
    ///         // Bluesky: {"error": "ExpiredToken", "message": "Token has expired"}
    ///         (400, Some("ExpiredToken")) => true,
    ///         _ => false,
    ///     })
    ///     .build()?;
    /// # Ok::<(), reqwest_challenge::BuildError>(())
    /// ```
    pub fn inspect_bodies(mut self, limit: usize) -> Self {
        Arc::make_mut(self.settings.verdicts.get_or_insert_default()).inspect_limit = Some(limit);
        self
    }

    /// Gets a credential before the first request, if there is none: the refresher is called with
    /// [`RefreshReason::Login`](crate::RefreshReason::Login). For servers that send 403, and no challenge, to a request without
    /// a credential, such as devpi, and Django REST Framework with session authentication. Off by default, because an API may
    /// answer some requests without a credential.
    ///
    /// All calls that wait for the credential share one refresh. If it fails, the calls end with
    /// [`Error::Refresh`](crate::Error::Refresh), and nothing is sent. If the refresher declines, the request is sent without a
    /// credential. After a logout the refresher is not asked. A refresher that
    /// [needs a challenge](crate::Refresh::needs_challenge), such as [`Password`](crate::Password), is not asked either: such a server
    /// needs [`Credential::basic`](crate::Credential::basic).
    ///
    /// ```
    /// use reqwest_challenge::{BoxError, ChallengeMiddleware, Credential, RefreshContext};
    ///
    /// async fn log_in(context: RefreshContext) -> Result<Credential, BoxError> {
    ///     let login = context.http_client()?.post("https://packages.example.com/+login");
    ///     // This server answers with the token alone.
    ///     let token = login.send().await?.error_for_status()?.text().await?;
    ///     Ok(Credential::basic("alice", token))
    /// }
    ///
    /// let auth = ChallengeMiddleware::builder("https://packages.example.com", log_in).login_first().build()?;
    /// # Ok::<(), reqwest_challenge::BuildError>(())
    /// ```
    pub fn login_first(mut self) -> Self {
        self.settings.login_first = true;
        self
    }
}
