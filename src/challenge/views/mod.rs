//! Typed views: the parameters that a scheme defines, of one challenge.

mod bearer;
mod digest;

use std::borrow::Cow;

pub use bearer::{BearerChallenge, ClaimsError, DpopChallenge, ErrorCode};
pub use digest::{DigestAlgorithm, DigestChallenge};

use crate::challenge::challenge::Challenge;

impl<'a> Challenge<'a> {
    /// The view as a `Bearer` challenge (RFC 6750 §3). `None` for another scheme.
    #[must_use]
    pub fn bearer(&self) -> Option<BearerChallenge<'a>> {
        self.is("Bearer").then_some(BearerChallenge(*self))
    }

    /// The view as a `DPoP` challenge (RFC 9449 §7.1). `None` for another scheme.
    #[must_use]
    pub fn dpop(&self) -> Option<DpopChallenge<'a>> {
        self.is("DPoP").then_some(DpopChallenge(*self))
    }

    /// The view as a `Digest` challenge (RFC 7616 §3.3). `None` for another scheme.
    #[must_use]
    pub fn digest(&self) -> Option<DigestChallenge<'a>> {
        self.is("Digest").then_some(DigestChallenge(*self))
    }

    /// The view as a `Basic` challenge (RFC 7617 §2). `None` for another scheme.
    #[must_use]
    pub fn basic(&self) -> Option<BasicChallenge<'a>> {
        self.is("Basic").then_some(BasicChallenge(*self))
    }

    /// The view as a challenge of a container registry. `None` unless the scheme is `Bearer`, there is a `realm`, and there
    /// is a `service` or the `realm` is an `http` or `https` URL.
    #[must_use]
    pub fn registry(&self) -> Option<RegistryChallenge<'a>> {
        let realm = self.realm().filter(|_| self.is("Bearer"))?;
        let is_url = || url::Url::parse(&realm).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        (self.first("service").is_some() || is_url()).then_some(RegistryChallenge(*self))
    }

    /// The view as a `Cargo` challenge, which a registry of crates sends. `None` for another scheme.
    #[must_use]
    pub fn cargo(&self) -> Option<CargoChallenge<'a>> {
        self.is("Cargo").then_some(CargoChallenge(*self))
    }

    fn error(&self) -> Option<ErrorCode> {
        self.param("error").map(|code| ErrorCode::new(&code))
    }

    /// The words of a parameter, separated by spaces.
    fn words(&self, name: &str) -> Vec<Cow<'a, str>> {
        self.param(name).map_or_else(Vec::new, |value| split(value, |character| character == ' '))
    }

    /// Whether a parameter is `true`, in upper or lower case.
    fn is_true(&self, name: &str) -> bool {
        self.param(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// The pieces between separators. They borrow from the text if it is borrowed.
fn split(text: Cow<'_, str>, separator: fn(char) -> bool) -> Vec<Cow<'_, str>> {
    match text {
        Cow::Borrowed(text) => text.split(separator).filter(|word| !word.is_empty()).map(Cow::Borrowed).collect(),
        Cow::Owned(text) => {
            text.split(separator).filter(|word| !word.is_empty()).map(|word| Cow::Owned(word.to_owned())).collect()
        }
    }
}

/// Whether `charset` is UTF-8, the only value that RFC 7617 §2.1 defines.
fn is_utf8(challenge: &Challenge<'_>) -> bool {
    challenge.param("charset").is_some_and(|charset| charset.eq_ignore_ascii_case("UTF-8"))
}

/// A `Basic` challenge (RFC 7617 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicChallenge<'a>(Challenge<'a>);

impl<'a> BasicChallenge<'a> {
    /// The protection space. The RFC requires it, but some servers do not send it.
    #[must_use]
    pub fn realm(&self) -> Option<Cow<'a, str>> {
        self.0.realm()
    }

    /// Whether the server expects the user name and the password in UTF-8 (`charset`).
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        is_utf8(&self.0)
    }
}

/// A `Bearer` challenge of a container registry: the URL of the token server, and the service and the scopes to ask it for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistryChallenge<'a>(Challenge<'a>);

impl<'a> RegistryChallenge<'a> {
    /// The URL of the token server. Check the URL before you send a request to it: the server that sent the challenge chose
    /// it.
    #[must_use]
    pub fn realm(&self) -> Cow<'a, str> {
        self.0.realm().unwrap_or_default()
    }

    /// The service that the token is for. Empty if the challenge names none.
    #[must_use]
    pub fn service(&self) -> Cow<'a, str> {
        self.0.param("service").unwrap_or_default()
    }

    /// The scopes that the request needs, such as `repository:library/alpine:pull`, in their order. These are the scopes of
    /// all `scope` parameters, because some registries send one parameter for each scope.
    #[must_use]
    pub fn scopes(&self) -> Vec<Cow<'a, str>> {
        self.0.param_all("scope").flat_map(|value| split(value, |character| character == ' ')).collect()
    }
}

/// A `Cargo` challenge, which a registry of crates sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CargoChallenge<'a>(Challenge<'a>);

impl<'a> CargoChallenge<'a> {
    /// The page where the user gets a token.
    #[must_use]
    pub fn login_url(&self) -> Option<Cow<'a, str>> {
        self.0.param("login_url")
    }
}
