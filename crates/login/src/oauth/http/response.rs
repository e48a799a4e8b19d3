//! The response of an authorization server, and what its errors mean (RFC 6749 §5.2).

use std::time::SystemTime;

use http::StatusCode;
use http::header::{HeaderMap, RETRY_AFTER};
use url::Url;
use zeroize::Zeroizing;

use super::error_codes::{Meaning, is_known};
use super::error_response::{ErrorResponse, is_something};
use super::form::Form;
use super::members;
use crate::secret_json::SecretJson;
use reqwest_challenge::RefreshError;
use reqwest_challenge::support::{OneLine, is_transient_status, retry_after};

/// A response whose body has been read.
pub(in crate::oauth) struct ServerResponse {
    pub(in crate::oauth) status: StatusCode,
    pub(in crate::oauth) headers: HeaderMap,
    pub(in crate::oauth) url: Url,
    pub(in crate::oauth) body: Zeroizing<Vec<u8>>,
    /// When it arrived.
    pub(in crate::oauth) received: SystemTime,
}

impl ServerResponse {
    /// The members of the JSON object or form in the body.
    pub(in crate::oauth) fn members(&self) -> Option<SecretJson> {
        members::of_body(&self.body)
    }

    /// The members of a metadata document. `None` if the status is not 200.
    pub(in crate::oauth) fn document(&self) -> Option<SecretJson> {
        (self.status == StatusCode::OK).then(|| self.members()).flatten()
    }

    /// Whether the connection was cut before the end of the JSON object.
    pub(in crate::oauth) fn is_cut(&self) -> bool {
        SecretJson::is_begun_by(&self.body)
    }

    /// The code of the error in the response.
    pub(in crate::oauth) fn error_code(&self) -> Option<String> {
        self.error_response().code().map(str::to_owned)
    }

    /// The text of the error in the response, as one line without the secrets that were sent.
    pub(in crate::oauth) fn error_text(&self, sent: &Form) -> Option<String> {
        self.error_response().text.map(|text| one_line(&sent.mask(text)))
    }

    /// Whether the response is an error: by its status, or by its content, because some servers send every error with a
    /// success status.
    pub(in crate::oauth) fn is_error(&self) -> bool {
        if !self.status.is_success() {
            return true;
        }
        let Some(members) = self.members() else { return false };
        let has_result = ["access_token", "device_code", "client_id"].iter().any(|name| members.text(name).is_some());
        let has_error = members.value("error").is_some_and(is_something);
        has_error || !has_result && ErrorResponse::of(&members).is_reported
    }

    /// Whether the response has no access token but a code or a text, in the server's own format.
    pub(in crate::oauth) fn is_error_without_token(&self) -> bool {
        let Some(members) = self.members() else { return false };
        let error = ErrorResponse::of(&members);
        members.text("access_token").is_none() && (error.code().is_some() || error.text.is_some())
    }

    /// Whether the server asks for a proof with the nonce in this response (RFC 9449 §8).
    pub(in crate::oauth) fn wants_nonce(&self) -> bool {
        self.headers.contains_key("dpop-nonce")
            && self.status.is_client_error()
            && self.error_code().as_deref() == Some("use_dpop_nonce")
    }

    /// The error for the caller. `invalid_grant` ends the grant, other final codes are a refusal, and everything else is
    /// temporary. The page of a proxy or of a captive portal has no code, so it is temporary too.
    pub(in crate::oauth) fn to_error(&self, endpoint: &str, sent: &Form) -> RefreshError {
        let error = self.error_response();
        let line = |code: Option<&str>| self.line(endpoint, code, error.text.as_deref(), sent);
        if self.is_temporary(&error) {
            return self.transient().caused_by(line(error.code()));
        }
        if let Some(code) = error.find(Meaning::LoginRequired) {
            return RefreshError::denied(code).caused_by(line(None));
        }
        if let Some(code) = error.find(Meaning::InvalidGrant) {
            return RefreshError::credential_revoked(code).caused_by(line(None));
        }
        match error.find(Meaning::Refused).or(error.code()) {
            Some(code) => RefreshError::denied(masked_code(code, sent)).caused_by(line(None)),
            None => self.transient().caused_by(line(None)),
        }
    }

    /// The error of a renewal. It revokes the credential only if the code is about the refresh token. Another final refusal
    /// requires a login, unless the code refuses the client; `hint` says how to log in.
    pub(in crate::oauth) fn to_renewal_error(&self, endpoint: &str, sent: &Form, hint: &str) -> RefreshError {
        let error = self.error_response();
        if error.find(Meaning::LoginRequired).is_none() && !self.is_temporary(&error) {
            let line = |code| self.line(endpoint, code, error.text.as_deref(), sent);
            if let Some(code) = error.refresh_token_code() {
                return RefreshError::credential_revoked(masked_code(code, sent)).caused_by(line(None));
            }
            let is_final = self.status.is_client_error() || self.status.is_success();
            if is_final && error.find(Meaning::Refused).is_none() {
                return RefreshError::login_required(hint).caused_by(line(error.code()));
            }
        }
        self.to_error(endpoint, sent)
    }

    fn transient(&self) -> RefreshError {
        RefreshError::transient(retry_after(&self.headers, self.received))
    }

    fn error_response(&self) -> ErrorResponse {
        let Some(members) = self.members().or_else(|| members::of_error_list(&self.body)) else {
            return ErrorResponse::of_text(&Zeroizing::new(String::from_utf8_lossy(&self.body).into_owned()));
        };
        let mut error = ErrorResponse::of(&members);
        // A code that only repeats the HTTP status says nothing more.
        error.codes.retain(|code| code != self.status.as_str());
        error
    }

    /// Whether the same request may succeed later.
    fn is_temporary(&self, error: &ErrorResponse) -> bool {
        // A proxy that asks for credentials, or a request that came too early.
        let is_temporary_here = matches!(self.status.as_u16(), 407 | 425);
        let asks_for_time = error.codes.is_empty() && self.headers.contains_key(RETRY_AFTER);
        is_transient_status(self.status)
            || is_temporary_here
            || asks_for_time
            || error.find(Meaning::Temporary).is_some()
    }

    /// The response as one line for a terminal.
    fn line(&self, endpoint: &str, code: Option<&str>, text: Option<&str>, sent: &Form) -> String {
        let mut line = format!("{endpoint} says {}", self.status.as_u16());
        for text in [code, text].into_iter().flatten() {
            line += &format!(": {}", one_line(&sent.mask(text.to_owned())));
        }
        line
    }
}

/// The code without the secrets that were sent. A known code is not masked, because a secret that equals it is not revealed
/// by it.
fn masked_code(code: &str, sent: &Form) -> String {
    if is_known(code) { code.to_owned() } else { sent.mask(code.to_owned()) }
}

/// A server's text for a terminal: one line of limited length.
pub(in crate::oauth) fn one_line(text: &str) -> String {
    OneLine::new(text).to_string()
}
