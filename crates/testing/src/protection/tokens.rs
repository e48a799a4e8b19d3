//! The tokens that exist, shared by an API and the provider that issues them.

use std::collections::HashMap;
#[cfg(feature = "dpop")]
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use reqwest_challenge::Clock;

use super::judgement::Judgement;
use crate::util::lock;

/// The table of the tokens that mock servers accept. All clones share one table.
#[derive(Clone)]
pub struct Tokens {
    table: Arc<Mutex<Table>>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Table {
    tokens: HashMap<String, Token>,
    issued: usize,
    /// The `jti` of each proof and assertion that was accepted. Each is valid once.
    #[cfg(feature = "dpop")]
    used_ids: HashSet<String>,
}

struct Token {
    scopes: Vec<String>,
    expires: Option<SystemTime>,
    /// `Accepted`, `Expired` or `Revoked`, as the test set it.
    state: Judgement,
    /// The number of the login that the token belongs to.
    family: Option<usize>,
    /// The thumbprint of the key that the token is bound to.
    #[cfg(feature = "dpop")]
    bound_to: Option<String>,
}

impl Tokens {
    /// An empty table with the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(SystemTime::now)
    }

    /// An empty table with this clock, for example a [`ManualClock`](crate::ManualClock).
    #[must_use]
    pub fn with_clock(clock: impl Clock) -> Self {
        Self { table: Arc::default(), clock: Arc::new(clock) }
    }

    /// Adds this token, for all scopes and without an expiry.
    pub fn accept(&self, token: &str) -> &Self {
        self.accept_with(token, ["*"], None)
    }

    /// Adds this token with these scopes and this lifetime from now. The scope `*` stands for all scopes.
    pub fn accept_with<S: Into<String>>(
        &self,
        token: &str,
        scopes: impl IntoIterator<Item = S>,
        lifetime: Option<Duration>,
    ) -> &Self {
        let scopes = scopes.into_iter().map(Into::into).collect();
        self.insert(token.to_owned(), scopes, lifetime, None);
        self
    }

    /// Adds a token and returns it: `mock-token-000001`, `mock-token-000002` and so on.
    pub fn issue<S: Into<String>>(&self, scopes: impl IntoIterator<Item = S>, lifetime: Option<Duration>) -> String {
        self.issue_in(None, scopes.into_iter().map(Into::into).collect(), lifetime)
    }

    /// Adds a token. `family` is the number of the login that the token belongs to, if it belongs to one.
    pub(crate) fn issue_in(&self, family: Option<usize>, scopes: Vec<String>, lifetime: Option<Duration>) -> String {
        let token = {
            let mut table = self.lock();
            table.issued += 1;
            format!("mock-token-{:06}", table.issued)
        };
        self.insert(token.clone(), scopes, lifetime, family);
        token
    }

    fn insert(&self, token: String, scopes: Vec<String>, lifetime: Option<Duration>, family: Option<usize>) {
        let expires = lifetime.and_then(|lifetime| self.clock.now().checked_add(lifetime));
        let entry = Token {
            scopes,
            expires,
            state: Judgement::Accepted,
            family,
            #[cfg(feature = "dpop")]
            bound_to: None,
        };
        self.lock().tokens.insert(token, entry);
    }

    /// Binds this token to the key with this thumbprint. From now on the token is accepted only with a DPoP proof of that
    /// key, and not as a bearer token (RFC 9449 §7.2).
    #[cfg(feature = "dpop")]
    pub fn bind(&self, token: &str, thumbprint: &str) {
        if let Some(token) = self.lock().tokens.get_mut(token) {
            token.bound_to = Some(thumbprint.to_owned());
        }
    }

    /// The thumbprint of the key that the token is bound to.
    #[cfg(feature = "dpop")]
    pub(crate) fn bound_to(&self, token: &str) -> Option<String> {
        self.lock().tokens.get(token)?.bound_to.clone()
    }

    /// Whether the `jti` of a proof or an assertion is used for the first time.
    #[cfg(feature = "dpop")]
    pub(crate) fn is_first_use(&self, id: &serde_json::Value) -> bool {
        id.as_str().is_some_and(|id| self.lock().used_ids.insert(id.to_owned()))
    }

    /// The time, in seconds since 1970.
    #[cfg(feature = "dpop")]
    pub(crate) fn seconds(&self) -> u64 {
        self.clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
    }

    /// Makes this token expire now.
    pub fn expire_now(&self, token: &str) {
        self.set_state(Judgement::Expired, |name, _| name == token);
    }

    /// Makes all tokens that exist now expired.
    pub fn expire_all(&self) {
        self.set_state(Judgement::Expired, |_, _| true);
    }

    /// Revokes this token.
    pub fn revoke(&self, token: &str) {
        self.set_state(Judgement::Revoked, |name, _| name == token);
    }

    /// Revokes all tokens of this login.
    pub(crate) fn revoke_family(&self, family: usize) {
        self.set_state(Judgement::Revoked, |_, token| token.family == Some(family));
    }

    fn set_state(&self, state: Judgement, is_affected: impl Fn(&str, &Token) -> bool) {
        let mut table = self.lock();
        table.tokens.iter_mut().filter(|(name, token)| is_affected(name, token)).for_each(|(_, token)| {
            token.state = state.clone();
        });
    }

    /// The judgement about this token, where this scope is required.
    #[must_use]
    pub fn judge(&self, token: &str, scope: Option<&str>) -> Judgement {
        let now = self.clock.now();
        let table = self.lock();
        match table.tokens.get(token) {
            _ if token.is_empty() => Judgement::NoCredential,
            None => Judgement::Unknown,
            Some(token) if token.state != Judgement::Accepted => token.state.clone(),
            Some(token) if token.expires.is_some_and(|expires| expires <= now) => Judgement::Expired,
            Some(token) => {
                let missing = scope.filter(|scope| !token.scopes.iter().any(|held| held == "*" || held == scope));
                missing.map_or(Judgement::Accepted, |scope| Judgement::MissingScope(scope.to_owned()))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        lock(&self.table)
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("count", &self.lock().tokens.len()).finish_non_exhaustive()
    }
}
