//! What the rules look at, read once.

use std::borrow::Cow;
use std::cell::OnceCell;

use http::header::HeaderName;

use super::exchange::{Exchange, Presented};
use super::words::{Meaning, is_refusal};
use crate::challenge::{Challenge, Challenges};

/// How much of a body is looked at: an error says what it is at its beginning.
const LOOKED_AT: usize = 4 << 10;

/// An exchange, with what several rules want to know of it.
pub(super) struct Seen<'e> {
    pub(super) exchange: &'e Exchange<'e>,
    pub(super) challenges: &'e Challenges,
    /// The body in lower case.
    text: OnceCell<String>,
}

impl<'e> Seen<'e> {
    pub(super) fn new(exchange: &'e Exchange<'e>, challenges: &'e Challenges) -> Self {
        Self { exchange, challenges, text: OnceCell::new() }
    }

    pub(super) fn status(&self) -> u16 {
        self.exchange.status.as_u16()
    }

    pub(super) fn is(&self, status: u16) -> bool {
        self.status() == status
    }

    pub(super) fn has_nothing(&self) -> bool {
        self.exchange.presented == Presented::Nothing
    }

    /// Whether the request is known to have carried a credential.
    pub(super) fn has_something(&self) -> bool {
        self.has_token() || self.exchange.presented == Presented::Other
    }

    pub(super) fn has_token(&self) -> bool {
        self.exchange.presented == Presented::Token
    }

    pub(super) fn header(&self, name: HeaderName) -> Option<&'e str> {
        self.exchange.headers.get(name)?.to_str().ok()
    }

    /// Whether the body has that meaning.
    pub(super) fn says(&self, meaning: &Meaning) -> bool {
        meaning.is_in(self.text())
    }

    /// Whether the body is a JSON object that reports a refused credential as its own error.
    pub(super) fn is_refusal(&self) -> bool {
        is_refusal(self.text())
    }

    fn text(&self) -> &str {
        let body = &self.exchange.body[..self.exchange.body.len().min(LOOKED_AT)];
        self.text.get_or_init(|| String::from_utf8_lossy(body).to_lowercase())
    }

    /// The challenges of token schemes.
    pub(super) fn token_challenges(&self) -> impl Iterator<Item = Challenge<'e>> {
        self.challenges.iter().filter(|challenge| challenge.is("Bearer") || challenge.is("DPoP"))
    }

    pub(super) fn any(&self, scheme: &str, broken: impl Fn(&Challenge<'e>) -> bool) -> bool {
        self.challenges.iter().any(|challenge| challenge.is(scheme) && broken(&challenge))
    }

    /// Whether a challenge of a token scheme has that `error`.
    pub(super) fn has_error(&self, code: &str) -> bool {
        self.token_challenges().any(|challenge| challenge.param("error").is_some_and(|error| error == code))
    }

    /// The values of all parameters of these names.
    pub(super) fn values(&self, names: &'static [&'static str]) -> impl Iterator<Item = Cow<'e, str>> {
        // A realm is a name that only its server knows the sense of, but for a Bearer challenge of a registry.
        let all = self.challenges.iter();
        all.flat_map(move |challenge| {
            let means = move |name: &&&str| **name != "realm" || challenge.is("Bearer");
            names.iter().filter(means).filter_map(move |name| challenge.param(name))
        })
    }

    /// The scheme that would be asked for: the first one that was, or Bearer.
    pub(super) fn scheme(&self) -> &'static str {
        let known = ["Bearer", "DPoP", "Basic", "Digest"];
        let first = self.challenges.iter().find_map(|challenge| known.iter().find(|scheme| challenge.is(scheme)));
        first.copied().unwrap_or("Bearer")
    }
}
