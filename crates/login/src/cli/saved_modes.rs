//! The modes of a terminal from before a prompt.

use std::fs::File;
use std::io;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use super::foreground::is_foreground;

/// The modes of a terminal from before a prompt. Dropping the value restores them.
#[derive(Default)]
pub(super) struct SavedModes(Option<TerminalModes>);

struct TerminalModes {
    terminal: File,
    modes: Termios,
}

impl SavedModes {
    /// Saves the modes of this terminal.
    pub(super) fn save(&mut self, terminal: &File) -> io::Result<()> {
        self.0 = Some(TerminalModes { terminal: terminal.try_clone()?, modes: tcgetattr(terminal)? });
        Ok(())
    }

    /// Restores the saved modes if this process is in the foreground. A shell in the foreground has set its own modes.
    pub(super) fn restore(&self) -> io::Result<()> {
        match &self.0 {
            // Discards a partly typed secret, so that the next reader does not get it.
            Some(saved) if is_foreground(&saved.terminal) => {
                Ok(tcsetattr(&saved.terminal, OptionalActions::Flush, &saved.modes)?)
            }
            _ => Ok(()),
        }
    }
}

impl Drop for SavedModes {
    fn drop(&mut self) {
        // A terminal that no longer exists needs no restoring.
        let _ = self.restore();
    }
}
