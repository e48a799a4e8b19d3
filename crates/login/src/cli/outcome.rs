//! The outcome of a command: an exit code for scripts, a few lines for users.

use reqwest_challenge::DeniedReason;
use reqwest_challenge::support::find_error;
use std::fmt::Write;

use http::StatusCode;

use reqwest_challenge::{Forbidden, SessionEnded, StepUpError, StepUpKind, Unauthorized, UnauthorizedReason};

use reqwest_challenge::support::{error_lines, is_transient_error};
use reqwest_challenge::{RefreshError, RefreshErrorKind};

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
pub fn exit_code(error: &(dyn std::error::Error + 'static)) -> u8 {
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
    if let Some(ended) = SessionEnded::find(error) {
        return if ended.is_logged_out() { LOGIN } else { OTHER };
    }
    if let Some(step_up) = StepUpError::find(error) {
        return match step_up.kind() {
            StepUpKind::NoScopes | StepUpKind::GrantedAndRefused | StepUpKind::NotGranted => FORBIDDEN,
            _ => OTHER,
        };
    }
    // Without a response, the network failed.
    of_network(error)
}

fn of_refresh(error: &RefreshError) -> u8 {
    match error.kind() {
        RefreshErrorKind::LoginRequired { .. } | RefreshErrorKind::CredentialRevoked { .. } => LOGIN,
        RefreshErrorKind::Denied { reason, .. } => of_denied(*reason),
        RefreshErrorKind::Transient { .. } | RefreshErrorKind::TimedOut => PASSES,
        _ => of_network(error),
    }
}

/// The exit code for a refusal of a credential: whether a login helps, or whether the failure is temporary.
fn of_denied(reason: DeniedReason) -> u8 {
    match reason {
        DeniedReason::AccessDenied | DeniedReason::LoginExpired | DeniedReason::InteractionRequired => LOGIN,
        DeniedReason::ServerUnavailable => PASSES,
        _ => OTHER,
    }
}

/// A login does not help if a new credential is already held, or if another server refused the request.
fn of_reason(reason: UnauthorizedReason) -> u8 {
    match reason {
        UnauthorizedReason::Declined
        | UnauthorizedReason::StillRejected
        | UnauthorizedReason::LoggedOut
        | UnauthorizedReason::CallerCredential
        | UnauthorizedReason::NoRetry
        | UnauthorizedReason::BudgetExhausted
        | UnauthorizedReason::RefreshFailed => LOGIN,
        _ => OTHER,
    }
}

/// Describes an error, its causes, and the remedy: the command that logs in, or the variable to set.
///
/// Returns a few lines for standard error, without a newline at the end. They contain no secret, and no line repeats
/// another.
#[must_use]
pub fn explain(error: &(dyn std::error::Error + 'static), command: &str, variable: Option<&str>) -> String {
    let mut text = format!("error: {}", error_lines(error).join("\n  caused by: "));
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
    match find_error::<reqwest::Error>(error).and_then(reqwest::Error::status) {
        // A refusal that `pass_through` returned as a response.
        Some(StatusCode::UNAUTHORIZED) => LOGIN,
        Some(StatusCode::FORBIDDEN) => FORBIDDEN,
        _ if is_transient_error(error) => PASSES,
        _ => OTHER,
    }
}
