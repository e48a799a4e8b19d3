//! A challenge seen as what its scheme makes of it. A view sees its own challenge's parameters and nothing else.

mod bearer;
mod digest;

use std::borrow::Cow;

pub use bearer::{Bearer, ClaimsError, Dpop, ErrorCode};
pub use digest::{Digest, DigestAlgorithm};

use crate::challenge::challenge::Challenge;

impl<'a> Challenge<'a> {
    /// As a `Bearer` challenge (RFC 6750 §3).
    #[must_use]
    pub fn bearer(&self) -> Option<Bearer<'a>> {
        self.is("Bearer").then_some(Bearer(*self))
    }

    /// As a `DPoP` challenge (RFC 9449 §7.1).
    #[must_use]
    pub fn dpop(&self) -> Option<Dpop<'a>> {
        self.is("DPoP").then_some(Dpop(*self))
    }

    /// As a `Digest` challenge (RFC 7616 §3.3).
    #[must_use]
    pub fn digest(&self) -> Option<Digest<'a>> {
        self.is("Digest").then_some(Digest(*self))
    }

    /// As a `Basic` challenge (RFC 7617 §2).
    #[must_use]
    pub fn basic(&self) -> Option<Basic<'a>> {
        self.is("Basic").then_some(Basic(*self))
    }

    /// Views the challenge as that of a container registry: a `Bearer` challenge with a `realm`, and with a `service`
    /// or a `realm` that is an `http` or `https` URL.
    #[must_use]
    pub fn registry(&self) -> Option<Registry<'a>> {
        let realm = self.realm().filter(|_| self.is("Bearer"))?;
        let is_url = || url::Url::parse(&realm).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        (self.first("service").is_some() || is_url()).then_some(Registry(*self))
    }

    /// As a `Cargo` challenge, which a registry of crates sends.
    #[must_use]
    pub fn cargo(&self) -> Option<Cargo<'a>> {
        self.is("Cargo").then_some(Cargo(*self))
    }

    fn error(&self) -> Option<ErrorCode> {
        self.param("error").map(|code| ErrorCode::new(&code))
    }

    fn words(&self, name: &str) -> Vec<Cow<'a, str>> {
        self.param(name).map_or_else(Vec::new, |value| split(value, |character| character == ' '))
    }

    fn flag(&self, name: &str) -> bool {
        self.param(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// The pieces between separators, borrowed where the text is.
fn split(text: Cow<'_, str>, separator: fn(char) -> bool) -> Vec<Cow<'_, str>> {
    match text {
        Cow::Borrowed(text) => text.split(separator).filter(|word| !word.is_empty()).map(Cow::Borrowed).collect(),
        Cow::Owned(text) => {
            text.split(separator).filter(|word| !word.is_empty()).map(|word| Cow::Owned(word.to_owned())).collect()
        }
    }
}

/// Whether `charset` says UTF-8, the only value that it has.
fn is_utf8(challenge: &Challenge<'_>) -> bool {
    challenge.param("charset").is_some_and(|charset| charset.eq_ignore_ascii_case("UTF-8"))
}

/// A `Basic` challenge (RFC 7617 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basic<'a>(Challenge<'a>);

impl<'a> Basic<'a> {
    /// The protection space. The RFC wants it; servers leave it out.
    #[must_use]
    pub fn realm(&self) -> Option<Cow<'a, str>> {
        self.0.realm()
    }

    /// Whether user name and password are to be encoded in UTF-8: `charset`, of which that is the only value.
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        is_utf8(&self.0)
    }
}

/// A container registry's `Bearer` challenge: where a token for which service and scope is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registry<'a>(Challenge<'a>);

impl<'a> Registry<'a> {
    /// The URL of the token server. Whoever dials it must check it first.
    #[must_use]
    pub fn realm(&self) -> Cow<'a, str> {
        self.0.realm().unwrap_or_default()
    }

    /// The service that the token is for. Empty if the registry names none.
    #[must_use]
    pub fn service(&self) -> Cow<'a, str> {
        self.0.param("service").unwrap_or_default()
    }

    /// The scopes that are needed, such as `repository:library/alpine:pull`, in their order: of every `scope` parameter,
    /// because a registry that asks for several may send one parameter for each.
    #[must_use]
    pub fn scopes(&self) -> Vec<Cow<'a, str>> {
        self.0.param_all("scope").flat_map(|value| split(value, |character| character == ' ')).collect()
    }
}

/// A `Cargo` challenge, which a registry of crates sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cargo<'a>(Challenge<'a>);

impl<'a> Cargo<'a> {
    /// The page where a person gets a token.
    #[must_use]
    pub fn login_url(&self) -> Option<Cow<'a, str>> {
        self.0.param("login_url")
    }
}
