//! What an authorization server answered, and the one place that reads its errors (RFC 6749 §5.2).

use http::StatusCode;
use http::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;
use std::time::SystemTime;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::fault::{Fault, is_something};
use super::form::Form;
use super::words::{Meaning, is_known};
use crate::secret_json::SecretJson;
use reqwest_challenge::RefreshError;
use reqwest_challenge::support::OneLine;
use reqwest_challenge::support::{is_transient_status, retry_after};

/// An answer that was read.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) url: Url,
    pub(super) body: Zeroizing<Vec<u8>>,
    /// When it arrived.
    pub(super) now: SystemTime,
}

impl SecretJson {
    /// Takes a text out without copying it; an empty one is none.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        match self.0.get_mut(name)?.take() {
            Value::String(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool) == Some(true)
    }

    /// A list of texts; `None` where there is no list.
    pub(super) fn texts(&self, name: &str) -> Option<Vec<String>> {
        let list = self.0.get(name)?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// A number of seconds, written as a number or as a text; what is too large is very long, what is less than nothing is nothing.
    pub(super) fn seconds(&self, name: &str) -> Option<u64> {
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| !number.is_nan());
        match self.0.get(name)? {
            Value::Number(given) => given.as_u64().or_else(|| number(&given.to_string()).map(saturated)),
            Value::String(text) => text.trim().parse().ok().or_else(|| number(text).map(saturated)),
            _ => None,
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is what is wanted")]
fn saturated(number: f64) -> u64 {
    number.ceil() as u64
}

impl Reply {
    /// The members of the JSON object or form in the body: some servers respond in the format of the request.
    pub(super) fn members(&self) -> Option<SecretJson> {
        // Some servers write a byte order mark.
        let body = self.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.body);
        SecretJson::of(body).or_else(|| of_form(body))
    }

    /// Whether the body is the beginning of a response that was cut and had no announced length.
    pub(super) fn is_cut(&self) -> bool {
        SecretJson::is_begun_by(&self.body)
    }

    /// The error in the response.
    fn fault(&self) -> Fault {
        let Some(members) = self.members().or_else(|| of_list(&self.body)) else {
            return Fault::of_text(&Zeroizing::new(String::from_utf8_lossy(&self.body).into_owned()));
        };
        let mut fault = Fault::of(&members);
        // A repeated status is not a code.
        fault.codes.retain(|code| code != self.status.as_str());
        fault
    }

    /// The code of the error that it is.
    pub(super) fn code(&self) -> Option<String> {
        self.fault().code().map(str::to_owned)
    }

    /// What it says of its error, for a terminal.
    pub(super) fn description(&self, sent: &Form) -> Option<String> {
        self.fault().text.map(|text| printed(&sent.mask(text)))
    }

    /// Whether the response is an error: by its status, or, since some servers send every error with a success status,
    /// by its content.
    pub(super) fn is_error(&self) -> bool {
        if !self.status.is_success() {
            return true;
        }
        let Some(members) = self.members() else { return false };
        let gives = ["access_token", "device_code", "client_id"].iter().any(|name| members.text(name).is_some());
        members.value("error").is_some_and(is_something) || !gives && Fault::of(&members).is_said
    }

    /// Whether the response has no token but an error, in the server's own format.
    pub(super) fn gives_nothing(&self) -> bool {
        let Some(members) = self.members() else { return false };
        let fault = Fault::of(&members);
        members.text("access_token").is_none() && (fault.code().is_some() || fault.text.is_some())
    }

    /// Whether a proof with the nonce that it carries would do (RFC 9449 §8).
    pub(super) fn wants_nonce(&self) -> bool {
        self.headers.contains_key("dpop-nonce")
            && self.status.is_client_error()
            && self.code().as_deref() == Some("use_dpop_nonce")
    }

    /// What the error means. `invalid_grant` ends the grant, other final codes are a refusal, everything else is
    /// temporary. The page of a proxy or a captive portal has no code, so it is temporary too.
    pub(super) fn refusal(&self, what: &str, sent: &Form) -> RefreshError {
        let fault = self.fault();
        let line = |code: Option<&str>| self.line(what, (code, fault.text.as_deref()), sent);
        if let Some(error) = self.passing(&fault).then(|| RefreshError::transient(retry_after(&self.headers, self.now)))
        {
            return error.caused_by(line(fault.code()));
        }
        if let Some(code) = fault.find(Meaning::LoginRequired) {
            return RefreshError::denied(code).caused_by(line(None));
        }
        if let Some(code) = fault.find(Meaning::Grant) {
            return RefreshError::credential_revoked(code).caused_by(line(None));
        }
        match fault.find(Meaning::Refused).or(fault.code()) {
            Some(code) if is_known(code) => RefreshError::denied(code).caused_by(line(None)),
            Some(code) => RefreshError::denied(sent.mask(code.to_owned())).caused_by(line(None)),
            None => RefreshError::transient(retry_after(&self.headers, self.now)).caused_by(line(None)),
        }
    }

    /// What the error means for the refresh token that was presented. A final refusal that is not about the client does
    /// not end the token, and requires a login; `hint` says how.
    pub(super) fn refusal_of_renewal(&self, what: &str, sent: &Form, hint: &str) -> RefreshError {
        let fault = self.fault();
        if fault.find(Meaning::LoginRequired).is_none() && !self.passing(&fault) {
            let line = |code| self.line(what, (code, fault.text.as_deref()), sent);
            if let Some(code) = fault.ended() {
                let code = if is_known(code) { code.to_owned() } else { sent.mask(code.to_owned()) };
                return RefreshError::credential_revoked(code).caused_by(line(None));
            }
            let is_final = self.status.is_client_error() || self.status.is_success();
            if is_final && fault.find(Meaning::Refused).is_none() {
                return RefreshError::login_required(hint).caused_by(line(fault.code()));
            }
        }
        self.refusal(what, sent)
    }

    /// Whether the same request may succeed later.
    fn passing(&self, fault: &Fault) -> bool {
        // A refusal by a proxy, or a request that came too early.
        let is_passing_by = matches!(self.status.as_u16(), 407 | 425);
        let asks_for_time = fault.codes.is_empty() && self.headers.contains_key(RETRY_AFTER);
        let is_temporary = || fault.find(Meaning::Passing).is_some();
        is_transient_status(self.status) || is_passing_by || asks_for_time || is_temporary()
    }

    /// The response as one line for a terminal.
    fn line(&self, what: &str, (code, text): (Option<&str>, Option<&str>), sent: &Form) -> String {
        let mut line = format!("{what} says {}", self.status.as_u16());
        for text in [code, text].into_iter().flatten() {
            line += &format!(": {}", printed(&sent.mask(text.to_owned())));
        }
        line
    }
}

/// A JSON list, read as a list of errors where an error is expected.
fn of_list(body: &[u8]) -> Option<SecretJson> {
    let list: Vec<Value> = serde_json::from_slice(body).ok()?;
    let mut members = SecretJson::default();
    members.put("errors", list);
    Some(members)
}

/// The members of a form, if it is the response to a token request.
fn of_form(body: &[u8]) -> Option<SecretJson> {
    // The links of a page look like a form.
    let body = body.trim_ascii();
    if body.iter().any(|octet| octet.is_ascii_whitespace() || *octet == b'<') {
        return None;
    }
    let mut members = SecretJson::default();
    for (name, value) in form_urlencoded::parse(body) {
        members.put(&name, value.into_owned());
    }
    let is_answer = ["access_token", "error", "device_code"].iter().any(|name| members.text(name).is_some());
    is_answer.then_some(members)
}

/// A server's text for a terminal: one line, and not too long.
pub(super) fn printed(text: &str) -> String {
    OneLine::new(text).to_string()
}
