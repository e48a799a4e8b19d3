//! The facts of an exchange that several rules need.

use std::borrow::Cow;
use std::cell::OnceCell;

use http::header::HeaderName;

use super::exchange::{Exchange, Presented};
use super::phrases::{Meaning, is_refusal};
use crate::challenge::{Challenge, Challenges};

/// The octets of a body that are read. The message of an error is at its beginning.
const MAX_BODY_READ: usize = 4 << 10;

/// An exchange, its challenges, and the text of its body.
pub(super) struct Evidence<'e> {
    pub(super) exchange: &'e Exchange<'e>,
    pub(super) challenges: &'e Challenges,
    /// The beginning of the body in lower case. It is made when the first rule needs it.
    text: OnceCell<String>,
}

impl<'e> Evidence<'e> {
    pub(super) fn new(exchange: &'e Exchange<'e>, challenges: &'e Challenges) -> Self {
        Self { exchange, challenges, text: OnceCell::new() }
    }

    pub(super) fn status(&self) -> u16 {
        self.exchange.status.as_u16()
    }

    pub(super) fn has_status(&self, status: u16) -> bool {
        self.status() == status
    }

    /// Whether the request is known to have carried no credential.
    pub(super) fn is_without_credential(&self) -> bool {
        self.exchange.presented == Presented::Nothing
    }

    /// Whether the request is known to have carried a credential.
    pub(super) fn has_credential(&self) -> bool {
        self.has_token() || self.exchange.presented == Presented::Other
    }

    /// Whether the request is known to have carried a token.
    pub(super) fn has_token(&self) -> bool {
        self.exchange.presented == Presented::Token
    }

    pub(super) fn header(&self, name: HeaderName) -> Option<&'e str> {
        self.exchange.headers.get(name)?.to_str().ok()
    }

    /// Whether a sentence of the body has this meaning.
    pub(super) fn body_means(&self, meaning: &Meaning) -> bool {
        meaning.is_in(self.text())
    }

    /// Whether the body is a JSON object whose `error` is the code of a refused credential.
    pub(super) fn is_refusal(&self) -> bool {
        is_refusal(self.text())
    }

    fn text(&self) -> &str {
        let body = &self.exchange.body[..self.exchange.body.len().min(MAX_BODY_READ)];
        self.text.get_or_init(|| String::from_utf8_lossy(body).to_lowercase())
    }

    /// The challenges of token schemes.
    pub(super) fn token_challenges(&self) -> impl Iterator<Item = Challenge<'e>> {
        self.challenges.iter().filter(|challenge| challenge.is("Bearer") || challenge.is("DPoP"))
    }

    /// Whether a challenge of this scheme passes the test.
    pub(super) fn has_challenge(&self, scheme: &str, test: impl Fn(&Challenge<'e>) -> bool) -> bool {
        self.challenges.iter().any(|challenge| challenge.is(scheme) && test(&challenge))
    }

    /// Whether a challenge of a token scheme has this `error`.
    pub(super) fn has_error(&self, code: &str) -> bool {
        self.token_challenges().any(|challenge| challenge.param("error").is_some_and(|error| error == code))
    }

    /// The values of all parameters of these names.
    pub(super) fn values(&self, names: &'static [&'static str]) -> impl Iterator<Item = Cow<'e, str>> {
        // Only the Bearer challenge of a registry has a URL as its realm. In any other challenge the realm is a free text.
        let all = self.challenges.iter();
        all.flat_map(move |challenge| {
            let is_defined = move |name: &&&str| **name != "realm" || challenge.is("Bearer");
            names.iter().filter(is_defined).filter_map(move |name| challenge.param(name))
        })
    }

    /// The scheme for the challenge that the server should have sent: the first known one that it sent, or Bearer.
    pub(super) fn scheme(&self) -> &'static str {
        let known = ["Bearer", "DPoP", "Basic", "Digest"];
        let first = self.challenges.iter().find_map(|challenge| known.iter().find(|scheme| challenge.is(scheme)));
        first.copied().unwrap_or("Bearer")
    }
}
