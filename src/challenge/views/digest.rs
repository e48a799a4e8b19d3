//! `Digest`.

use std::borrow::Cow;
use std::fmt;

use super::{is_utf8, split};
use crate::challenge::challenge::Challenge;

/// A `Digest` challenge (RFC 7616 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest<'a>(pub(super) Challenge<'a>);

/// The hash of a `Digest` challenge, without its `-sess` suffix. `Debug` does not print unknown names, because a server
/// can echo a secret there.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// `MD5`, also where the challenge names none.
    Md5,
    /// `SHA-256`.
    Sha256,
    /// `SHA-512-256`.
    Sha512_256,
    /// Any other name, as it was sent.
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

impl<'a> Digest<'a> {
    /// The protection space, which is hashed with the password.
    #[must_use]
    pub fn realm(&self) -> Option<Cow<'a, str>> {
        self.0.realm()
    }

    /// The realm in the octets that the server sent. Servers use different encodings, and they hash the octets they
    /// sent.
    #[cfg(feature = "digest")]
    pub(crate) fn realm_octets(&self) -> Option<Cow<'a, [u8]>> {
        self.0.params().find(|param| !param.is_broken() && param.is("realm")).map(|param| param.bytes())
    }

    /// The URIs that share this protection space; none means the whole server.
    #[must_use]
    pub fn domain(&self) -> Vec<Cow<'a, str>> {
        self.0.words("domain")
    }

    /// The server's nonce.
    #[must_use]
    pub fn nonce(&self) -> Option<Cow<'a, str>> {
        self.0.param("nonce")
    }

    /// What is handed back as it came.
    #[must_use]
    pub fn opaque(&self) -> Option<Cow<'a, str>> {
        self.0.param("opaque")
    }

    /// Whether only the nonce was too old: the user name and the password were right.
    #[must_use]
    pub fn stale(&self) -> bool {
        self.0.flag("stale")
    }

    /// The hash, in any case, and whether it is the `-sess` variant.
    #[must_use]
    pub fn algorithm(&self) -> (DigestAlgorithm, bool) {
        let Some(name) = self.0.param("algorithm") else { return (DigestAlgorithm::Md5, false) };
        let upper = name.to_ascii_uppercase();
        let (hash, sess) = upper.strip_suffix("-SESS").map_or((upper.as_str(), false), |hash| (hash, true));
        match hash {
            "MD5" => (DigestAlgorithm::Md5, sess),
            "SHA-256" => (DigestAlgorithm::Sha256, sess),
            "SHA-512-256" => (DigestAlgorithm::Sha512_256, sess),
            _ => (DigestAlgorithm::Other(name.as_ref().into()), sess),
        }
    }

    /// The qualities of protection on offer, in their order: `auth`, `auth-int`, others. None is RFC 2069's mode.
    #[must_use]
    pub fn qop(&self) -> Vec<Cow<'a, str>> {
        self.0
            .param("qop")
            .map_or_else(Vec::new, |value| split(value, |character| matches!(character, ',' | ' ' | '\t')))
    }

    /// Whether user name and password are to be encoded in UTF-8.
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        is_utf8(&self.0)
    }

    /// Whether the server takes a hashed user name.
    #[must_use]
    pub fn userhash(&self) -> bool {
        self.0.flag("userhash")
    }
}
