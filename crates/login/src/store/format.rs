//! What stands in a file: an object of credentials by their keys, under a version.

use serde_json::Value;

use super::Saved;
use super::key::Key;
use crate::secret_json::SecretJson;
use reqwest_challenge::Secret;

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
pub(super) struct Entries(SecretJson);

impl Content {
    pub(super) fn read(text: &[u8]) -> Self {
        let Some(mut all) = SecretJson::of(text) else { return Self::Damaged };
        match all.value("version").and_then(Value::as_u64) {
            Some(VERSION) => match all.0.get_mut("credentials").map(Value::take) {
                Some(Value::Object(entries)) => Self::Entries(Entries(SecretJson(entries))),
                _ => Self::Damaged,
            },
            Some(other) => Self::Version(other),
            None => Self::Damaged,
        }
    }
}

/// Whether the text begins like a file that this store wrote.
pub(super) fn is_start_of_ours(text: &[u8]) -> bool {
    text.starts_with(b"{\"credentials\":{")
}

impl Entries {
    pub(super) fn is_empty(&self) -> bool {
        self.0.0.is_empty()
    }

    pub(super) fn get(&self, key: &Key) -> Option<Saved> {
        // As it was written, octet for octet, for it is compared.
        Some(Saved::new(self.0.value(key.as_str())?.as_str()?))
    }

    pub(super) fn put(&mut self, key: &Key, new: Option<&Saved>) {
        match new {
            Some(new) => self.0.put(key.as_str(), new.expose()),
            None => {
                // Wiped by what is put in its place.
                self.0.put(key.as_str(), Value::Null);
                drop(self.0.0.remove(key.as_str()));
            }
        }
    }

    pub(super) fn write(mut self) -> Secret {
        let mut all = SecretJson::default();
        all.put("version", VERSION);
        all.put("credentials", std::mem::take(&mut self.0.0));
        all.to_secret()
    }
}
