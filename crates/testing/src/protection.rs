//! What a path asks for before it lets anybody in.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;
use http::header::AUTHORIZATION;

use crate::answer::Answer;
use crate::arrived::Arrived;
#[cfg(feature = "dpop")]
use crate::proofs::{Wanted, proven};
use crate::tokens::{Judgement, Tokens};

type Check = dyn Fn(&Arrived) -> Judgement + Send + Sync;

/// What a path of a mock takes for a credential.
#[derive(Clone)]
pub struct Protection(Kind);

#[derive(Clone)]
enum Kind {
    Bearer,
    #[cfg(feature = "dpop")]
    Dpop {
        nonce: Option<String>,
    },
    Basic {
        pair: String,
    },
    Key {
        name: HeaderName,
        value: String,
    },
    Custom {
        challenge: String,
        check: Arc<Check>,
    },
}

impl Protection {
    /// A bearer token that the API's [`Tokens`] know (RFC 6750).
    #[must_use]
    pub fn bearer() -> Self {
        Self(Kind::Bearer)
    }

    /// A token that is bound to a key, with a proof of that key (RFC 9449 §7): such a token is one that a
    /// [`MockIdentityProvider`](super::MockIdentityProvider) gave for a proof, or that [`bind`](Tokens::bind) was said of.
    #[cfg(feature = "dpop")]
    #[must_use]
    pub fn dpop() -> Self {
        Self(Kind::Dpop { nonce: None })
    }

    /// The same, with a proof that has that nonce, which each answer tells (RFC 9449 §9).
    ///
    /// # Panics
    /// If it cannot stand in a header.
    #[cfg(feature = "dpop")]
    #[must_use]
    #[track_caller]
    pub fn dpop_with_nonce(nonce: impl Into<String>) -> Self {
        let nonce = nonce.into();
        assert!(http::HeaderValue::from_str(&nonce).is_ok(), "`{}` is no nonce", nonce.escape_debug());
        Self(Kind::Dpop { nonce: Some(nonce) })
    }

    #[cfg(feature = "dpop")]
    pub(super) fn nonce(&self) -> Option<&str> {
        match &self.0 {
            Kind::Dpop { nonce } => nonce.as_deref(),
            _ => None,
        }
    }

    /// That user name and password (RFC 7617).
    #[must_use]
    pub fn basic(user: &str, password: &str) -> Self {
        Self(Kind::Basic { pair: format!("{user}:{password}") })
    }

    /// That value in that header.
    #[must_use]
    pub fn api_key(name: HeaderName, value: impl Into<String>) -> Self {
        Self(Kind::Key { name, value: value.into() })
    }

    /// Whatever the check says, and that challenge for whoever is not let in.
    #[must_use]
    pub fn custom(challenge: impl Into<String>, check: impl Fn(&Arrived) -> Judgement + Send + Sync + 'static) -> Self {
        Self(Kind::Custom { challenge: challenge.into(), check: Arc::new(check) })
    }

    pub(super) fn key(&self) -> Option<HeaderName> {
        match &self.0 {
            Kind::Key { name, .. } => Some(name.clone()),
            _ => None,
        }
    }

    pub(super) fn judge(&self, arrived: &Arrived, tokens: &Tokens, scope: Option<&str>) -> Judgement {
        let is = |name: &HeaderName, wanted: &str| match arrived.headers.get(name) {
            None => Judgement::NoCredential,
            Some(value) if value.as_bytes() == wanted.as_bytes() => Judgement::Accepted,
            Some(_) => Judgement::Unknown,
        };
        let judgement = match &self.0 {
            #[cfg(feature = "dpop")]
            Kind::Bearer if tokens.bound(arrived.token()).is_some() => return Judgement::Unknown,
            Kind::Bearer => return tokens.judge(arrived.token(), scope),
            #[cfg(feature = "dpop")]
            Kind::Dpop { nonce } => return bound(arrived, tokens, (scope, nonce.as_deref())),
            Kind::Basic { pair } => match basic(arrived) {
                None => Judgement::NoCredential,
                Some(sent) if sent == *pair => Judgement::Accepted,
                Some(_) => Judgement::Unknown,
            },
            Kind::Key { name, value } => is(name, value),
            Kind::Custom { check, .. } => check(arrived),
        };
        match (judgement, scope) {
            // Without scopes of its own such a credential has none.
            (Judgement::Accepted, Some(scope)) => Judgement::Lacks(scope.to_owned()),
            (judgement, _) => judgement,
        }
    }

