//! The outcome of a command: an exit code for scripts, a few lines for users.

use std::error::Error;
use std::fmt::Write;

use http::StatusCode;
use reqwest_challenge::support::{error_lines, find_error, is_transient_error};
use reqwest_challenge::{
    DeniedReason, Forbidden, RefreshError, RefreshErrorKind, SessionEnded, StepUpError, StepUpKind, Unauthorized,
    UnauthorizedReason,
};

const OTHER_FAILURE: u8 = 1;
const LOGIN_REQUIRED: u8 = 4;
const FORBIDDEN: u8 = 5;
/// A later attempt may succeed.
const TEMPORARY_FAILURE: u8 = 6;

/// The exit code for an error.
///
/// | code | what it means |
/// |---|---|
/// | 1 | any other failure, such as a client that the server does not know; a login does not help |
/// | 4 | a login is required: the server asks for one and the user could not be asked, or the held credential was refused |
/// | 5 | forbidden: logged in, but not allowed |
/// | 6 | the network or a server failed; a later attempt may succeed |
///
/// By convention, 0 means success and 2 an invalid command line. The code follows from the types of the error and of its
/// sources, never from their text.
///
/// ```
/// use reqwest_challenge::RefreshError;
/// use reqwest_challenge_login::cli::exit_code;
///
/// assert_eq!(exit_code(&RefreshError::login_required("run `tool login`")), 4);
/// assert_eq!(exit_code(&RefreshError::transient(None)), 6);
/// ```
#[must_use]
pub fn exit_code(error: &(dyn Error + 'static)) -> u8 {
    if let Some(refresh) = RefreshError::find(error) {
        return code_of_refresh(refresh);
    }
    if let Some(unauthorized) = Unauthorized::find(error) {
        return code_of_unauthorized(unauthorized.reason());
    }
    if let Some(forbidden) = Forbidden::find(error) {
        // A refusal by another server says nothing about the API.
        return if forbidden.is_foreign() { OTHER_FAILURE } else { FORBIDDEN };
    }
    if let Some(ended) = SessionEnded::find(error) {
        return if ended.is_logged_out() { LOGIN_REQUIRED } else { OTHER_FAILURE };
    }
    if let Some(step_up) = StepUpError::find(error) {
        return match step_up.kind() {
            StepUpKind::NoScopes | StepUpKind::GrantedAndRefused | StepUpKind::NotGranted => FORBIDDEN,
            _ => OTHER_FAILURE,
        };
    }
    code_of_network(error)
}

fn code_of_refresh(error: &RefreshError) -> u8 {
    match error.kind() {
        RefreshErrorKind::LoginRequired { .. } | RefreshErrorKind::CredentialRevoked { .. } => LOGIN_REQUIRED,
        RefreshErrorKind::Denied { reason, .. } => code_of_denied(*reason),
        RefreshErrorKind::Transient { .. } | RefreshErrorKind::TimedOut => TEMPORARY_FAILURE,
        _ => code_of_network(error),
    }
}

/// The exit code for a refusal of a credential: whether a login helps, or whether the failure is temporary.
fn code_of_denied(reason: DeniedReason) -> u8 {
    match reason {
        DeniedReason::AccessDenied | DeniedReason::LoginExpired | DeniedReason::InteractionRequired => LOGIN_REQUIRED,
        DeniedReason::ServerUnavailable => TEMPORARY_FAILURE,
        _ => OTHER_FAILURE,
    }
}

/// A login does not help if a new credential is already held, or if another server refused the request.
fn code_of_unauthorized(reason: UnauthorizedReason) -> u8 {
    match reason {
        UnauthorizedReason::Declined
        | UnauthorizedReason::StillRejected
        | UnauthorizedReason::LoggedOut
        | UnauthorizedReason::CallerCredential
        | UnauthorizedReason::NoRetry
        | UnauthorizedReason::BudgetExhausted
        | UnauthorizedReason::RefreshFailed => LOGIN_REQUIRED,
        _ => OTHER_FAILURE,
    }
}

/// Describes an error, its causes, and the remedy: the command that logs in, or the variable to set.
///
/// `command` is the command that logs in, such as `tool login`. `variable` is the environment variable of
/// [`EnvToken`](crate::cli::EnvToken), if the tool reads one.
///
/// Returns a few lines for standard error, without a newline at the end. They contain no secret, and no line repeats
/// another.
///
/// ```
/// use reqwest_challenge::RefreshError;
/// use reqwest_challenge_login::cli::explain;
///
/// let error = RefreshError::login_required("run `tool login`");
/// let text = explain(&error, "tool login", Some("TOOL_TOKEN"));
/// assert!(text.starts_with("error: a login is required: run `tool login`"));
/// assert!(text.ends_with("help: you can also set TOOL_TOKEN to a token"));
/// ```
#[must_use]
pub fn explain(error: &(dyn Error + 'static), command: &str, variable: Option<&str>) -> String {
    let mut text = format!("error: {}", error_lines(error).join("\n  caused by: "));
    // The error already prints its hint, so a remedy that the hint names is not printed again.
    let hint = match RefreshError::find(error).map(RefreshError::kind) {
        Some(RefreshErrorKind::LoginRequired { hint }) => hint.as_str(),
        _ => "",
    };
    let names_command = hint.contains(&format!("`{command}`"));
    let unnamed = variable.filter(|name| !hint.contains(*name));
    match exit_code(error) {
        LOGIN_REQUIRED if variable.is_some() && unnamed.is_none() => {}
        LOGIN_REQUIRED => {
            let help = match (names_command, unnamed) {
                (true, None) => return text,
                (true, Some(name)) => format!("you can also set {name} to a token"),
                (false, None) => format!("run `{command}`"),
                (false, Some(name)) => format!("run `{command}`, or set {name} to a token"),
            };
            let _ = write!(text, "\n  help: {help}");
        }
        TEMPORARY_FAILURE => text.push_str("\n  help: nothing is wrong with the login; try again later"),
        _ => {}
    }
    text
}

/// A network failure is temporary. A received response and a redirect loop are not network failures.
fn code_of_network(error: &(dyn Error + 'static)) -> u8 {
    match find_error::<reqwest::Error>(error).and_then(reqwest::Error::status) {
        // A refusal that `pass_through` returned as a response.
        Some(StatusCode::UNAUTHORIZED) => LOGIN_REQUIRED,
        Some(StatusCode::FORBIDDEN) => FORBIDDEN,
        _ if is_transient_error(error) => TEMPORARY_FAILURE,
        _ => OTHER_FAILURE,
    }
}
