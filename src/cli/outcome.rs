//! How a command ended, for whoever reads it: a number for scripts, a few lines for people.

use std::fmt::Write;

use crate::chain;
use crate::challenge::{FEW_LINES, Printed};
use crate::error::{Error, Findable, first};
use crate::refresh::{RefreshError, RefreshErrorKind, is_passing};

/// The exit code for an error.
///
/// | code | what it means |
/// |---|---|
/// | 1 | anything that is none of the following, such as a client that the server does not know: no login mends that |
/// | 4 | a login is required: the server wants one, and nobody could be asked, or what there is was refused |
/// | 5 | forbidden: logged in, and not allowed |
/// | 6 | the network, or a server, fails; it may go well later |
///
/// 0 is for success, and 2 for a command line that is none, as everywhere.
#[must_use]
pub fn exit_code<Way>(error: &(impl Findable<Way> + ?Sized)) -> u8 {
    if let Some(refresh) = RefreshError::find(error) {
        return match refresh.kind() {
            RefreshErrorKind::Refused { .. } if is_final(refresh) => 1,
            RefreshErrorKind::LoginRequired { .. }
            | RefreshErrorKind::Rejected { .. }
            | RefreshErrorKind::Refused { .. } => 4,
            RefreshErrorKind::Transient { .. } | RefreshErrorKind::TimedOut => 6,
            _ => of_network(refresh),
        };
    }
    match Error::find(error) {
        Some(Error::Forbidden(_)) => 5,
        Some(Error::Unauthorized(_) | Error::Ended(_)) => 4,
        // What is no answer at all is the network's.
        Some(_) | None => of_network(first(error)),
    }
}

/// The reason of an error, what caused it, and what helps: the command that logs in, or the variable to set.
///
/// It is some lines for standard error, without a newline at their end; no secret is in them.
#[must_use]
pub fn explain<Way>(error: &(impl Findable<Way> + ?Sized), command: &str, variable: Option<&str>) -> String {
    let top = first(error);
    // A query may be secret, and the network's error shows the whole of it.
    let said = |error: &dyn std::error::Error| printed(&chain::clean(&error.to_string()));
    let mut text = format!("error: {}", said(top));
    let mut next = chain::cause(top);
    while let Some(cause) = next {
        let line = said(cause);
        // What the line above has said already is not said again.
        if !text.contains(&line) && line != "unauthorized" && line != "forbidden" {
            let _ = write!(text, "\n  caused by: {line}");
        }
        next = chain::cause(cause);
    }
    // What helps is said once, by whoever knows it best.
    let names_command = text.contains(&format!("`{command}`"));
    let unnamed = variable.filter(|name| !text.contains(*name));
    match exit_code(error) {
        4 if variable.is_some() && unnamed.is_none() => {}
        4 => {
            let help = match (names_command, unnamed) {
                (true, None) => return text,
                (true, Some(name)) => format!("a token in {name} does it, too"),
                (false, None) => format!("run `{command}`"),
                (false, Some(name)) => format!("run `{command}`, or set {name} to a token"),
            };
            let _ = write!(text, "\n  help: {help}");
        }
        6 => text.push_str("\n  help: nothing is wrong with the login; try again later"),
        _ => {}
    }
    text
}

/// A network's failure may pass; an answer that is one, or a circle of redirects, is none.
fn of_network(error: &(dyn std::error::Error + 'static)) -> u8 {
    if is_passing(error) { 6 } else { 1 }
}

/// Whether it is a no that another login does not turn into a yes.
fn is_final(error: &RefreshError) -> bool {
    let RefreshErrorKind::Refused { code } = error.kind() else { return false };
    !matches!(code.as_str(), "access_denied" | "expired_token" | "login_timed_out" | "invalid_grant")
}

/// One line, as long as an error of ours with all its hints may be.
fn printed(text: &str) -> String {
    Printed(text, 4 * FEW_LINES).to_string()
}
