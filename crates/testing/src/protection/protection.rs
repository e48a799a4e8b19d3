//! What a path of a mock API requires of a request.

use std::fmt;
use std::sync::Arc;

use http::HeaderName;

use super::basic::basic_pair;
use super::judgement::Judgement;
#[cfg(feature = "dpop")]
use super::proof::{ProofTarget, proven_key};
use super::tokens::Tokens;
use crate::message::{Answer, ReceivedRequest};

type Check = dyn Fn(&ReceivedRequest) -> Judgement + Send + Sync;

/// The credential that a path of a mock API requires.
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
    /// A bearer token of the API's [`Tokens`] (RFC 6750).
    #[must_use]
    pub fn bearer() -> Self {
        Self(Kind::Bearer)
    }

    /// A token that is bound to a key, with a proof of that key (RFC 9449 §7). A
    /// [`MockIdentityProvider`](crate::MockIdentityProvider) binds the tokens that it issues for a proof.
    /// [`Tokens::bind`] binds any other token.
    #[cfg(feature = "dpop")]
    #[must_use]
    pub fn dpop() -> Self {
        Self(Kind::Dpop { nonce: None })
    }

    /// Like [`dpop`](Self::dpop), and the proof must have this nonce. Each answer contains the nonce (RFC 9449 §9).
    ///
    /// # Panics
    /// If the nonce contains a control character.
    #[cfg(feature = "dpop")]
    #[must_use]
    #[track_caller]
    pub fn dpop_with_nonce(nonce: impl Into<String>) -> Self {
        let nonce = nonce.into();
        assert!(
            http::HeaderValue::from_str(&nonce).is_ok(),
            "`{}` is not a nonce: it contains a control character",
            nonce.escape_debug()
        );
        Self(Kind::Dpop { nonce: Some(nonce) })
    }

    /// The nonce that each answer contains.
    #[cfg(feature = "dpop")]
    pub(crate) fn nonce(&self) -> Option<&str> {
        match &self.0 {
            Kind::Dpop { nonce } => nonce.as_deref(),
            _ => None,
        }
    }

    /// This user name and password by Basic (RFC 7617).
    #[must_use]
    pub fn basic(user: &str, password: &str) -> Self {
        Self(Kind::Basic { pair: format!("{user}:{password}") })
    }

    /// This value in this header field.
    #[must_use]
    pub fn api_key(name: HeaderName, value: impl Into<String>) -> Self {
        Self(Kind::Key { name, value: value.into() })
    }

    /// Asks `check` about each request. The 401 of a refusal has `challenge` as its `WWW-Authenticate` field.
    #[must_use]
    pub fn custom(
        challenge: impl Into<String>,
        check: impl Fn(&ReceivedRequest) -> Judgement + Send + Sync + 'static,
    ) -> Self {
        Self(Kind::Custom { challenge: challenge.into(), check: Arc::new(check) })
    }

    /// The header field with the API key.
    pub(crate) fn key_header(&self) -> Option<HeaderName> {
        match &self.0 {
            Kind::Key { name, .. } => Some(name.clone()),
            _ => None,
        }
    }

    /// The judgement about the credential of a request, where this scope is required.
    pub(crate) fn judge(&self, request: &ReceivedRequest, tokens: &Tokens, scope: Option<&str>) -> Judgement {
        let compare = |name: &HeaderName, wanted: &str| match request.headers.get(name) {
            None => Judgement::NoCredential,
            Some(value) if value.as_bytes() == wanted.as_bytes() => Judgement::Accepted,
            Some(_) => Judgement::Unknown,
        };
        let judgement = match &self.0 {
            #[cfg(feature = "dpop")]
            Kind::Bearer if tokens.bound_to(request.token()).is_some() => return Judgement::Unknown,
            Kind::Bearer => return tokens.judge(request.token(), scope),
            #[cfg(feature = "dpop")]
            Kind::Dpop { nonce } => return judge_bound(request, tokens, scope, nonce.as_deref()),
            Kind::Basic { pair } => match basic_pair(request) {
                None => Judgement::NoCredential,
                Some(sent) if sent == *pair => Judgement::Accepted,
                Some(_) => Judgement::Unknown,
            },
            Kind::Key { name, value } => compare(name, value),
            Kind::Custom { check, .. } => check(request),
        };
        match (judgement, scope) {
            // These credentials have no scopes.
            (Judgement::Accepted, Some(scope)) => Judgement::MissingScope(scope.to_owned()),
            (judgement, _) => judgement,
        }
    }

    /// Whether the scheme has error codes (RFC 6750 §3.1, RFC 9449 §7.1).
    fn has_error_codes(&self) -> bool {
        match self.0 {
            Kind::Bearer => true,
            #[cfg(feature = "dpop")]
            Kind::Dpop { .. } => true,
            _ => false,
        }
    }

    /// The 401 or 403 that the RFCs require for that judgement. `None` if the credential is accepted.
    pub(crate) fn refusal(&self, judgement: &Judgement) -> Option<Answer> {
        let challenge = match &self.0 {
            Kind::Bearer => "Bearer realm=\"mock\"",
            #[cfg(feature = "dpop")]
            Kind::Dpop { .. } => "DPoP realm=\"mock\", algs=\"ES256\"",
            Kind::Basic { .. } => "Basic realm=\"mock\", charset=\"UTF-8\"",
            // No scheme is registered for API keys, but a 401 needs a challenge.
            Kind::Key { .. } => "ApiKey realm=\"mock\"",
            Kind::Custom { challenge, .. } => challenge,
        };
        let has_codes = self.has_error_codes();
        let with_error = |code: &str, why: &str| match has_codes {
            true => format!("{challenge}, error=\"{code}\", error_description=\"{why}\""),
            false => challenge.to_owned(),
        };
        let invalid = |why: &str| with_error("invalid_token", why);
        let answer = match judgement {
            Judgement::Accepted => return None,
            Judgement::MissingScope(scope) => {
                let line = format!("{challenge}, error=\"insufficient_scope\", scope=\"{scope}\"");
                let answer = Answer::new(403);
                if has_codes { answer.header("www-authenticate", line) } else { answer }
            }
            Judgement::NoCredential => Answer::unauthorized([challenge]),
            Judgement::Unknown => Answer::unauthorized([&*invalid("the token is unknown")]),
            Judgement::Expired => Answer::unauthorized([&*invalid("the token expired")]),
            Judgement::Revoked => Answer::unauthorized([&*invalid("the token was revoked")]),
            #[cfg(feature = "dpop")]
            Judgement::InvalidProof(why) => Answer::unauthorized([&*with_error("invalid_dpop_proof", why)]),
            #[cfg(feature = "dpop")]
            Judgement::NonceRequired(nonce) => {
                Answer::unauthorized([&*with_error("use_dpop_nonce", "the proof needs a nonce")])
                    .header("dpop-nonce", nonce)
            }
        };
        Some(answer)
    }
}

/// The judgement about a token that is bound to a key (RFC 9449 §7.1).
#[cfg(feature = "dpop")]
fn judge_bound(request: &ReceivedRequest, tokens: &Tokens, scope: Option<&str>, nonce: Option<&str>) -> Judgement {
    let Some(token) = request.token_by("dpop") else {
        // A bearer token is not accepted here.
        return if request.credential().is_some() { Judgement::Unknown } else { Judgement::NoCredential };
    };
    let judgement = tokens.judge(token, scope);
    if !matches!(judgement, Judgement::Accepted | Judgement::MissingScope(_)) {
        return judgement;
    }
    match proven_key(request, &ProofTarget { token: Some(token), nonce }, tokens) {
        Ok(key) if tokens.bound_to(token).as_ref() == Some(&key) => judgement,
        Ok(_) => Judgement::Unknown,
        Err(judgement) => judgement,
    }
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
