//! Contract suites: named checks that an implementation of one's own must pass.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::report::{Check, Report, Verdict};
use reqwest_challenge::Credential;
use reqwest_challenge::{Refresh, RefreshContext, RefreshError, RefreshErrorKind, RefreshReason};

/// The longest time that a caller can be asked to wait: a person who fetches his phone.
const LONGEST: Duration = Duration::from_secs(15 * 60);

type Hook = Box<dyn Fn() + Send + Sync>;

/// The contract of a refresher, with what the checks need to know of it.
pub struct Contract {
    make: Box<dyn Fn() -> Arc<dyn Refresh> + Send + Sync>,
    url: String,
    challenges: Vec<String>,
    outage: Option<(Hook, Hook)>,
    dead: Option<Hook>,
}

impl fmt::Debug for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contract").field("url", &self.url).field("challenges", &self.challenges).finish_non_exhaustive()
    }
}

/// The contract of a refresher: what the middleware and its users rely on. A refresher is made anew for each check.
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
pub fn refresher_contract<R: Refresh>(make: impl Fn() -> R + Send + Sync + 'static) -> Contract {
    Contract {
        make: Box::new(move || Arc::new(make())),
        url: "https://api.example.com/reports".to_owned(),
        challenges: vec!["Bearer realm=\"contract\"".to_owned()],
        outage: None,
        dead: None,
    }
}

