//! The facts of an exchange that several rules need.

use std::borrow::Cow;
use std::cell::OnceCell;

use http::header::HeaderName;
use smallvec::SmallVec;
use url::Url;

use super::exchange::{Exchange, Presented};
use super::phrases::{Meaning, is_refusal};
use crate::challenge::{Challenge, Challenges};
use crate::origin::Origin;

/// The octets of a body that are read. The message of an error is at its beginning.
const MAX_BODY_READ: usize = 4 << 10;

/// The parameters that are URLs or may be URLs.
const LINKS: [&str; 4] = ["resource_metadata", "authorization_uri", "error_uri", "realm"];

/// An exchange, its challenges, and what the rules need of them. Each fact is found once for all rules.
pub(super) struct Evidence<'e> {
    pub(super) exchange: &'e Exchange<'e>,
    pub(super) challenges: &'e Challenges,
    /// The challenges of token schemes.
    tokens: SmallVec<[Challenge<'e>; 2]>,
    /// The `error` of each challenge of a token scheme that has one.
    errors: SmallVec<[Cow<'e, str>; 2]>,
    /// The links with `http` or `https`. They are read when the first rule needs them.
    links: OnceCell<Vec<Url>>,
    /// The beginning of the body in lower case. It is made when the first rule needs it.
    text: OnceCell<String>,
}

impl<'e> Evidence<'e> {
    pub(super) fn new(exchange: &'e Exchange<'e>, challenges: &'e Challenges) -> Self {
        let is_token = |challenge: &Challenge<'_>| challenge.is("Bearer") || challenge.is("DPoP");
        let tokens: SmallVec<[_; 2]> = challenges.iter().filter(is_token).collect();
        let errors = tokens.iter().filter_map(|challenge| challenge.param("error")).collect();
        Self { exchange, challenges, tokens, errors, links: OnceCell::new(), text: OnceCell::new() }
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
    pub(super) fn token_challenges(&self) -> &[Challenge<'e>] {
        &self.tokens
    }

    /// Whether a challenge of this scheme passes the test.
    pub(super) fn has_challenge(&self, scheme: &str, test: impl Fn(&Challenge<'e>) -> bool) -> bool {
        self.challenges.iter().any(|challenge| challenge.is(scheme) && test(&challenge))
    }

    /// The `error` of each challenge of a token scheme that has one.
    pub(super) fn errors(&self) -> impl Iterator<Item = &str> {
        self.errors.iter().map(|error| &**error)
    }

    /// Whether a challenge of a token scheme has this `error`.
    pub(super) fn has_error(&self, code: &str) -> bool {
        self.errors().any(|error| error == code)
    }

    /// The links of the challenges with `http` or `https`.
    pub(super) fn links(&self) -> &[Url] {
        self.links.get_or_init(|| {
            let names = |challenge: &Challenge<'e>| {
                // Only the Bearer challenge of a registry has a URL as its realm. In any other challenge the realm is a free
                // text.
                if challenge.is("Bearer") { &LINKS[..] } else { &LINKS[..3] }
            };
            let values = self.challenges.iter().flat_map(|challenge| {
                names(&challenge)
                    .iter()
                    .filter_map(move |name| challenge.param(name))
                    .filter(|value| value.contains(':'))
            });
            values.filter_map(|value| Url::parse(&value).ok()).filter(|url| Origin::of(url).is_some()).collect()
        })
    }

    /// The scheme for the challenge that the server should have sent: the first known one that it sent, or Bearer.
    pub(super) fn scheme(&self) -> &'static str {
        let known = ["Bearer", "DPoP", "Basic", "Digest"];
        let first = self.challenges.iter().find_map(|challenge| known.iter().find(|scheme| challenge.is(scheme)));
        first.copied().unwrap_or("Bearer")
    }
}
