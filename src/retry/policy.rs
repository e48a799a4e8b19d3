//! How long to wait before another call.

use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest_retry::{RetryDecision, RetryPolicy};

use super::strategy::take_retry_after;

/// The longest `Retry-After` that is waited for by default.
const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(60);

/// A policy of `reqwest-retry` that waits at least as long as the server asks by `Retry-After` (RFC 9110 §10.2.3). The policy
/// inside it decides whether there is another call, and how long to wait if the server does not say.
///
/// It must be used together with a [`ChallengeRetryStrategy`](super::ChallengeRetryStrategy), which reads the response.
///
/// If the server asks for more than 60 s, there is no other call and the caller gets the result.
/// [`max_wait`](Self::max_wait) changes that limit.
///
/// ```
/// use std::time::Duration;
/// use reqwest_challenge::retry::RetryAfterPolicy;
/// use reqwest_retry::policies::ExponentialBackoff;
///
/// let policy = ExponentialBackoff::builder().build_with_max_retries(3);
/// let policy = RetryAfterPolicy::new(policy).max_wait(Duration::from_secs(300));
/// # drop(policy);
/// ```
pub struct RetryAfterPolicy<P> {
    policy: P,
    max_wait: Duration,
}

impl<P> RetryAfterPolicy<P> {
    /// Delays the retries of this policy.
    pub fn new(policy: P) -> Self {
        Self { policy, max_wait: DEFAULT_MAX_WAIT }
    }

    /// Sets the longest `Retry-After` that is waited for. The default is 60 s.
    #[must_use]
    pub fn max_wait(mut self, span: Duration) -> Self {
        self.max_wait = span;
        self
    }
}

impl<P: RetryPolicy> RetryPolicy for RetryAfterPolicy<P> {
    fn should_retry(&self, request_start_time: SystemTime, n_past_retries: u32) -> RetryDecision {
        let asked = take_retry_after();
        let decision = self.policy.should_retry(request_start_time, n_past_retries);
        let (RetryDecision::Retry { execute_after }, Some(span)) = (&decision, asked) else { return decision };
        if span > self.max_wait {
            return RetryDecision::DoNotRetry;
        }
        // `reqwest-retry` compares this time with the system's clock.
        let earliest = SystemTime::now().checked_add(span).unwrap_or(*execute_after);
        RetryDecision::Retry { execute_after: earliest.max(*execute_after) }
    }
}

impl<P> fmt::Debug for RetryAfterPolicy<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryAfterPolicy").field("max_wait", &self.max_wait).finish_non_exhaustive()
    }
}