impl Contract {
    /// The URL of the request that gets the 401. `https://api.example.com/reports` by default.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self
    }

    /// The challenges of the 401, a line each. `Bearer realm="contract"` by default.
    #[must_use]
    pub fn challenges<S: Into<String>>(mut self, lines: impl IntoIterator<Item = S>) -> Self {
        self.challenges = lines.into_iter().map(Into::into).collect();
        self
    }

    /// Begins and ends an outage of the server that the refresher asks.
    #[must_use]
    pub fn outage(mut self, begin: impl Fn() + Send + Sync + 'static, end: impl Fn() + Send + Sync + 'static) -> Self {
        self.outage = Some((Box::new(begin), Box::new(end)));
        self
    }

    /// Revokes what the refresher renews with: its refresh token, or a password. This is the last check, and nothing undoes it.
    #[must_use]
    pub fn revocation(mut self, end: impl Fn() + Send + Sync + 'static) -> Self {
        self.dead = Some(Box::new(end));
        self
    }

    /// Runs all checks.
    pub async fn run(&self) -> Report {
        let mut checks = Vec::new();
        let mut add = |name, verdict| checks.push(Check { name, verdict });
        add("it names a time that a caller can wait for", self.names_a_time());
        add("it answers a challenge with a credential that can be sent", self.answers().await);
        add("it never gives the refused credential again", self.renews().await);
        add("it survives challenges that it does not know", self.survives().await);
        add("a refresh that is dropped midway does not hold the next one", self.is_droppable().await);
        add("it begins with nothing, or with a credential that can be sent", self.begins().await);
        add("it forgets, also what it does not have, also twice", self.forgets().await);
        add("what it forgot is not what it begins with", self.has_forgotten().await);
        add("an outage is a passing failure, after which it recovers", self.recovers().await);
        add("what is finished is said to be, and no secret with it", self.ends().await);
        Report { checks }
    }

    /// The context of a 401, with that credential.
    ///
    /// # Panics
    /// If the URL of the contract is not the URL of an API.
    fn context(&self, refused: Option<Credential>) -> RefreshContext {
        let context = self.challenges.iter().fold(RefreshContext::builder(&self.url), |all, line| all.challenge(line));
        let context = match refused {
            Some(refused) => context.credential(refused).reason(RefreshReason::Expired).build(),
            None => context.build(),
        };
        context.unwrap_or_else(|error| panic!("{}: {error}", self.url))
    }

    /// The context of a call without a request.
    fn plain_context(&self, reason: RefreshReason, credential: Option<Credential>) -> RefreshContext {
        self.context(None).to_forget(reason, credential)
    }

    /// Asks as the middleware does: on a task, for as long as the refresher says.
    async fn ask(
        &self,
        refresher: &Arc<dyn Refresh>,
        context: RefreshContext,
    ) -> Result<Option<Credential>, RefreshError> {
        let (refresher, bound) = (refresher.clone(), refresher.timeout());
        let mut task = tokio::spawn(async move { refresher.as_ref().refresh(context).await });
        match tokio::time::timeout(bound, &mut task).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(RefreshError::new(RefreshErrorKind::Panicked)),
            Err(_) => {
                task.abort();
                Err(RefreshError::new(RefreshErrorKind::TimedOut))
            }
        }
    }

    /// A first credential, or why there is none.
    async fn first(&self, refresher: &Arc<dyn Refresh>) -> Result<Credential, Verdict> {
        match self.ask(refresher, self.context(None)).await {
            Ok(Some(credential)) => Ok(credential),
            Ok(None) => Err(failed("it declined")),
            Err(error) => Err(failed(error)),
        }
    }

    fn names_a_time(&self) -> Verdict {
        let time = (self.make)().timeout();
        verdict(!time.is_zero() && time <= LONGEST, format_args!("{time:?}, and {LONGEST:?} is the most"))
    }

    async fn answers(&self) -> Verdict {
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
        // To decline, or to fail, is an answer too: a fixed key has no other.
        match self.ask(&refresher, self.context(Some(first.clone()))).await {
            Ok(Some(second)) => verdict(second != first, format_args!("it gave it again, and would be refused again")),
            Ok(None) => Verdict::Passed,
            Err(error) => ended(&error),
        }
    }

    async fn survives(&self) -> Verdict {
        let url = &self.url;
        for line in ["Nobody-Knows-This realm=\"x\"", "Bearer realm=\"cut", "", "=", "Bearer error=\"\u{1f980}\""] {
            let refresher = (self.make)();
            let context = RefreshContext::builder(url).challenge(line).build();
            let context = context.unwrap_or_else(|error| panic!("{url}: {error}"));
            if let Err(error) = self.ask(&refresher, context).await
                && ended(&error) != Verdict::Passed
            {
                return failed(format_args!("at `{line}`: {error}"));
            }
        }
        Verdict::Passed
    }

    async fn is_droppable(&self) -> Verdict {
        let refresher = (self.make)();
        let mut dropped = refresher.as_ref().refresh(self.context(None));
        let begun = poll_fn(|context| Poll::Ready(dropped.as_mut().poll(context).is_ready())).await;
        if begun {
            return Verdict::Passed;
        }
        drop(dropped);
        // What was on its way may have used a token up that serves once: the next one may fail, and must not hang.
        match self.ask(&refresher, self.context(None)).await {
            Ok(_) => Verdict::Passed,
            Err(error) => ended(&error),
        }
    }

    async fn begins(&self) -> Verdict {
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
            Ok(begun) => verdict(begun.as_ref() != Some(&first), format_args!("it begins with it")),
            Err(error) => failed(error),
        }
    }

    async fn recovers(&self) -> Verdict {
        let Some((begin, end)) = &self.outage else {
            return Verdict::Skipped("pass what begins and ends an outage: `outage(…)`");
        };
        let refresher = (self.make)();
        begin();
        let during = self.ask(&refresher, self.context(None)).await;
        end();
        match during {
            Err(error) if error.is_transient() => {}
            Err(error) => return failed(format_args!("it said {:?}, which is not `Transient`", error.kind())),
            Ok(_) => return failed("it did not notice"),
        }
        self.first(&refresher).await.map_or_else(|verdict| verdict, |_| Verdict::Passed)
    }

    async fn ends(&self) -> Verdict {
        let Some(end) = &self.dead else { return Verdict::Skipped("pass what revokes it: `revocation(…)`") };
        let refresher = (self.make)();
        let first = match self.first(&refresher).await {
            Ok(first) => first,
            Err(verdict) => return verdict,
        };
        end();
        let error = match self.ask(&refresher, self.context(Some(first.clone()))).await {
            Ok(_) => return failed("it did not notice"),
            Err(error) => error,
        };
        let printed = format!("{error} {error:?}");
        if secrets(&first).iter().any(|secret| printed.contains(secret)) {
            return failed("its error prints a secret");
        }
        let said = matches!(
            error.kind(),
            RefreshErrorKind::CredentialRevoked { .. }
                | RefreshErrorKind::Denied { .. }
                | RefreshErrorKind::LoginRequired { .. }
        );
        verdict(said, format_args!("it said {:?}: who asks cannot know that asking again is in vain", error.kind()))
    }
}

/// What no error may print.
fn secrets(credential: &Credential) -> Vec<String> {
    let sent = credential.header_value().and_then(|value| {
        let value = value.to_str().ok()?;
        Some(value.split_once(' ').map_or(value, |(_, token)| token).to_owned())
    });
    let attached = credential.attachment().map(|secret| secret.expose().to_owned());
    sent.into_iter().chain(attached).filter(|secret| !secret.is_empty()).collect()
}

/// An error is an answer, unless the refresher did not give it himself.
fn ended(error: &RefreshError) -> Verdict {
    match error.kind() {
        RefreshErrorKind::Panicked | RefreshErrorKind::TimedOut => failed(error),
        _ => Verdict::Passed,
    }
}

fn failed(how: impl fmt::Display) -> Verdict {
    Verdict::Failed(how.to_string())
}

fn verdict(so: bool, how: fmt::Arguments<'_>) -> Verdict {
    if so { Verdict::Passed } else { failed(how) }
}
