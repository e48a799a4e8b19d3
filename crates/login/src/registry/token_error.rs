//! The error of a token server that issues no token.

use std::time::SystemTime;

use http::StatusCode;
use http::header::HeaderMap;
use serde_json::Value;

use super::account::Account;
use crate::secret_json::SecretJson;
use reqwest_challenge::RefreshError;
use reqwest_challenge::support::{OneLine, is_transient_status, retry_after};

/// A response without a token.
pub(super) struct Refusal<'r> {
    pub(super) status: StatusCode,
    pub(super) headers: &'r HeaderMap,
    pub(super) body: &'r [u8],
}

/// Codes that are about the request or the client, and not about the account.
const REQUEST_CODES: [&str; 7] = [
    "access_denied",
    "invalid_client",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
];

/// The error for a response without a token. If its status is temporary, so is the error. Otherwise its OAuth code
/// decides (RFC 6749 §5.2), or its status if it has no code. The server's text is attached.
pub(super) fn of(refusal: &Refusal<'_>, account: &Account, now: SystemTime) -> RefreshError {
    let Refusal { status, headers, body } = *refusal;
    let members = SecretJson::of(body).unwrap_or_default();
    let code = members.value("error").and_then(Value::as_str).filter(|code| is_code(code));
    let refuses_account = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    let error = match code {
        _ if is_transient_status(status) => RefreshError::transient(retry_after(headers, now)),
        Some("temporarily_unavailable" | "server_error" | "slow_down") => {
            RefreshError::transient(retry_after(headers, now))
        }
        Some("invalid_grant") => RefreshError::credential_revoked("invalid_grant"),
        Some(code) if REQUEST_CODES.contains(&code) => RefreshError::denied(code),
        _ if refuses_account => RefreshError::credential_revoked("unauthorized"),
        Some(code) => RefreshError::denied(account.mask(code.to_owned())),
        None => RefreshError::denied("token_server"),
    };
    let redirects = if status.is_redirection() { " and redirects to another URL" } else { "" };
    let mut line = format!("the token server says {}{redirects}", status.as_u16());
    if let Some(text) = text(&members) {
        line += &format!(": {}", OneLine::new(&account.mask(text)));
    }
    error.caused_by(line)
}

/// The members that contain a text: in OAuth, in the distribution specification, at Docker Hub.
const TEXTS: [&str; 4] = ["error_description", "message", "details", "detail"];

/// The text of the server: at the top level, in the first element of `errors`, or in `error`.
fn text(members: &SecretJson) -> Option<String> {
    let texts = |value: &Value| TEXTS.iter().find_map(|name| non_empty(value.get(name)?));
    let first = || {
        let first = members.value("errors")?.as_array()?.first()?;
        let code = first.get("code").and_then(non_empty);
        match (code, texts(first)) {
            (Some(code), Some(text)) => Some(format!("{code}: {text}")),
            (code, text) => text.or(code).or_else(|| non_empty(first)),
        }
    };
    let error = || members.value("error").and_then(|error| texts(error).or_else(|| non_empty(error)));
    TEXTS.iter().find_map(|name| non_empty(members.value(name)?)).or_else(first).or_else(error)
}

/// Whether a response without a token contains an error.
pub(super) fn is_error(members: &SecretJson) -> bool {
    members.value("error").is_some() || text(members).is_some()
}

fn non_empty(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// `%x21 / %x23-5B / %x5D-7E` (RFC 6749 §5.2, without the space), and short.
fn is_code(code: &str) -> bool {
    !code.is_empty() && code.len() <= 64 && code.bytes().all(|octet| matches!(octet, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}
