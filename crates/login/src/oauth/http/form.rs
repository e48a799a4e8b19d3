//! The parameters of a request to an authorization server (RFC 6749 appendix B).

use std::borrow::Cow;

use bytes::Bytes;

use crate::transport::encode_form;
use reqwest_challenge::Secret;
use reqwest_challenge::support::Masker;

/// The parameters in their order, and the secrets of the request.
#[derive(Clone, Default)]
pub(in crate::oauth) struct Form {
    parameters: Vec<(Cow<'static, str>, Secret)>,
    /// The secrets in the form and in the headers. The server may repeat them in an error.
    secrets: Vec<Secret>,
}

impl Form {
    pub(in crate::oauth) fn for_grant(grant_type: &str) -> Self {
        let mut form = Self::default();
        form.add("grant_type", grant_type);
        form
    }

    pub(in crate::oauth) fn add(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Secret>) {
        self.parameters.push((name.into(), value.into()));
    }

    /// Adds a parameter that is masked in errors.
    pub(in crate::oauth) fn add_secret(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Secret>) {
        let value = value.into();
        self.mask_also(value.clone());
        self.add(name, value);
    }

    /// Masks a secret that is sent beside the form, for example in a header.
    pub(in crate::oauth) fn mask_also(&mut self, secret: Secret) {
        self.secrets.push(secret);
    }

    /// Adds the scopes as one value (RFC 6749 §3.3), if there are any.
    pub(in crate::oauth) fn add_scopes(&mut self, scopes: &[String]) {
        if !scopes.is_empty() {
            self.add("scope", scopes.join(" "));
        }
    }

    /// `name=value&…`, in memory that is wiped.
    pub(in crate::oauth) fn encode(&self) -> Bytes {
        encode_form(self.parameters.iter().map(|(name, value)| (&**name, value.expose())))
    }

    /// The server's text without the secrets that were sent.
    pub(in crate::oauth) fn mask(&self, text: String) -> String {
        let mut masker = Masker::default();
        self.secrets.iter().for_each(|secret| masker.add_secret(secret));
        masker.mask(text)
    }
}
