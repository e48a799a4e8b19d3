//! The parameters of a request to an authorization server (RFC 6749 appendix B).

use std::borrow::Cow;

use bytes::Bytes;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Names and values in their order; any value may be a secret.
#[derive(Clone, Default)]
pub(super) struct Form {
    pairs: Vec<(Cow<'static, str>, Secret)>,
    /// What went beside it, and may come back in an error all the same.
    beside: Option<Secret>,
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

    /// A secret that goes in a header.
    pub(super) fn beside(&mut self, secret: Secret) {
        self.beside = Some(secret);
    }

    /// Scopes as one value (RFC 6749 §3.3); none at all where there are none.
    pub(super) fn add_scopes(&mut self, scopes: &[String]) {
        if !scopes.is_empty() {
            self.add("scope", scopes.join(" "));
        }
    }

    /// `name=value&…`, in memory that is wiped.
    pub(super) fn encode(&self) -> Bytes {
        // Room for every octet as `%XX`, so that nothing is left behind by growing.
        let room = self.pairs.iter().map(|(name, value)| 3 * (name.len() + value.expose().len()) + 2).sum();
        let mut text = Zeroizing::new(String::with_capacity(room));
        for (name, value) in &self.pairs {
            if !text.is_empty() {
                text.push('&');
            }
            text.extend(byte_serialize(name.as_bytes()));
            text.push('=');
            text.extend(byte_serialize(value.expose().as_bytes()));
        }
        Bytes::from_owner(Wiped(text))
    }

    /// The text without what was sent: a server may echo it.
    pub(super) fn mask(&self, mut text: String) -> String {
        let is_secret =
            |name: &str| !matches!(name, "grant_type" | "scope" | "client_id" | "resource" | "redirect_uri");
        let pairs = self.pairs.iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| value);
        // Short ones are words that anybody may write.
        for secret in pairs.chain(&self.beside).map(Secret::expose).filter(|secret| secret.len() > 4) {
            let encoded: String = byte_serialize(secret.as_bytes()).collect();
            for shape in [secret, &encoded] {
                if text.contains(shape) {
                    text = text.replace(shape, "***");
                }
            }
        }
        text
    }
}

struct Wiped(Zeroizing<String>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
