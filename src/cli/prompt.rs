//! Asks for a secret on the terminal, for a bounded time.

use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::refresh::{RefreshError, Rejection, abandoned, nobody_waits};
use crate::secret::Secret;
use crate::within::{unless, within};

/// How long a person has to type or paste.
pub(super) const LONGEST: Duration = Duration::from_secs(5 * 60);

/// Asks a question, and says whether what is typed is hidden.
pub(super) type Ask = Arc<dyn Fn(&str, bool) -> io::Result<String> + Send + Sync>;

/// A terminal has one line for what is typed: two that asked at once would get each other's answers.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// How long a line of a terminal may be: what is beyond that it throws away.
const LINE: usize = 4095;

/// Standard error shows the question; standard input gives the answer.
pub(super) fn on_terminal(question: &str, hidden: bool) -> io::Result<String> {
    let answer = if hidden {
        dialoguer::Password::new().with_prompt(question).interact()
    } else {
        dialoguer::Input::<String>::new().with_prompt(question).interact_text()
    };
    let answer = answer.map_err(|dialoguer::Error::IO(error)| error)?;
    if answer.len() >= LINE {
        return Err(io::Error::other("a terminal takes no line of 4095 octets or more: what was typed was cut"));
    }
    Ok(answer)
}

/// Asks without showing what is typed.
pub(super) async fn secret(for_whom: &Rejection, ask: &Ask, question: String) -> Result<Secret, RefreshError> {
    asked(for_whom, ask, question, true).await.map(Secret::new)
}

/// Asks for a line, which is shown.
pub(super) async fn line(for_whom: &Rejection, ask: &Ask, question: String) -> Result<String, RefreshError> {
    asked(for_whom, ask, question, false).await
}

async fn asked(for_whom: &Rejection, ask: &Ask, question: String, hidden: bool) -> Result<String, RefreshError> {
    let (ask, asking) = (ask.clone(), Arc::new(Asking::default()));
    let asked = asking.clone();
    let asked = tokio::task::spawn_blocking(move || asked.while_alone(|| ask(&question, hidden)));
    let answer = async { within(LONGEST, pin!(asked)).await };
    let answer = unless(pin!(abandoned(Some(for_whom))), pin!(answer)).await;
    asking.give_up();
    match answer {
        Ok(Some(Ok(Ok(text)))) => Ok(text),
        Ok(Some(Ok(Err(error)))) => {
            Err(RefreshError::login_required("type it at a terminal").caused_by(error.to_string()))
        }
        Ok(Some(Err(_))) => Err(RefreshError::other("the prompt failed")),
        Ok(None) => Err(RefreshError::refused("login_timed_out").caused_by("nobody answered the prompt in time")),
        Err(()) => Err(nobody_waits()),
    }
}

/// One who asks, or waits for the terminal to ask.
#[derive(Default)]
struct Asking {
    given_up: AtomicBool,
    /// How the terminal was, while it is asked at.
    echo: Mutex<Option<Echo>>,
}

impl Asking {
    fn echo(&self) -> MutexGuard<'_, Option<Echo>> {
        self.echo.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn while_alone(&self, ask: impl FnOnce() -> io::Result<String>) -> io::Result<String> {
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        if self.given_up.load(Ordering::SeqCst) {
            return Err(io::Error::other("nobody waits for the answer"));
        }
        *self.echo() = Some(Echo::kept());
        let answer = ask();
        // Before another one asks, for whom it is hidden.
        drop(self.echo().take());
        answer
    }

    /// Whoever is given up on while asking has left the terminal as it is for secrets; whoever waits for it has not.
    fn give_up(&self) {
        self.given_up.store(true, Ordering::SeqCst);
        drop(self.echo().take());
    }
}

/// How the terminal was, so that it is so again.
#[cfg(unix)]
struct Echo(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl Echo {
    fn kept() -> Self {
        Self(rustix::termios::tcgetattr(std::io::stdin()).ok())
    }
}

#[cfg(unix)]
impl Drop for Echo {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, before);
        }
    }
}

#[cfg(not(unix))]
struct Echo;

#[cfg(not(unix))]
impl Echo {
    fn kept() -> Self {
        Self
    }
}
