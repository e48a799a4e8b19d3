//! The error in an authorization server's response, wherever the server writes it.

use serde_json::{Map, Value};

use super::words::{Meaning, ending_of, meaning};
use crate::secret_json::SecretJson;

/// The members that hold codes, in order of preference.
const CODES: &[&str] = &[
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
const TEXTS: &[&str] = &[
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
const NESTS: &[&str] = &["error", "errors", "fault", "detail", "details", "data"];
/// Members in which a number is a code. In `status`, a number only repeats the HTTP status.
const NUMBERS: &[&str] = &["error", "error_code", "errorCode", "errcode", "code"];
/// Values of code members that name no error.
const EMPTY: &[&str] = &["error", "fail", "failed", "failure", "ok", "success"];
/// How deep errors are searched for, and how many elements of a list are read.
const DEPTH: usize = 3;
const MANY: usize = 8;

/// What a server says about an error.
#[derive(Debug, Default)]
pub(super) struct Fault {
    /// The codes. The first one names the error.
    pub(super) codes: Vec<String>,
    pub(super) text: Option<String>,
    /// Whether the response reports an error, whatever its status.
    pub(super) is_said: bool,
}

impl Fault {
    /// Reads the error of a JSON object.
    pub(super) fn of(members: &SecretJson) -> Self {
        let mut fault = Self::default();
        let mut numbers = Vec::new();
        fault.read(&members.0, &mut numbers, DEPTH);
        // A number names an error only if there is no word.
        if fault.codes.is_empty() {
            fault.codes = numbers;
        }
        fault.is_said |= fault.codes.iter().any(|code| meaning(code).is_some());
        let is_false = |name| members.value(name).and_then(Value::as_bool) == Some(false);
        fault.is_said |= ["ok", "success"].into_iter().any(is_false);
        fault
    }

    /// The error in a response that is plain text.
    pub(super) fn of_text(text: &str) -> Self {
        let text = text.trim();
        Self { text: (!text.is_empty() && !text.starts_with('<')).then(|| text.to_owned()), ..Self::default() }
    }

    /// The code that names the error.
    pub(super) fn code(&self) -> Option<&str> {
        self.codes.first().map(String::as_str)
    }

    /// The first code with that meaning.
    pub(super) fn find(&self, wanted: Meaning) -> Option<&str> {
        self.codes.iter().map(String::as_str).find(|code| meaning(code) == Some(wanted))
    }

    /// The code that says that the refresh token is no longer valid, if the server says so.
    pub(super) fn ended(&self) -> Option<&str> {
        let by_code = self.find(Meaning::Grant).or_else(|| self.find(Meaning::Ended));
        by_code.or_else(|| self.text.as_deref().and_then(ending_of))
    }

    fn read(&mut self, members: &Map<String, Value>, numbers: &mut Vec<String>, depth: usize) {
        for &name in CODES {
            match members.get(name) {
                Some(Value::String(code)) if is_empty(name, code) => {}
                Some(Value::String(code)) if is_code(code) => self.codes.push(code.clone()),
                // A sentence in the place of a code.
                Some(Value::String(text)) if name == "error" && !text.is_empty() => self.tell(text),
                Some(Value::Number(number)) if number.as_i64() != Some(0) && NUMBERS.contains(&name) => {
                    numbers.push(number.to_string());
                }
                _ => {}
            }
        }
        for &name in TEXTS {
            if let Some(Value::String(text)) = members.get(name) {
                self.tell(text);
            }
        }
        self.is_said |= ["error", "errors", "errcode", "error_code"]
            .iter()
            .any(|name| members.get(*name).is_some_and(is_something));
        for name in NESTS.iter().filter(|_| depth > 0) {
            match members.get(*name) {
                Some(Value::Object(nested)) => self.read(nested, numbers, depth - 1),
                Some(Value::Array(list)) => list.iter().take(MANY).for_each(|one| match one {
                    Value::Object(nested) => self.read(nested, numbers, depth - 1),
                    Value::String(code) if is_code(code) => self.codes.push(code.clone()),
                    _ => {}
                }),
                _ => {}
            }
        }
    }

    fn tell(&mut self, text: &str) {
        if !text.is_empty() {
            self.text.get_or_insert_with(|| text.to_owned());
        }
    }
}

/// Whether the value names no error, such as the type URL of a problem (RFC 9457).
fn is_empty(name: &str, code: &str) -> bool {
    EMPTY.iter().any(|word| word.eq_ignore_ascii_case(code)) || name == "type" && code.contains(':')
}

/// Whether a member is present and not an empty value.
pub(super) fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is_so) => *is_so,
        Value::Number(number) => number.as_i64() != Some(0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// `%x20-21 / %x23-5B / %x5D-7E` (RFC 6749 §5.2), and short.
pub(super) fn is_code(code: &str) -> bool {
    let is_plain = |octet| matches!(octet, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    !code.is_empty() && code.len() <= 64 && code.bytes().all(is_plain)
}
