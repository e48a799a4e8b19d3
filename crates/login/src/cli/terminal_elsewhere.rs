//! Reads a line of a terminal that is none of Unix: such a read ends when somebody ends the line, also where it is given up.

use std::io;

use super::prompt::Asking;

pub(super) fn ask(question: &str, hidden: bool, _asking: &Asking) -> io::Result<String> {
    let answer = if hidden {
        dialoguer::Password::new().with_prompt(question).interact()
    } else {
        dialoguer::Input::<String>::new().with_prompt(question).interact_text()
    };
    answer.map_err(|dialoguer::Error::IO(error)| error)
}

/// The system's console is as it was when a read ends.
#[derive(Default)]
pub(super) struct Before;
