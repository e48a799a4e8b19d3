//! The parameters of a request to an authorization server (RFC 6749 appendix B).

use std::borrow::Cow;

use bytes::Bytes;

use crate::transport::encoded;
use reqwest_challenge::Secret;
use reqwest_challenge::support::Masker;

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

    /// The server's text without the secrets that were sent.
    pub(super) fn mask(&self, text: String) -> String {
        let mut masker = Masker::default();
        self.secrets.iter().for_each(|secret| masker.add_secret(secret));
        masker.mask(text)
    }
}
