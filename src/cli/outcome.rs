//! The outcome of a command: an exit code for scripts, a few lines for users.

use std::fmt::Write;

use http::StatusCode;

use crate::chain;
use crate::challenge::{FEW_LINES, Printed};
use crate::error::{Error, Findable, Forbidden, Reason, SessionEnded, StepUpError, StepUpKind, Unauthorized, first};
use crate::refresh::{RefreshError, RefreshErrorKind, is_passing};

const OTHER: u8 = 1;
const LOGIN: u8 = 4;
const FORBIDDEN: u8 = 5;
/// A later attempt may succeed.
const PASSES: u8 = 6;

/// The exit code for an error.
///
/// | code | what it means |
/// |---|---|
/// | 1 | any other failure, such as a client that the server does not know; a login does not help |
/// | 4 | a login is required: the server asks for one and the user could not be asked, or the held credential was refused |
/// | 5 | forbidden: logged in, but not allowed |
/// | 6 | the network or a server failed; a later attempt may succeed |
///
/// By convention, 0 means success and 2 an invalid command line.
#[must_use]
pub fn exit_code<Way>(error: &(impl Findable<Way> + ?Sized)) -> u8 {
    if let Some(refresh) = RefreshError::find(error) {
        return of_refresh(refresh);
    }
    if let Some(refused) = Unauthorized::find(error) {
        return of_reason(refused.reason());
    }
    if let Some(denied) = Forbidden::find(error) {
        // A refusal by another server says nothing about the API.
        return if denied.is_foreign() { OTHER } else { FORBIDDEN };
    }
    let top = first(error);
    if let Some(ended) = chain::find::<SessionEnded>(top) {
        return if ended.is_logged_out() { LOGIN } else { OTHER };
    }
    if let Some(step_up) = chain::find::<StepUpError>(top) {
        return match step_up.kind() {
            StepUpKind::NoScopes | StepUpKind::GrantedAndRefused | StepUpKind::NotGranted => FORBIDDEN,
            StepUpKind::Foreign | StepUpKind::EarlierLogin => OTHER,
        };
    }
    // Without a response, the network failed.
    of_network(top)
}

fn of_refresh(error: &RefreshError) -> u8 {
    match error.kind() {
        RefreshErrorKind::LoginRequired { .. } | RefreshErrorKind::Rejected { .. } => LOGIN,
        RefreshErrorKind::Refused { code } => of_code(code),
        RefreshErrorKind::Transient { .. } | RefreshErrorKind::TimedOut => PASSES,
        _ => of_network(error),
    }
}

/// The exit code for an error code: whether a login helps, or whether the failure is temporary (RFC 6749 §4.1.2.1,
/// OpenID Connect Core §3.1.2.6).
fn of_code(code: &str) -> u8 {
    match code {
        "access_denied" | "expired_token" | "login_timed_out" | "invalid_grant" => LOGIN,
        "interaction_required" | "login_required" | "consent_required" | "account_selection_required" => LOGIN,
        "temporarily_unavailable" | "server_error" => PASSES,
        _ => OTHER,
    }
}

/// A login does not help if a new credential is already held, or if another server refused the request.
fn of_reason(reason: Reason) -> u8 {
    match reason {
        Reason::Declined
        | Reason::StillRejected
        | Reason::LoggedOut
        | Reason::CallerCredential
        | Reason::NoRetry
        | Reason::BudgetExhausted
        | Reason::RefreshFailed => LOGIN,
        Reason::NotReplayable | Reason::Redirected | Reason::ForeignOrigin | Reason::SessionChanged => OTHER,
    }
}

/// Describes an error, its causes, and the remedy: the command that logs in, or the variable to set.
///
/// Returns a few lines for standard error, without a newline at the end. They contain no secret, and no line repeats
/// another.
#[must_use]
pub fn explain<Way>(error: &(impl Findable<Way> + ?Sized), command: &str, variable: Option<&str>) -> String {
    let top = first(error);
    // A query may be secret, and the network error prints the whole URL.
    let said = |error: &(dyn std::error::Error + 'static)| printed(&chain::clean(&whole(error)));
    let mut text = format!("error: {}", chain::lines(top, said).join("\n  caused by: "));
    // The remedy is printed once. An error that already names it takes precedence.
    let names_command = text.contains(&format!("`{command}`"));
    let unnamed = variable.filter(|name| !text.contains(*name));
    match exit_code(error) {
        LOGIN if variable.is_some() && unnamed.is_none() => {}
        LOGIN => {
            let help = match (names_command, unnamed) {
                (true, None) => return text,
                (true, Some(name)) => format!("a token in {name} does it, too"),
                (false, None) => format!("run `{command}`"),
                (false, Some(name)) => format!("run `{command}`, or set {name} to a token"),
            };
            let _ = write!(text, "\n  help: {help}");
        }
        PASSES => text.push_str("\n  help: nothing is wrong with the login; try again later"),
        _ => {}
    }
    text
}

/// A network failure is temporary. A received response and a redirect loop are not network failures.
fn of_network(error: &(dyn std::error::Error + 'static)) -> u8 {
    match chain::find::<reqwest::Error>(error).and_then(reqwest::Error::status) {
        // A refusal that `pass_through` returned as a response.
        Some(StatusCode::UNAUTHORIZED) => LOGIN,
        Some(StatusCode::FORBIDDEN) => FORBIDDEN,
        _ if is_passing(error) => PASSES,
        _ => OTHER,
    }
}

/// The whole line of an error. The `Display` of an `Error` of this crate is only its kind, because the error that holds
/// it prints the line.
fn whole(error: &(dyn std::error::Error + 'static)) -> String {
    struct Line<'e>(&'e Error);
    impl std::fmt::Display for Line<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.line(f)
        }
    }
    error.downcast_ref::<Error>().map_or_else(|| error.to_string(), |ours| Line(ours).to_string())
}

/// One line, as long as an error of ours with all its hints may be.
fn printed(text: &str) -> String {
    Printed(text, 4 * FEW_LINES).to_string()
}