    fn has_codes(&self) -> bool {
        match self.0 {
            Kind::Bearer => true,
            #[cfg(feature = "dpop")]
            Kind::Dpop { .. } => true,
            _ => false,
        }
    }

    /// What a server should answer, by the RFCs; `None` where it lets the request in.
    pub(super) fn refusal(&self, judgement: &Judgement) -> Option<Answer> {
        let challenge = match &self.0 {
            Kind::Bearer => "Bearer realm=\"mock\"",
            #[cfg(feature = "dpop")]
            Kind::Dpop { .. } => "DPoP realm=\"mock\", algs=\"ES256\"",
            Kind::Basic { .. } => "Basic realm=\"mock\", charset=\"UTF-8\"",
            // Not a registered scheme: there is none for keys, and a 401 needs a challenge.
            Kind::Key { .. } => "ApiKey realm=\"mock\"",
            Kind::Custom { challenge, .. } => challenge,
        };
        // These two have codes for what is wrong (RFC 6750 §3.1, RFC 9449 §7.1).
        let has_codes = self.has_codes();
        let wrong = |code: &str, why: &str| match has_codes {
            true => format!("{challenge}, error=\"{code}\", error_description=\"{why}\""),
            false => challenge.to_owned(),
        };
        let invalid = |why: &str| wrong("invalid_token", why);
        let answer = match judgement {
            Judgement::Accepted => return None,
            Judgement::Lacks(scope) => {
                let line = format!("{challenge}, error=\"insufficient_scope\", scope=\"{scope}\"");
                let answer = Answer::new(403);
                if has_codes { answer.header("www-authenticate", line) } else { answer }
            }
            Judgement::NoCredential => Answer::unauthorized([challenge]),
            Judgement::Unknown => Answer::unauthorized([&*invalid("the token is unknown")]),
            Judgement::Expired => Answer::unauthorized([&*invalid("the token expired")]),
            Judgement::Revoked => Answer::unauthorized([&*invalid("the token was revoked")]),
            #[cfg(feature = "dpop")]
            Judgement::Unproven(why) => Answer::unauthorized([&*wrong("invalid_dpop_proof", why)]),
            #[cfg(feature = "dpop")]
            Judgement::WantsNonce(nonce) => {
                Answer::unauthorized([&*wrong("use_dpop_nonce", "the proof needs a nonce")]).header("dpop-nonce", nonce)
            }
        };
        Some(answer)
    }
}

/// What is thought of a token with a proof (RFC 9449 §7.1).
#[cfg(feature = "dpop")]
fn bound(arrived: &Arrived, tokens: &Tokens, asked: (Option<&str>, Option<&str>)) -> Judgement {
    let (scope, nonce) = asked;
    let Some(token) = arrived.token_by("dpop") else {
        // A bearer token is none here.
        return if arrived.credential().is_some() { Judgement::Unknown } else { Judgement::NoCredential };
    };
    let judgement = tokens.judge(token, scope);
    if !matches!(judgement, Judgement::Accepted | Judgement::Lacks(_)) {
        return judgement;
    }
    match proven(arrived, &Wanted { token: Some(token), nonce }, tokens) {
        Ok(key) if tokens.bound(token).as_ref() == Some(&key) => judgement,
        Ok(_) => Judgement::Unknown,
        Err(fault) => fault,
    }
}

/// The user name and the password of `Authorization: Basic`, whose name is written in any case (RFC 7617 §2); what cannot be
/// read is nobody's.
pub(super) fn basic(arrived: &Arrived) -> Option<String> {
    let (scheme, encoded) = arrived.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let pair = || String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok();
    scheme.eq_ignore_ascii_case("basic").then(|| pair().unwrap_or_default())
}

impl fmt::Debug for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Bearer => "Protection::Bearer",
            #[cfg(feature = "dpop")]
            Kind::Dpop { .. } => "Protection::Dpop",
            Kind::Basic { .. } => "Protection::Basic",
            Kind::Key { .. } => "Protection::ApiKey",
            Kind::Custom { .. } => "Protection::Custom",
        })
    }
}
