//! The state of one prompt, shared by the task that waits for the answer and the thread that reads it.

use std::io;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use super::cancellation::{Cancellation, cancelled};
use super::saved_modes::SavedModes;
use crate::util::lock;

/// A terminal has one input line: two prompts at once would receive each other's answers.
static ONE_PROMPT: Mutex<()> = Mutex::new(());

/// The state of one prompt.
#[derive(Default)]
pub(super) struct PromptState {
    cancellation: Cancellation,
    /// The modes of the terminal from before the prompt, while it is open.
    saved_modes: Mutex<Option<SavedModes>>,
}

impl PromptState {
    #[cfg(unix)]
    pub(super) fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    fn saved_modes(&self) -> MutexGuard<'_, Option<SavedModes>> {
        lock(&self.saved_modes)
    }

    /// Changes the terminal's modes. The change is undone when the prompt ends or is cancelled.
    ///
    /// # Errors
    /// Returns the error of the change, or an error if the prompt was cancelled. If the prompt was cancelled, nothing
    /// is changed.
    #[cfg(unix)]
    pub(super) fn change_modes(&self, change: impl FnOnce(&mut SavedModes) -> io::Result<()>) -> io::Result<()> {
        self.saved_modes().as_mut().map_or_else(|| Err(cancelled()), change)
    }

    /// Waits until no other prompt of this process is open, and then asks.
    ///
    /// # Errors
    /// Returns the error of `ask`, or an error if the prompt was cancelled while it waited.
    pub(super) fn run(&self, ask: impl FnOnce() -> io::Result<String>) -> io::Result<String> {
        let _only = lock(&ONE_PROMPT);
        if self.cancellation.is_cancelled_within(Duration::ZERO) {
            return Err(cancelled());
        }
        *self.saved_modes() = Some(SavedModes::default());
        let answer = ask();
        // Restores the modes before the next prompt saves them.
        drop(self.saved_modes().take());
        answer
    }

    /// Cancels the prompt. If it is open, this restores the modes of the terminal.
    pub(super) fn cancel(&self) {
        self.cancellation.cancel();
        drop(self.saved_modes().take());
    }
}
