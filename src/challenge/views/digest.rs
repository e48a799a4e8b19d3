//! `Digest` challenges.

use std::borrow::Cow;
use std::fmt;

use super::{is_utf8, split};
use crate::challenge::challenge::Challenge;

/// A `Digest` challenge (RFC 7616 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestChallenge<'a>(pub(super) Challenge<'a>);

/// The hash algorithm of a `Digest` challenge, without its `-sess` suffix. `Debug` does not print unknown names, because a
/// server may repeat a secret there.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// `MD5`, also if the challenge names no algorithm.
    Md5,
    /// `SHA-256`.
    Sha256,
    /// `SHA-512-256`.
    Sha512_256,
    /// Any other name, as the server sent it.
    Other(Box<str>),
}

impl fmt::Debug for DigestAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "Md5",
            Self::Sha256 => "Sha256",
            Self::Sha512_256 => "Sha512_256",
            Self::Other(_) => "Other(_)",
        })
    }
}

impl<'a> DigestChallenge<'a> {
    /// The protection space. It is hashed together with the password.
    #[must_use]
    pub fn realm(&self) -> Option<Cow<'a, str>> {
        self.0.realm()
    }

    /// The octets of the realm, as the server sent them. Servers use different encodings, and each server hashes the
    /// octets that it sent.
    #[cfg(feature = "digest")]
    pub(crate) fn realm_octets(&self) -> Option<Cow<'a, [u8]>> {
        self.0.params().find(|param| !param.is_broken() && param.is("realm")).map(|param| param.bytes())
    }

    /// The URIs of this protection space. If there is none, the protection space is the whole server.
    #[must_use]
    pub fn domain(&self) -> Vec<Cow<'a, str>> {
        self.0.words("domain")
    }

    /// The nonce of the server.
    #[must_use]
    pub fn nonce(&self) -> Option<Cow<'a, str>> {
        self.0.param("nonce")
    }

    /// A value that the client sends back without a change.
    #[must_use]
    pub fn opaque(&self) -> Option<Cow<'a, str>> {
        self.0.param("opaque")
    }

    /// Whether only the nonce was too old (`stale`). The user name and the password were right.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.0.is_true("stale")
    }

    /// The hash algorithm. Its name is compared without regard to case and without a `-sess` suffix.
    #[must_use]
    pub fn algorithm(&self) -> DigestAlgorithm {
        let Some(name) = self.0.param("algorithm") else { return DigestAlgorithm::Md5 };
        let hash = strip_session(&name).unwrap_or(&name);
        if hash.eq_ignore_ascii_case("MD5") {
            DigestAlgorithm::Md5
        } else if hash.eq_ignore_ascii_case("SHA-256") {
            DigestAlgorithm::Sha256
        } else if hash.eq_ignore_ascii_case("SHA-512-256") {
            DigestAlgorithm::Sha512_256
        } else {
            DigestAlgorithm::Other(name.as_ref().into())
        }
    }

    /// Whether the algorithm is a session variant: its name ends with `-sess`, in upper or lower case.
    #[must_use]
    pub fn is_session(&self) -> bool {
        self.0.param("algorithm").is_some_and(|name| strip_session(&name).is_some())
    }

    /// The qualities of protection that the server offers, in their order: `auth`, `auth-int` or others. Empty for the older
    /// form of RFC 2069.
    #[must_use]
    pub fn qop(&self) -> Vec<Cow<'a, str>> {
        self.0
            .param("qop")
            .map_or_else(Vec::new, |value| split(value, |character| matches!(character, ',' | ' ' | '\t')))
    }

    /// Whether the server expects the user name and the password in UTF-8 (`charset`).
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        is_utf8(&self.0)
    }

    /// Whether the server accepts a hashed user name (`userhash`).
    #[must_use]
    pub fn has_userhash(&self) -> bool {
        self.0.is_true("userhash")
    }
}

/// The name without its suffix `-sess`, which may be in upper or lower case. `None` if the name has no such suffix.
fn strip_session(name: &str) -> Option<&str> {
    let (hash, suffix) = name.split_at_checked(name.len().checked_sub("-sess".len())?)?;
    suffix.eq_ignore_ascii_case("-sess").then_some(hash)
}
