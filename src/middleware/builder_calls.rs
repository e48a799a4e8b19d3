//! The settings of calls: which responses are answered, and what is read of them.

use std::sync::Arc;
use std::time::Duration;

use super::builder::Builder;
use crate::error::{Problem, RawRefusal};
use crate::util::clamped;

impl Builder {
    /// Sets how many bytes of a refusal's body are read. The default is 64 KiB. The errors of APIs are
    /// shorter, but a body must be read to its end before its connection can be used again. Of the body of a 401 that
    /// starts a refresh, 4 KiB are kept. If its length is known to
    /// be more than twice the limit, nothing of it is read. On HTTP/2 up to 1 MiB of it is read in any case, because a client closes
    /// its connection after many streams that it did not read.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.settings.body_limit = bytes;
        self
    }

    /// Sets how long a refusal's body is read. The default is 1 s. A second send waits no longer than this for a body that
    /// does not end.
    pub fn body_timeout(mut self, span: Duration) -> Self {
        self.settings.body_timeout = clamped(span);
        self
    }

    /// Sets the schemes that this client answers. The case of their names does not matter. If a 401 has only challenges
    /// of other schemes, it is declined and the refresher is not asked. If no schemes are set, the refresher is asked
    /// after every 401. It sees the challenges and can decline.
    pub fn schemes<S: Into<String>>(mut self, schemes: impl IntoIterator<Item = S>) -> Self {
        self.settings.schemes = Some(schemes.into_iter().map(Into::into).collect());
        self
    }

    /// Declines a 401 without a challenge, or with challenges that RFC 9110's grammar does not allow. Off by default, because
    /// both are common. Useful for contract tests.
    pub fn strict(mut self) -> Self {
        self.settings.strict = true;
        self
    }

    /// Asks the refresher before a request with a stream as its body is sent, if there is no credential yet: such a request
    /// cannot be sent twice. Off by default, so that the refresher is not asked before the server has refused something.
    pub fn refresh_before_streams(mut self) -> Self {
        self.settings.refresh_before_streams = true;
        self
    }

    /// Sets a function that names the partition of each request. Each partition has its own credential and its own refresh.
    /// Off by default, because nearly every API has one credential for all requests. A container registry has one for each
    /// repository.
    pub fn partition_by(
        mut self,
        partition: impl Fn(&http::Method, &reqwest::Url) -> String + Send + Sync + 'static,
    ) -> Self {
        self.settings.partition_by = Some(Arc::new(partition));
        self
    }

    /// Returns a final 401 and every 403 as a response, with its [`Challenges`](crate::Challenges) and its
    /// [`AuthReport`](crate::AuthReport) in the extensions. Off by default, because a caller can forget to check a status.
    /// [`expired_when`](Self::expired_when) is still applied.
    pub fn pass_through(mut self) -> Self {
        self.settings.pass_through = true;
        self
    }

    /// Sends only requests with a safe method again (RFC 9110 §9.2.1: GET, HEAD, OPTIONS, TRACE). Off by default: a server that
    /// responds with 401 has not processed the request.
    pub fn safe_methods_only(mut self) -> Self {
        self.settings.safe_methods_only = true;
        self
    }

    /// Sets a function that reads refusals before this crate does. If it returns a [`Problem`], that is what the
    /// refusal says, and it takes precedence over the challenges. If it returns `None`, this crate reads the refusal.
    /// [`RawRefusal::problem`] returns what this crate reads, as a starting point.
    ///
    /// ```
    /// # use reqwest_challenge::{ChallengeMiddleware, Credential};
    /// // An API that sends its error code in a header field.
    /// let auth = ChallengeMiddleware::builder("https://api.example.com", Credential::bearer("token"))
    ///     .read_refusals(|refusal| {
    ///         let code = refusal.headers().get("x-acme-code")?.to_str().ok()?;
    ///         let mut problem = refusal.problem();
    ///         problem.code = Some(code.to_owned());
    ///         Some(problem)
    ///     })
    ///     .build()?;
    /// # Ok::<(), reqwest_challenge::BuildError>(())
    /// ```
    pub fn read_refusals(mut self, read: impl Fn(&RawRefusal<'_>) -> Option<Problem> + Send + Sync + 'static) -> Self {
        self.settings.read_refusals = Some(Arc::new(read));
        self
    }

    /// Sets the first cooldown of a path that rejects a fresh credential. The default is 1 s. It doubles with each further
    /// rejection, up to 60 s, and a success on the path ends it. During the cooldown a 401 on that path starts no refresh. A
    /// newer credential that is already held is used.
    ///
    /// In addition, each session has a budget of refreshes, which has no setting. If the server refuses three new credentials
    /// in a row, no refresh starts for 30 s, on any path. The error then has
    /// [`UnauthorizedReason::BudgetExhausted`](crate::UnauthorizedReason::BudgetExhausted). The time doubles with each
    /// repetition, up to 5 minutes. An accepted credential, a login and
    /// [`Session::invalidate`](crate::Session::invalidate) end it. Each partition has its own budget. If the server refuses 32
    /// new credentials in a row over all partitions, no partition starts a refresh.
    pub fn rejection_cooldown(mut self, span: Duration) -> Self {
        self.settings.rejection_cooldown = clamped(span);
        self
    }
}
