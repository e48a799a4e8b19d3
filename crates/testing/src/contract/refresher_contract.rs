//! The contract of a refresher.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, RefreshErrorKind, RefreshReason};

use super::calls;
use super::report::{Check, Report, Verdict};

/// The longest timeout of a refresher: the time that a user needs to fetch a phone and log in.
const MAX_TIMEOUT: Duration = Duration::from_secs(15 * 60);

type Hook = Box<dyn Fn() + Send + Sync>;

/// The contract of a refresher, made by [`refresher_contract`].
pub struct RefresherContract {
    make: Box<dyn Fn() -> Arc<dyn Refresh> + Send + Sync>,
    url: String,
    challenges: Vec<String>,
    outage: Option<Outage>,
    revoke: Option<Hook>,
}

/// How the test begins and ends an outage.
struct Outage {
    begin: Hook,
    end: Hook,
}

/// The contract of a refresher: what the middleware and its users rely on. The function makes a new refresher for each
/// check.
///
/// The checks are:
///
/// - the timeout is more than zero and at most 15 minutes
/// - a challenge gives a credential that can be sent
/// - the refused credential is not returned again
/// - unknown and malformed challenges cause no panic and no timeout
/// - a dropped refresh does not block the next one
/// - the initial credential can be sent, or there is none
/// - `forget` can be called twice for a credential, and without a credential
/// - a forgotten credential is not the initial credential
/// - an outage gives a transient error, and the next refresh succeeds
/// - a revocation gives a final error without a secret
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use reqwest_challenge_testing::{RecordingRefresher, refresher_contract};
///
/// let report = refresher_contract(RecordingRefresher::new).run().await;
/// report.assert_passed();
/// # }
/// ```
#[must_use]
pub fn refresher_contract<R: Refresh>(make: impl Fn() -> R + Send + Sync + 'static) -> RefresherContract {
    RefresherContract {
        make: Box::new(move || Arc::new(make())),
        url: "https://api.example.com/reports".to_owned(),
        challenges: vec!["Bearer realm=\"contract\"".to_owned()],
        outage: None,
        revoke: None,
    }
}

