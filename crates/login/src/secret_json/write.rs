//! Writes an object in memory that is wiped.

use std::io;

use serde_json::Value;

use super::secret_json::{SecretJson, wipe};
use reqwest_challenge::Secret;

impl SecretJson {
    pub(crate) fn put(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(mut old) = self.0.insert(name.to_owned(), value.into()) {
            wipe(&mut old);
        }
    }

    /// As text, in memory that is wiped.
    pub(crate) fn to_secret(&self) -> Secret {
        // Written twice: once for its length, so that nothing is left behind by growing.
        let mut length = Length(0);
        let mut octets = match serde_json::to_writer(&mut length, &self.0) {
            Ok(()) => Vec::with_capacity(length.0),
            // Neither a length nor memory refuses to be written to.
            Err(_) => Vec::new(),
        };
        let _ = serde_json::to_writer(&mut octets, &self.0);
        // JSON is UTF-8.
        Secret::new(String::from_utf8(octets).unwrap_or_default())
    }
}

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
