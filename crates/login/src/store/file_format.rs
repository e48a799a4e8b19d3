//! The format of a file: a JSON object with a version, and the texts of the credentials by their keys.

use serde_json::Value;

use reqwest_challenge::Secret;

use super::key::Key;
use super::saved::Saved;
use crate::secret_json::SecretJson;

/// The version of the format. A file with another version is not read.
const VERSION: u64 = 1;

/// The content of a file.
pub(super) enum Content {
    Entries(Entries),
    /// A newer version of the crate wrote the file.
    NewerVersion(u64),
    /// The file is damaged, or another program wrote it.
    Damaged,
}

/// The texts of credentials by their keys.
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
            Some(other) => Self::NewerVersion(other),
            None => Self::Damaged,
        }
    }
}

/// Whether the text begins like a file that this store wrote.
pub(super) fn has_start_of_store_file(text: &[u8]) -> bool {
    text.starts_with(b"{\"credentials\":{")
}

impl Entries {
    pub(super) fn is_empty(&self) -> bool {
        self.0.0.is_empty()
    }

    pub(super) fn get(&self, key: &Key) -> Option<Saved> {
        // The text is returned octet for octet as it was saved, because callers compare it.
        Some(Saved::new(self.0.value(key.as_str())?.as_str()?))
    }

    pub(super) fn set(&mut self, key: &Key, new: &Saved) {
        self.0.put(key.as_str(), new.expose());
    }

    pub(super) fn remove(&mut self, key: &Key) {
        // `put` wipes the old text.
        self.0.put(key.as_str(), Value::Null);
        drop(self.0.0.remove(key.as_str()));
    }

    pub(super) fn write(mut self) -> Secret {
        let mut all = SecretJson::default();
        all.put("version", VERSION);
        all.put("credentials", std::mem::take(&mut self.0.0));
        all.to_secret()
    }
}
