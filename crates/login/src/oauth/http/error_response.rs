//! The error in an authorization server's response, wherever the server writes it.

use serde_json::{Map, Value};

use super::error_codes::{Meaning, meaning, refresh_token_phrase};
use crate::secret_json::SecretJson;

/// The members that hold codes, in order of preference.
const CODE_MEMBERS: &[&str] = &[
    "error",
    "suberror",
    "error_subtype",
    "error_code",
    "errorCode",
    "errorType",
    "error_type",
    "errcode",
    "code",
    "status",
    "type",
    "__type",
    "reason",
    "name",
];
/// The members that hold texts.
const TEXT_MEMBERS: &[&str] = &[
    "error_description",
    "error_message",
    "errorMessage",
    "message",
    "errmsg",
    "msg",
    "detail",
    "description",
    "title",
    "faultstring",
    "localizedMessage",
];
/// The members that hold nested objects, or lists of them.
const NESTED_MEMBERS: &[&str] = &["error", "errors", "fault", "detail", "details", "data"];
/// The members in which a number is a code. In `status`, a number only repeats the HTTP status.
const NUMBER_MEMBERS: &[&str] = &["error", "error_code", "errorCode", "errcode", "code"];
/// Values of a code member that are not the name of an error.
const EMPTY_CODES: &[&str] = &["error", "fail", "failed", "failure", "ok", "success"];
/// How many levels of nested objects are read.
const MAX_DEPTH: usize = 3;
/// How many elements of a list are read.
const MAX_ELEMENTS: usize = 8;

/// The error in a response.
#[derive(Debug, Default)]
pub(in crate::oauth) struct ErrorResponse {
    /// The codes. The first one names the error.
    pub(in crate::oauth) codes: Vec<String>,
    pub(in crate::oauth) text: Option<String>,
    /// Whether the response reports an error, whatever its status.
    pub(in crate::oauth) is_reported: bool,
}

impl ErrorResponse {
    /// Reads the error of a JSON object.
    pub(in crate::oauth) fn of(members: &SecretJson) -> Self {
        let mut error = Self::default();
        let mut numbers = Vec::new();
        error.read(&members.0, &mut numbers, MAX_DEPTH);
        // A number is used as the code only if there is no code in words.
        if error.codes.is_empty() {
            error.codes = numbers;
        }
        error.is_reported |= error.codes.iter().any(|code| meaning(code).is_some());
        let is_false = |name| members.value(name).and_then(Value::as_bool) == Some(false);
        error.is_reported |= ["ok", "success"].into_iter().any(is_false);
        error
    }

    /// The error in a response that is plain text.
    pub(in crate::oauth) fn of_text(text: &str) -> Self {
        let text = text.trim();
        Self { text: (!text.is_empty() && !text.starts_with('<')).then(|| text.to_owned()), ..Self::default() }
    }

    /// The code that names the error.
    pub(in crate::oauth) fn code(&self) -> Option<&str> {
        self.codes.first().map(String::as_str)
    }

    /// The first code with this meaning.
    pub(in crate::oauth) fn find(&self, wanted: Meaning) -> Option<&str> {
        self.codes.iter().map(String::as_str).find(|code| meaning(code) == Some(wanted))
    }

    /// The code or phrase that says that the refresh token is no longer valid.
    pub(in crate::oauth) fn refresh_token_code(&self) -> Option<&str> {
        let by_code = self.find(Meaning::InvalidGrant).or_else(|| self.find(Meaning::InvalidRefreshToken));
        by_code.or_else(|| self.text.as_deref().and_then(refresh_token_phrase))
    }

    fn read(&mut self, members: &Map<String, Value>, numbers: &mut Vec<String>, depth: usize) {
        for &name in CODE_MEMBERS {
            match members.get(name) {
                Some(Value::String(code)) if names_no_error(name, code) => {}
                Some(Value::String(code)) if is_code(code) => self.codes.push(code.clone()),
                // The server wrote a sentence where a code belongs.
                Some(Value::String(text)) if name == "error" && !text.is_empty() => self.add_text(text),
                Some(Value::Number(number)) if number.as_i64() != Some(0) && NUMBER_MEMBERS.contains(&name) => {
                    numbers.push(number.to_string());
                }
                _ => {}
            }
        }
        for &name in TEXT_MEMBERS {
            if let Some(Value::String(text)) = members.get(name) {
                self.add_text(text);
            }
        }
        self.is_reported |= ["error", "errors", "errcode", "error_code"]
            .iter()
            .any(|name| members.get(*name).is_some_and(is_something));
        for name in NESTED_MEMBERS.iter().filter(|_| depth > 0) {
            match members.get(*name) {
                Some(Value::Object(nested)) => self.read(nested, numbers, depth - 1),
                Some(Value::Array(list)) => list.iter().take(MAX_ELEMENTS).for_each(|element| match element {
                    Value::Object(nested) => self.read(nested, numbers, depth - 1),
                    Value::String(code) if is_code(code) => self.codes.push(code.clone()),
                    _ => {}
                }),
                _ => {}
            }
        }
    }

    fn add_text(&mut self, text: &str) {
        if !text.is_empty() {
            self.text.get_or_insert_with(|| text.to_owned());
        }
    }
}

/// Whether the value names no error, such as the type URL of a problem (RFC 9457).
fn names_no_error(name: &str, code: &str) -> bool {
    EMPTY_CODES.iter().any(|word| word.eq_ignore_ascii_case(code)) || name == "type" && code.contains(':')
}

/// Whether a value is not empty: not `null`, `false`, zero, or an empty text, list or object.
pub(in crate::oauth) fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_i64() != Some(0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// Whether the text is a short error code: `%x20-21 / %x23-5B / %x5D-7E` (RFC 6749 §5.2).
pub(in crate::oauth) fn is_code(code: &str) -> bool {
    let is_plain = |octet| matches!(octet, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    !code.is_empty() && code.len() <= 64 && code.bytes().all(is_plain)
}
