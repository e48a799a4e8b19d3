//! Retries by `reqwest-retry`, above the middleware: which errors of this crate are worth another call, and how long to
//! wait for it.
//!
//! `strategy.rs` judges the result of a call and leaves the span of its `Retry-After` behind. `policy.rs` takes that span
//! and delays the retry that the policy of the caller decides.
//!
//! ```
//! use reqwest_challenge::retry::retrying;
//! use reqwest_challenge::{ChallengeMiddleware, Credential};
//! use reqwest_middleware::ClientBuilder;
//! use reqwest_retry::policies::ExponentialBackoff;
//!
//! let auth = ChallengeMiddleware::new("https://api.example.com", Credential::bearer("token"))?;
//! let retry = retrying(ExponentialBackoff::builder().build_with_max_retries(3));
//! let client = ClientBuilder::new(reqwest::Client::new()).with(retry).with(auth).build();
//! # drop(client);
//! # Ok::<(), reqwest_challenge::BuildError>(())
//! ```

mod policy;
mod strategy;

use reqwest_retry::{DefaultRetryableStrategy, RetryPolicy, RetryTransientMiddleware};

pub use policy::RetryAfterPolicy;
pub use strategy::ChallengeRetryStrategy;

/// Returns the retry middleware of `reqwest-retry` with a [`ChallengeRetryStrategy`] and a [`RetryAfterPolicy`]. Add it to
/// the client before the [`ChallengeMiddleware`](crate::ChallengeMiddleware).
#[must_use]
pub fn retrying<P: RetryPolicy + Send + Sync + 'static>(
    policy: P,
) -> RetryTransientMiddleware<RetryAfterPolicy<P>, ChallengeRetryStrategy<DefaultRetryableStrategy>> {
    RetryTransientMiddleware::new_with_policy_and_strategy(
        RetryAfterPolicy::new(policy),
        ChallengeRetryStrategy::default(),
    )
}
