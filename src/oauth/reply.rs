//! What an authorization server answered, and the one place that reads its errors (RFC 6749 §5.2).

use http::StatusCode;
use http::header::HeaderMap;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::form::Form;
use crate::challenge::{FEW_LINES, Printed};
use crate::members::Members;
use crate::refresh::RefreshError;
use crate::retry_after::{passes, retry_after};

/// An answer that was read.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) url: Url,
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Members {
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
    /// The JSON object that it is.
    pub(super) fn members(&self) -> Option<Members> {
        Members::of(&self.body)
    }

    /// The code of the error that it is.
    pub(super) fn code(&self) -> Option<String> {
        self.members()?.text("error").filter(|code| is_code(code)).map(str::to_owned)
    }

    /// What it says of its error, for a terminal.
    pub(super) fn description(&self, sent: &Form) -> Option<String> {
        self.members()?.text("error_description").map(|text| printed(&sent.mask(text.to_owned())))
    }

    /// Whether a proof with the nonce that it carries would do (RFC 9449 §8).
    pub(super) fn wants_nonce(&self) -> bool {
        self.headers.contains_key("dpop-nonce")
            && self.status.is_client_error()
            && self.code().as_deref() == Some("use_dpop_nonce")
    }

    /// What it means for whoever asked: `invalid_grant` ends the grant, the other final codes are a no, and the rest may pass,
    /// which is also what a proxy's page, a portal's, or an answer that is none comes to.
    pub(super) fn refusal(&self, what: &str, sent: &Form) -> RefreshError {
        let told = |code: Option<&str>, description: Option<String>| {
            let mut line = format!("{what} says {}", self.status.as_u16());
            for text in [code.map(str::to_owned), description].into_iter().flatten() {
                line += &format!(": {}", printed(&sent.mask(text)));
            }
            line
        };
        let Some(members) = self.members() else {
            return RefreshError::transient(retry_after(&self.headers)).caused_by(told(None, None));
        };
        let description = members.text("error_description").map(str::to_owned);
        match members.text("error").filter(|code| is_code(code)) {
            Some("temporarily_unavailable" | "server_error" | "slow_down" | "authorization_pending") | None => {
                RefreshError::transient(retry_after(&self.headers)).caused_by(told(None, description))
            }
            Some(code) if passes(self.status) => {
                RefreshError::transient(retry_after(&self.headers)).caused_by(told(Some(code), description))
            }
            Some("invalid_grant") => RefreshError::rejected("invalid_grant").caused_by(told(None, description)),
            Some(code) if CODES.contains(&code) => RefreshError::refused(code).caused_by(told(None, description)),
            Some(code) => RefreshError::refused(sent.mask(code.to_owned())).caused_by(told(None, description)),
        }
    }
}

/// Codes that mean something here, whatever word in them was sent.
const CODES: [&str; 8] = [
    "access_denied",
    "account_selection_required",
    "consent_required",
    "expired_token",
    "interaction_required",
    "invalid_client",
    "login_required",
    "unauthorized_client",
];

/// `%x20-21 / %x23-5B / %x5D-7E` (RFC 6749 §5.2), and short.
pub(super) fn is_code(code: &str) -> bool {
    code.len() <= 64 && code.bytes().all(|octet| matches!(octet, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

/// A server's text for a terminal: one line, and not too long.
pub(super) fn printed(text: &str) -> String {
    Printed(text, FEW_LINES).to_string()
}
