//! Reads a JSON object that contains secrets.

use serde_json::{Map, Value};
use zeroize::Zeroize;

/// The members of a JSON object. Their texts are overwritten when the value is dropped.
#[derive(Default)]
pub(crate) struct SecretJson(pub(crate) Map<String, Value>);

impl SecretJson {
    /// Parses a JSON object. Returns `None` if the text is not a JSON object.
    pub(crate) fn of(text: &[u8]) -> Option<Self> {
        match serde_json::from_slice(text) {
            Ok(Value::Object(members)) => Some(Self(members)),
            Ok(mut other) => {
                wipe(&mut other);
                None
            }
            Err(_) => None,
        }
    }

    /// Whether the text is the beginning of a JSON object. A response without `Content-Length` ends so if its connection
    /// breaks.
    #[cfg(any(feature = "oauth", feature = "registry"))]
    pub(crate) fn is_begun_by(text: &[u8]) -> bool {
        let read = || serde_json::from_slice::<Value>(text).map(|mut whole| wipe(&mut whole));
        text.trim_ascii_start().starts_with(b"{") && read().is_err_and(|error| error.is_eof())
    }

    /// The value of the member with this name.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

impl Drop for SecretJson {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

/// Overwrites every text in the value. Names of members are not overwritten.
pub(super) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        _ => {}
    }
}
