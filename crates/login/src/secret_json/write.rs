//! Writes a JSON object that contains secrets.

use std::io;

use reqwest_challenge::Secret;
use serde_json::Value;

use super::secret_json::{SecretJson, wipe};

impl SecretJson {
    /// Sets a member. Overwrites the text of its former value.
    pub(crate) fn put(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(mut old) = self.0.insert(name.to_owned(), value.into()) {
            wipe(&mut old);
        }
    }

    /// The object as text, in memory that is overwritten when it is dropped.
    pub(crate) fn to_secret(&self) -> Secret {
        // Written twice. The first pass counts the length, because a vector that grows leaves copies of the secret behind.
        let mut length = Length(0);
        let mut octets = match serde_json::to_writer(&mut length, &self.0) {
            Ok(()) => Vec::with_capacity(length.0),
            // A counter and a vector accept every write.
            Err(_) => Vec::new(),
        };
        let _ = serde_json::to_writer(&mut octets, &self.0);
        // JSON is UTF-8.
        Secret::new(String::from_utf8(octets).unwrap_or_default())
    }
}

/// Counts the octets that are written to it.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0 += octets.len();
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
