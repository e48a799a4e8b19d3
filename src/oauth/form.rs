//! The parameters of a request to an authorization server (RFC 6749 appendix B).

use std::borrow::Cow;

use bytes::Bytes;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use crate::dial::encoded;
use crate::secret::Secret;

/// Names and values in their order.
#[derive(Clone, Default)]
pub(super) struct Form {
    pairs: Vec<(Cow<'static, str>, Secret)>,
    /// What of it, and beside it, is a secret, and may come back in an error all the same.
    secrets: Vec<Secret>,
}

impl Form {
    pub(super) fn of_grant(grant_type: &'static str) -> Self {
        let mut form = Self::default();
        form.add("grant_type", grant_type);
        form
    }

    pub(super) fn add(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Secret>) {
        self.pairs.push((name.into(), value.into()));
    }

    /// A secret.
    pub(super) fn add_secret(&mut self, name: &'static str, value: impl Into<Secret>) {
        let value = value.into();
        self.beside(value.clone());
        self.add(name, value);
    }

    /// A secret that goes in a header.
    pub(super) fn beside(&mut self, secret: Secret) {
        self.secrets.push(secret);
    }

    /// Scopes as one value (RFC 6749 §3.3); none at all where there are none.
    pub(super) fn add_scopes(&mut self, scopes: &[String]) {
        if !scopes.is_empty() {
            self.add("scope", scopes.join(" "));
        }
    }

    /// `name=value&…`, in memory that is wiped.
    pub(super) fn encode(&self) -> Bytes {
        encoded(self.pairs.iter().map(|(name, value)| (&**name, value.expose())))
    }

    /// The text without the secrets that were sent: a server may echo them, as they are or as they went over the wire.
    pub(super) fn mask(&self, mut text: String) -> String {
        // Short ones are words that anybody may write.
        let secrets = self.secrets.iter().map(Secret::expose).filter(|secret| secret.len() > 4);
        let mut shapes: Vec<_> = secrets.flat_map(shapes).collect();
        // One may be a part of another.
        shapes.sort_unstable_by_key(|shape| std::cmp::Reverse(shape.len()));
        for shape in &shapes {
            if text.contains(shape.as_str()) {
                text = text.replace(shape.as_str(), "***");
            }
        }
        text
    }
}

/// How a secret may be written: as it is, in a form, in a URL, in JSON.
fn shapes(secret: &str) -> [Zeroizing<String>; 6] {
    let form: String = byte_serialize(secret.as_bytes()).collect();
    let url = form.replace('+', "%20");
    let json = secret.replace('\\', "\\\\").replace('"', "\\\"");
    let lower = (lower_hex(&form), lower_hex(&url));
    [secret.to_owned(), form, url, lower.0, lower.1, json].map(Zeroizing::new)
}

/// `%2F` as `%2f`.
fn lower_hex(text: &str) -> String {
    let mut parts = text.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut text, part| {
        let (hex, rest) = part.split_at(part.len().min(2));
        text.push('%');
        text.push_str(&hex.to_ascii_lowercase());
        text.push_str(rest);
        text
    })
}
