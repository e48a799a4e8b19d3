//! What stands in a file: an object of credentials by their keys, under a version.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{Key, Saved};

/// The version that is written, and the only one that is read.
const VERSION: u64 = 1;

/// What stands in a file.
pub(super) enum Content {
    Entries(Entries),
    /// A newer version wrote it.
    Version(u64),
    /// It is none of ours, or was damaged.
    Damaged,
}

/// Credentials by their keys.
#[derive(Default)]
pub(super) struct Entries(Map<String, Value>);

impl Content {
    pub(super) fn read(text: &[u8]) -> Self {
        let Ok(Value::Object(mut all)) = serde_json::from_slice(text) else { return Self::Damaged };
        match all.get("version").and_then(Value::as_u64) {
            Some(VERSION) => match all.remove("credentials") {
                Some(Value::Object(entries)) => Self::Entries(Entries(entries)),
                _ => Self::Damaged,
            },
            Some(other) => Self::Version(other),
            None => Self::Damaged,
        }
    }
}

impl Entries {
    pub(super) fn get(&self, key: &Key) -> Option<Saved> {
        // As it was written, octet for octet, for it is compared.
        Some(Saved::new(self.0.get(key.as_str())?.as_str()?))
    }

    pub(super) fn put(&mut self, key: &Key, new: Option<&Saved>) {
        match new {
            Some(new) => drop(self.0.insert(key.as_str().to_owned(), new.expose().into())),
            None => drop(self.0.remove(key.as_str())),
        }
    }

    pub(super) fn write(self) -> Zeroizing<Vec<u8>> {
        let mut all = Map::new();
        all.insert("version".to_owned(), VERSION.into());
        all.insert("credentials".to_owned(), Value::Object(self.0));
        let mut text = Zeroizing::new(Value::Object(all).to_string().into_bytes());
        text.push(b'\n');
        text
    }
}
