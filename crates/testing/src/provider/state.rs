//! The state of a provider, which all requests share.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use super::custom_grants::CustomGrants;
use super::failure::Failure;
use super::issued::Issued;
use super::logins::Logins;
use crate::protection::Tokens;
use crate::util::lock;

pub(super) struct State {
    /// The access tokens, which an API can share.
    pub(super) tokens: Tokens,
    inner: Mutex<Inner>,
}

pub(super) struct Inner {
    /// The refresh tokens.
    pub(super) grants: HashMap<String, Grant>,
    /// How many logins there were.
    pub(super) families: usize,
    /// How many refresh tokens were issued.
    pub(super) refresh_tokens: usize,
    pub(super) rotates: bool,
    pub(super) lifetime: Duration,
    pub(super) client: Option<KnownClient>,
    /// The nonce that proofs must have.
    #[cfg(feature = "dpop")]
    pub(super) nonce: Option<String>,
    /// The failures of the next token requests.
    pub(super) next_failures: VecDeque<Failure>,
    pub(super) outage: Option<Failure>,
    /// How often a refresh token was used again.
    pub(super) reuses: usize,
    /// How many tokens were issued, by `grant_type`.
    pub(super) counts: HashMap<String, usize>,
    pub(super) logins: Logins,
    pub(super) custom_grants: CustomGrants,
}

/// The only client that may request tokens, and how it authenticates.
pub(super) enum KnownClient {
    Secret {
        id: String,
        secret: String,
    },
    #[cfg(feature = "dpop")]
    Key {
        id: String,
        jwk: serde_json::Value,
    },
}

/// A refresh token.
pub(super) struct Grant {
    /// The number of the login that the token belongs to.
    pub(super) family: usize,
    pub(super) scopes: Vec<String>,
    /// Whether the token was rotated or revoked.
    pub(super) is_used: bool,
    /// The thumbprint of the key that the token is bound to.
    pub(super) bound_to: Option<String>,
}

impl State {
    pub(super) fn new(tokens: Tokens) -> Self {
        let inner = Inner {
            grants: HashMap::new(),
            families: 0,
            refresh_tokens: 0,
            rotates: true,
            lifetime: Duration::from_secs(3600),
            client: None,
            #[cfg(feature = "dpop")]
            nonce: None,
            next_failures: VecDeque::new(),
            outage: None,
            reuses: 0,
            counts: HashMap::new(),
            logins: Logins::default(),
            custom_grants: CustomGrants::default(),
        };
        Self { tokens, inner: Mutex::new(inner) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    /// Issues the tokens of a new login.
    pub(super) fn issue_login(&self, inner: &mut Inner, scopes: Vec<String>, bound_to: Option<String>) -> Issued {
        inner.families += 1;
        let family = inner.families;
        self.issue(inner, family, scopes, bound_to)
    }

    /// Issues tokens that belong to this login.
    pub(super) fn issue(
        &self,
        inner: &mut Inner,
        family: usize,
        scopes: Vec<String>,
        bound_to: Option<String>,
    ) -> Issued {
        let access_token = self.tokens.issue_in(Some(family), scopes.clone(), Some(inner.lifetime));
        inner.refresh_tokens += 1;
        let refresh_token = format!("mock-refresh-{:06}", inner.refresh_tokens);
        inner.grants.insert(refresh_token.clone(), Grant { family, scopes, is_used: false, bound_to });
        Issued { access_token, refresh_token }
    }

    /// Revokes all tokens of this login.
    pub(super) fn revoke_family(&self, inner: &mut Inner, family: usize) {
        inner.grants.values_mut().filter(|grant| grant.family == family).for_each(|grant| grant.is_used = true);
        self.tokens.revoke_family(family);
    }
}
