//! Prints an error with its causes, for a user.

use std::error::Error as StdError;

use super::chain::each;
use super::clean::clean;
use crate::util::{DEFAULT_COLUMNS, OneLine};

/// Returns the messages of an error and its causes, one line each, for a terminal. A cause that an earlier line contains is left
/// out. The lines contain no user name, query or fragment of a URL, and no control characters.
///
/// ```
/// use reqwest_challenge::{RefreshError, support::error_lines};
///
/// let error = RefreshError::transient(None).caused_by("connection refused: https://auth.example.com/token?code=s3cret");
/// assert_eq!(error_lines(&error)[1], "connection refused: https://auth.example.com/token");
/// ```
#[must_use]
pub fn error_lines(error: &(dyn StdError + 'static)) -> Vec<String> {
    let mut lines = vec![line_of(error)];
    for error in each(error).skip(1) {
        let message = line_of(error);
        let above = lines.last().map_or("", String::as_str);
        let line = message.strip_prefix(above).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&message);
        let plain = line.trim_end_matches(['.', ' ']).to_lowercase();
        if !lines.iter().any(|above| above.to_lowercase().contains(&plain)) {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// The message of an error as one line. The line has space for an error of this crate with all its hints.
fn line_of(error: &(dyn StdError + 'static)) -> String {
    OneLine::with_columns(&clean(&error.to_string()), 4 * DEFAULT_COLUMNS).to_string()
}
