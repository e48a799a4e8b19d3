//! Which results of a call are worth another call.

use std::cell::Cell;
use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest::Response;
use reqwest_retry::{DefaultRetryableStrategy, Retryable, RetryableStrategy};

use crate::error::{Error, RefreshError, RefreshErrorKind};
use crate::util::{response_date, retry_after};

thread_local! {
    /// The span of the last `Retry-After`, from the strategy to the policy. The retry middleware asks the policy directly after
    /// the strategy, without a point at which another call could run on this thread.
    static RETRY_AFTER: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// Takes the span that the strategy left behind.
pub(super) fn take_retry_after() -> Option<Duration> {
    RETRY_AFTER.take()
}

/// A strategy of `reqwest-retry` that knows the errors of this crate. It judges every other result by the strategy inside it.
///
/// - A refresh that failed temporarily ([`RefreshErrorKind::Transient`](crate::RefreshErrorKind::Transient)) is worth
///   another call, whether it failed before the request or after a 401.
/// - Every other error of this crate is final: a 403, a 401 that a new credential did not solve, a login that is required, a
///   spent budget, a redirect that was not followed.
///
/// ```
/// use reqwest_challenge::retry::{ChallengeRetryStrategy, RetryAfterPolicy};
/// use reqwest_retry::{RetryTransientMiddleware, Retryable, RetryableStrategy, policies::ExponentialBackoff};
///
/// /// Never retries a response.
/// struct NetworkOnly;
///
/// impl RetryableStrategy for NetworkOnly {
///     fn handle(&self, result: &reqwest_middleware::Result<reqwest::Response>) -> Option<Retryable> {
///         result.as_ref().err().and_then(reqwest_retry::default_on_request_failure)
///     }
/// }
///
/// let policy = RetryAfterPolicy::new(ExponentialBackoff::builder().build_with_max_retries(3));
/// let strategy = ChallengeRetryStrategy::new(NetworkOnly);
/// let retry = RetryTransientMiddleware::new_with_policy_and_strategy(policy, strategy);
/// # drop(retry);
/// ```
pub struct ChallengeRetryStrategy<S = DefaultRetryableStrategy>(S);

impl<S> ChallengeRetryStrategy<S> {
    /// Judges the results that are no errors of this crate by this strategy.
    pub fn new(others: S) -> Self {
        Self(others)
    }
}

impl Default for ChallengeRetryStrategy {
    fn default() -> Self {
        Self(DefaultRetryableStrategy)
    }
}

impl<S: RetryableStrategy> RetryableStrategy for ChallengeRetryStrategy<S> {
    fn handle(&self, result: &Result<Response, reqwest_middleware::Error>) -> Option<Retryable> {
        let (judgement, span) = match result.as_ref().map_err(|error| Error::find(error)) {
            Err(Some(error)) => judge(error),
            Ok(response) => (self.0.handle(result), span_of(response)),
            Err(None) => (self.0.handle(result), None),
        };
        RETRY_AFTER.set(span);
        judgement
    }
}

/// Judges an error of this crate, and returns the span that the server of the refresh asks to wait.
fn judge(error: &Error) -> (Option<Retryable>, Option<Duration>) {
    let refresh = match error {
        Error::Unauthorized(unauthorized) => unauthorized.refresh_error(),
        Error::Refresh(error) => Some(error),
        _ => None,
    };
    match refresh.map(RefreshError::kind) {
        Some(RefreshErrorKind::Transient { retry_after }) => (Some(Retryable::Transient), *retry_after),
        _ => (Some(Retryable::Fatal), None),
    }
}

/// The span that a response asks to wait. A date in it counts from the server's own date.
fn span_of(response: &Response) -> Option<Duration> {
    let now = response_date(response.headers()).unwrap_or_else(SystemTime::now);
    retry_after(response.headers(), now)
}

impl<S> fmt::Debug for ChallengeRetryStrategy<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ChallengeRetryStrategy").finish()
    }
}
