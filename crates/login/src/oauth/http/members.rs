//! Reads the members of a server's JSON object.

use serde_json::Value;
use url::form_urlencoded;

use crate::secret_json::SecretJson;

impl SecretJson {
    /// Takes a text out without copying it. `None` for an empty text.
    pub(in crate::oauth) fn take(&mut self, name: &str) -> Option<String> {
        match self.0.get_mut(name)?.take() {
            Value::String(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// A text. `None` for an empty text.
    pub(in crate::oauth) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    pub(in crate::oauth) fn is_true(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool) == Some(true)
    }

    /// The texts of a list. `None` if the member is not a list.
    pub(in crate::oauth) fn texts(&self, name: &str) -> Option<Vec<String>> {
        let list = self.0.get(name)?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// A number of seconds, written as a number or as a text. A number that is too large becomes `u64::MAX`, and a negative
    /// number becomes zero.
    pub(in crate::oauth) fn seconds(&self, name: &str) -> Option<u64> {
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| !number.is_nan());
        match self.0.get(name)? {
            Value::Number(given) => given.as_u64().or_else(|| number(&given.to_string()).map(saturated)),
            Value::String(text) => text.trim().parse().ok().or_else(|| number(text).map(saturated)),
            _ => None,
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is the intention")]
fn saturated(number: f64) -> u64 {
    number.ceil() as u64
}

/// Reads the body of a response: a JSON object, or a form, because some servers respond in the format of the request.
pub(super) fn of_body(body: &[u8]) -> Option<SecretJson> {
    // Some servers write a byte order mark.
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    SecretJson::of(body).or_else(|| of_form(body))
}

/// Reads a JSON list as a list of errors.
pub(super) fn of_error_list(body: &[u8]) -> Option<SecretJson> {
    let list: Vec<Value> = serde_json::from_slice(body).ok()?;
    let mut members = SecretJson::default();
    members.put("errors", list);
    Some(members)
}

/// Reads a form, if it is the response to a token request.
fn of_form(body: &[u8]) -> Option<SecretJson> {
    // The links of an HTML page look like a form.
    let body = body.trim_ascii();
    if body.iter().any(|octet| octet.is_ascii_whitespace() || *octet == b'<') {
        return None;
    }
    let mut members = SecretJson::default();
    for (name, value) in form_urlencoded::parse(body) {
        members.put(&name, value.into_owned());
    }
    let is_token_response = ["access_token", "error", "device_code"].iter().any(|name| members.text(name).is_some());
    is_token_response.then_some(members)
}
