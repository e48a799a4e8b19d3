//! Asks for a secret on the terminal, for a bounded time.

use crate::util::abandoned;
use crate::util::lock;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::terminal::Before;
use reqwest_challenge::{RefreshContext, RefreshError};

use crate::util::unless;
use reqwest_challenge::Secret;

/// How long a person has to type or paste.
pub(super) const LONGEST: Duration = Duration::from_secs(5 * 60);

/// Asks a question, says whether what is typed is hidden, and stops where it is given up.
pub(super) type Ask = Arc<dyn Fn(&str, bool, &Asking) -> io::Result<String> + Send + Sync>;

/// A terminal has one line for what is typed: two that asked at once would get each other's answers.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Asks without showing what is typed.
pub(super) async fn secret(for_whom: &RefreshContext, ask: &Ask, question: String) -> Result<Secret, RefreshError> {
    asked(for_whom, ask, question, true).await.map(Secret::new)
}

/// Asks for a line, which is shown.
pub(super) async fn line(for_whom: &RefreshContext, ask: &Ask, question: String) -> Result<String, RefreshError> {
    asked(for_whom, ask, question, false).await
}

async fn asked(for_whom: &RefreshContext, ask: &Ask, question: String, hidden: bool) -> Result<String, RefreshError> {
    let (ask, asking) = (ask.clone(), Arc::new(Asking::default()));
    // Dropping the future that waits for a prompt ends the prompt, also when its runtime shuts down.
    let waits = GivesUp(asking.clone());
    let asked = asking;
    let asked = tokio::task::spawn_blocking(move || asked.while_alone(|| ask(&question, hidden, &asked)));
    let answer = async { tokio::time::timeout(LONGEST, asked).await.ok() };
    let answer = unless(pin!(for_whom.abandoned()), pin!(answer)).await;
    drop(waits);
    match answer {
        Ok(Some(Ok(Ok(text)))) => Ok(text),
        Ok(Some(Ok(Err(error)))) => {
            Err(RefreshError::login_required("type it at a terminal").caused_by(error.to_string()))
        }
        Ok(Some(Err(_))) => Err(RefreshError::other("the prompt failed")),
        Ok(None) => Err(RefreshError::denied("login_timed_out").caused_by("nobody answered the prompt in time")),
        Err(()) => Err(abandoned()),
    }
}

pub(super) fn given_up() -> io::Error {
    io::Error::other("no caller waits for the answer")
}

/// Gives up the prompt when it is dropped.
struct GivesUp(Arc<Asking>);

impl Drop for GivesUp {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

/// One who asks, or waits for the terminal to ask.
#[derive(Default)]
pub(super) struct Asking {
    given_up: Mutex<bool>,
    told: Condvar,
    /// How the terminal was, while it is asked at.
    before: Mutex<Option<Before>>,
}

impl Asking {
    fn before(&self) -> MutexGuard<'_, Option<Before>> {
        lock(&self.before)
    }

    /// Whether no caller waits for the answer any more, after that time at the latest.
    pub(super) fn is_given_up_within(&self, span: Duration) -> bool {
        let given_up = lock(&self.given_up);
        let waited = self.told.wait_timeout_while(given_up, span, |given_up| !*given_up);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Changes the terminal's modes. The change is undone when the prompt ends or is given up.
    ///
    /// # Errors
    /// Returns the error of the change, or an error if the prompt was given up. In the latter case nothing is changed.
    #[cfg(unix)]
    pub(super) fn change(&self, change: impl FnOnce(&mut Before) -> io::Result<()>) -> io::Result<()> {
        self.before().as_mut().map_or_else(|| Err(given_up()), change)
    }

    fn while_alone(&self, ask: impl FnOnce() -> io::Result<String>) -> io::Result<String> {
        let _alone = lock(&ONE_AT_A_TIME);
        if self.is_given_up_within(Duration::ZERO) {
            return Err(given_up());
        }
        *self.before() = Some(Before::default());
        let answer = ask();
        // Before another one asks, for whom it is hidden.
        drop(self.before().take());
        answer
    }

    /// Whoever is given up on while asking has left the terminal as it is for secrets; whoever waits for it has not.
    fn give_up(&self) {
        *lock(&self.given_up) = true;
        self.told.notify_all();
        drop(self.before().take());
    }
}
