//! Asks the user on the terminal, for a bounded time.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest_challenge::{DeniedReason, RefreshContext, RefreshError, Secret};

use super::prompt_state::PromptState;
use crate::util::{abandoned, unless};

/// How long the user has to answer.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Asks a question, and returns the answer. The second argument says whether the answer is a secret, which is not shown. Ends
/// early if the prompt is cancelled.
pub(super) type Ask = Arc<dyn Fn(&str, bool, &PromptState) -> io::Result<String> + Send + Sync>;

/// Asks for a secret, which is not shown.
pub(super) async fn secret(context: &RefreshContext, ask: &Ask, question: String) -> Result<Secret, RefreshError> {
    answer(context, ask, question, true).await.map(Secret::new)
}

/// Asks for a line, which is shown.
pub(super) async fn line(context: &RefreshContext, ask: &Ask, question: String) -> Result<String, RefreshError> {
    answer(context, ask, question, false).await
}

async fn answer(
    context: &RefreshContext,
    ask: &Ask,
    question: String,
    is_secret: bool,
) -> Result<String, RefreshError> {
    let (ask, state) = (ask.clone(), Arc::new(PromptState::default()));
    // Dropping the future that waits for a prompt ends the prompt, also when its runtime shuts down.
    let cancel_on_drop = CancelOnDrop(state.clone());
    let reading = tokio::task::spawn_blocking(move || state.run(|| ask(&question, is_secret, &state)));
    let answer = async { tokio::time::timeout(ANSWER_TIMEOUT, reading).await.ok() };
    let answer = unless(pin!(context.abandoned()), pin!(answer)).await;
    drop(cancel_on_drop);
    match answer {
        Ok(Some(Ok(Ok(text)))) => Ok(text),
        Ok(Some(Ok(Err(error)))) => {
            Err(RefreshError::login_required("answer the prompt at a terminal").caused_by(error.to_string()))
        }
        Ok(Some(Err(_))) => Err(RefreshError::other("the prompt failed")),
        Ok(None) => Err(RefreshError::denied_because(DeniedReason::LoginExpired, "login_timed_out")
            .caused_by("the user did not answer the prompt in time")),
        Err(()) => Err(abandoned()),
    }
}

struct CancelOnDrop(Arc<PromptState>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
