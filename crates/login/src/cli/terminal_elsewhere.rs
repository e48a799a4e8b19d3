//! Reads a line of a console that is not a Unix terminal. Such a read ends only when the user ends the line, also if the
//! prompt is cancelled.

use std::io;

use super::prompt_state::PromptState;

pub(super) fn ask(question: &str, is_secret: bool, _state: &PromptState) -> io::Result<String> {
    let answer = if is_secret {
        dialoguer::Password::new().with_prompt(question).interact()
    } else {
        dialoguer::Input::<String>::new().with_prompt(question).interact_text()
    };
    answer.map_err(|dialoguer::Error::IO(error)| error)
}