impl RefresherContract {
    /// Sets the URL of the request that gets the 401. `https://api.example.com/reports` by default.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self
    }

    /// Sets the challenges of the 401, one per field. `Bearer realm="contract"` by default.
    #[must_use]
    pub fn challenges<S: Into<String>>(mut self, lines: impl IntoIterator<Item = S>) -> Self {
        self.challenges = lines.into_iter().map(Into::into).collect();
        self
    }

    /// Sets how an outage of the identity provider begins and ends. Without it, the check of an outage is skipped.
    #[must_use]
    pub fn outage(mut self, begin: impl Fn() + Send + Sync + 'static, end: impl Fn() + Send + Sync + 'static) -> Self {
        self.outage = Some(Outage { begin: Box::new(begin), end: Box::new(end) });
        self
    }

    /// Sets how the refresh token or the password of the refresher is revoked. This is the last check, so the revocation
    /// need not be undone. Without it, the check of a revocation is skipped.
    #[must_use]
    pub fn revocation(mut self, revoke: impl Fn() + Send + Sync + 'static) -> Self {
        self.revoke = Some(Box::new(revoke));
        self
    }

    /// Runs all checks.
    ///
    /// # Panics
    /// If the URL of the contract is not an http or https URL.
    pub async fn run(&self) -> Report {
        let mut checks = Vec::new();
        let mut add = |name, verdict| checks.push(Check::new(name, verdict));
        add("the timeout is more than zero and at most 15 minutes", self.has_timeout());
        add("a challenge gives a credential that can be sent", self.answers_challenge().await);
        add("the refused credential is not returned again", self.renews().await);
        add("unknown and malformed challenges cause no panic and no timeout", self.survives_challenges().await);
        add("a dropped refresh does not block the next one", self.is_droppable().await);
        add("the initial credential can be sent, or there is none", self.has_valid_initial().await);
        add("`forget` can be called twice for a credential, and without a credential", self.forgets().await);
        add("a forgotten credential is not the initial credential", self.has_forgotten().await);
        add("an outage gives a transient error, and the next refresh succeeds", self.recovers().await);
        add("a revocation gives a final error without a secret", self.reports_revocation().await);
        Report::new(checks)
    }

    /// The context of a 401 that refused this credential.
    fn context(&self, refused: Option<Credential>) -> RefreshContext {
        let context = self.challenges.iter().fold(RefreshContext::builder(&self.url), |all, line| all.challenge(line));
        let context = match refused {
            Some(refused) => context.credential(refused).reason(RefreshReason::Expired).build(),
            None => context.build(),
        };
        context.unwrap_or_else(|error| panic!("{}: {error}", self.url))
    }

    /// The context of a call of `initial` or `forget`.
    fn plain_context(&self, reason: RefreshReason, credential: Option<Credential>) -> RefreshContext {
        self.context(None).to_forget(reason, credential)
    }

    /// A first credential, or the verdict if there is none.
    async fn first(&self, refresher: &Arc<dyn Refresh>) -> Result<Credential, Verdict> {
        match calls::refresh(refresher, self.context(None)).await {
            Ok(Some(credential)) => Ok(credential),
            Ok(None) => Err(failed("the refresher declines")),
            Err(error) => Err(failed(error)),
        }
    }

    fn has_timeout(&self) -> Verdict {
        let timeout = (self.make)().timeout();
        verdict(!timeout.is_zero() && timeout <= MAX_TIMEOUT, format_args!("the timeout is {timeout:?}"))
    }

    async fn answers_challenge(&self) -> Verdict {
        match self.first(&(self.make)()).await {
            Ok(credential) => credential.check().map_or_else(failed, |()| Verdict::Passed),
            Err(verdict) => verdict,
        }
    }

    async fn renews(&self) -> Verdict {
        let refresher = (self.make)();
        let first = match self.first(&refresher).await {
            Ok(first) => first,
            Err(verdict) => return verdict,
        };
        // A refresher may decline or fail. A fixed key can do nothing else.
        match calls::refresh(&refresher, self.context(Some(first.clone()))).await {
            Ok(Some(second)) => {
                verdict(second != first, format_args!("the refresher returns the refused credential again"))
            }
            Ok(None) => Verdict::Passed,
            Err(error) => unless_panic_or_timeout(&error),
        }
    }

    async fn survives_challenges(&self) -> Verdict {
        let url = &self.url;
        for line in ["Unknown-Scheme realm=\"x\"", "Bearer realm=\"cut", "", "=", "Bearer error=\"\u{1f980}\""] {
            let refresher = (self.make)();
            let context = RefreshContext::builder(url).challenge(line).build();
            let context = context.unwrap_or_else(|error| panic!("{url}: {error}"));
            if let Err(error) = calls::refresh(&refresher, context).await
                && unless_panic_or_timeout(&error) != Verdict::Passed
            {
                return failed(format_args!("with the challenge `{line}`: {error}"));
            }
        }
        Verdict::Passed
    }

    async fn is_droppable(&self) -> Verdict {
        let refresher = (self.make)();
        let mut dropped = refresher.as_ref().refresh(self.context(None));
        let is_ready = poll_fn(|context| Poll::Ready(dropped.as_mut().poll(context).is_ready())).await;
        if is_ready {
            return Verdict::Passed;
        }
        drop(dropped);
        // The dropped refresh may have used up a refresh token, so the next one may fail. It must not hang.
        match calls::refresh(&refresher, self.context(None)).await {
            Ok(_) => Verdict::Passed,
            Err(error) => unless_panic_or_timeout(&error),
        }
    }

    async fn has_valid_initial(&self) -> Verdict {
        match (self.make)().as_ref().initial(self.plain_context(RefreshReason::Initial, None)).await {
            Ok(Some(credential)) => credential.check().map_or_else(failed, |()| Verdict::Passed),
            Ok(None) => Verdict::Passed,
            Err(error) => failed(error),
        }
    }

    async fn forgets(&self) -> Verdict {
        let refresher = (self.make)();
        let first = match self.first(&refresher).await {
            Ok(first) => first,
            Err(verdict) => return verdict,
        };
        for credential in [Some(first.clone()), Some(first), None] {
            if let Err(error) = refresher.as_ref().forget(self.plain_context(RefreshReason::Logout, credential)).await {
                return failed(error);
            }
        }
        Verdict::Passed
    }

    async fn has_forgotten(&self) -> Verdict {
        let refresher = (self.make)();
        let first = match self.first(&refresher).await {
            Ok(first) => first,
            Err(verdict) => return verdict,
        };
        if let Err(error) =
            refresher.as_ref().forget(self.plain_context(RefreshReason::Logout, Some(first.clone()))).await
        {
            return failed(error);
        }
        match refresher.as_ref().initial(self.plain_context(RefreshReason::Initial, None)).await {
            Ok(initial) => {
                verdict(initial.as_ref() != Some(&first), format_args!("`initial` returns the forgotten credential"))
            }
            Err(error) => failed(error),
        }
    }

    async fn recovers(&self) -> Verdict {
        let Some(Outage { begin, end }) = &self.outage else {
            return Verdict::Skipped("call `outage(…)` on the contract");
        };
        let refresher = (self.make)();
        begin();
        let during = calls::refresh(&refresher, self.context(None)).await;
        end();
        match during {
            Err(error) if error.is_transient() => {}
            Err(error) => return failed(format_args!("the error is {:?}, not `Transient`", error.kind())),
            Ok(_) => return failed("the refresh during the outage returns no error"),
        }
        self.first(&refresher).await.map_or_else(|verdict| verdict, |_| Verdict::Passed)
    }

    async fn reports_revocation(&self) -> Verdict {
        let Some(revoke) = &self.revoke else { return Verdict::Skipped("call `revocation(…)` on the contract") };
        let refresher = (self.make)();
        let first = match self.first(&refresher).await {
            Ok(first) => first,
            Err(verdict) => return verdict,
        };
        revoke();
        let error = match calls::refresh(&refresher, self.context(Some(first.clone()))).await {
            Ok(_) => return failed("the refresh after the revocation returns no error"),
            Err(error) => error,
        };
        let printed = format!("{error} {error:?}");
        if secrets(&first).iter().any(|secret| printed.contains(secret)) {
            return failed("the error prints a secret");
        }
        let is_final = matches!(
            error.kind(),
            RefreshErrorKind::CredentialRevoked { .. }
                | RefreshErrorKind::Denied { .. }
                | RefreshErrorKind::LoginRequired { .. }
        );
        verdict(is_final, format_args!("the error is {:?}, so the caller would try again", error.kind()))
    }
}

/// The secrets of a credential, which an error must not print.
fn secrets(credential: &Credential) -> Vec<String> {
    let sent = credential.header_value().and_then(|value| {
        let value = value.to_str().ok()?;
        Some(value.split_once(' ').map_or(value, |(_, token)| token).to_owned())
    });
    let attached = credential.attachment().map(|secret| secret.expose().to_owned());
    sent.into_iter().chain(attached).filter(|secret| !secret.is_empty()).collect()
}

/// Passes with each error that the refresher returned. A panic and a timeout fail.
fn unless_panic_or_timeout(error: &RefreshError) -> Verdict {
    match error.kind() {
        RefreshErrorKind::Panicked | RefreshErrorKind::TimedOut => failed(error),
        _ => Verdict::Passed,
    }
}

fn failed(why: impl fmt::Display) -> Verdict {
    Verdict::Failed(why.to_string())
}

fn verdict(is_passed: bool, otherwise: fmt::Arguments<'_>) -> Verdict {
    if is_passed { Verdict::Passed } else { failed(otherwise) }
}

impl fmt::Debug for RefresherContract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefresherContract")
            .field("url", &self.url)
            .field("challenges", &self.challenges)
            .finish_non_exhaustive()
    }
}
