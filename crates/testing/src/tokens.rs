//! Which tokens are good: told to an API, and shared with the provider that issues them.

use crate::util::lock;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use reqwest_challenge::Clock;

/// What a server thinks of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Judgement {
    /// The server accepts the credential.
    Accepted,
    /// There is no credential: 401 without an `error` (RFC 6750 §3.1).
    NoCredential,
    /// It does not know the credential: 401 `invalid_token`.
    Unknown,
    /// The credential is expired: 401 `invalid_token`.
    Expired,
    /// The credential was revoked: 401 `invalid_token`.
    Revoked,
    /// The credential lacks that scope: 403 `insufficient_scope`.
    Lacks(String),
    /// That is wrong with the proof of a key: 401 `invalid_dpop_proof` (RFC 9449 §7.1).
    #[cfg(feature = "dpop")]
    Unproven(String),
    /// The proof is to have that nonce: 401 `use_dpop_nonce` (RFC 9449 §9).
    #[cfg(feature = "dpop")]
    WantsNonce(String),
}

/// The tokens that servers of a test take. Clones are the same table.
#[derive(Clone)]
pub struct Tokens {
    table: Arc<Mutex<Table>>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Table {
    tokens: HashMap<String, Token>,
    issued: usize,
    /// The identifiers of what was signed by a key: none is good twice.
    #[cfg(feature = "dpop")]
    signed: std::collections::HashSet<String>,
}

struct Token {
    scopes: Vec<String>,
    expires: Option<SystemTime>,
    standing: Judgement,
    family: Option<usize>,
    /// The thumbprint of the key without which it is of no use.
    #[cfg(feature = "dpop")]
    bound: Option<String>,
}

impl Tokens {
    /// An empty table, by the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(SystemTime::now)
    }

    /// An empty table with that clock, such as a [`ManualClock`](super::ManualClock).
    #[must_use]
    pub fn with_clock(clock: impl Clock) -> Self {
        Self { table: Arc::default(), clock: Arc::new(clock) }
    }

    /// Takes that token, for everything and without an end.
    pub fn accept(&self, token: &str) -> &Self {
        self.accept_with(token, ["*"], None)
    }

    /// Takes that token for these scopes (`*` is all), for that long.
    pub fn accept_with<S: Into<String>>(
        &self,
        token: &str,
        scopes: impl IntoIterator<Item = S>,
        lifetime: Option<Duration>,
    ) -> &Self {
        let scopes = scopes.into_iter().map(Into::into).collect();
        self.put(token.to_owned(), scopes, lifetime, None);
        self
    }

    /// Makes a token: `mock-token-000001` and so on, in the order in which they are made.
    pub fn issue<S: Into<String>>(&self, scopes: impl IntoIterator<Item = S>, lifetime: Option<Duration>) -> String {
        self.issue_in(None, scopes.into_iter().map(Into::into).collect(), lifetime)
    }

    pub(super) fn issue_in(&self, family: Option<usize>, scopes: Vec<String>, lifetime: Option<Duration>) -> String {
        let token = {
            let mut table = self.lock();
            table.issued += 1;
            format!("mock-token-{:06}", table.issued)
        };
        self.put(token.clone(), scopes, lifetime, family);
        token
    }

    fn put(&self, token: String, scopes: Vec<String>, lifetime: Option<Duration>, family: Option<usize>) {
        let expires = lifetime.and_then(|lifetime| self.clock.now().checked_add(lifetime));
        let token_of = Token {
            scopes,
            expires,
            standing: Judgement::Accepted,
            family,
            #[cfg(feature = "dpop")]
            bound: None,
        };
        self.lock().tokens.insert(token, token_of);
    }

    /// Binds that token to the key of that thumbprint: it is of no use by Bearer any more (RFC 9449 §7.2), and by DPoP with a proof of
    /// that key.
    #[cfg(feature = "dpop")]
    pub fn bind(&self, token: &str, thumbprint: &str) {
        if let Some(token) = self.lock().tokens.get_mut(token) {
            token.bound = Some(thumbprint.to_owned());
        }
    }

    #[cfg(feature = "dpop")]
    pub(super) fn bound(&self, token: &str) -> Option<String> {
        self.lock().tokens.get(token)?.bound.clone()
    }

    /// Whether an identifier of something signed comes for the first time.
    #[cfg(feature = "dpop")]
    pub(super) fn is_first(&self, id: &serde_json::Value) -> bool {
        id.as_str().is_some_and(|id| self.lock().signed.insert(id.to_owned()))
    }

    /// The time, in seconds since 1970.
    #[cfg(feature = "dpop")]
    pub(super) fn seconds(&self) -> u64 {
        self.clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
    }

    /// Lets that token be expired from now on.
    pub fn expire_now(&self, token: &str) {
        self.stand(Judgement::Expired, |name, _| name == token);
    }

    /// Lets all tokens be expired that there are now.
    pub fn expire_all(&self) {
        self.stand(Judgement::Expired, |_, _| true);
    }

    /// Revokes that token.
    pub fn revoke(&self, token: &str) {
        self.stand(Judgement::Revoked, |name, _| name == token);
    }

    pub(super) fn revoke_family(&self, family: usize) {
        self.stand(Judgement::Revoked, |_, token| token.family == Some(family));
    }

    fn stand(&self, standing: Judgement, of: impl Fn(&str, &Token) -> bool) {
        let mut table = self.lock();
        table.tokens.iter_mut().filter(|(name, token)| of(name, token)).for_each(|(_, token)| {
            token.standing = standing.clone();
        });
    }

    /// What is thought of that token, where that scope is needed.
    #[must_use]
    pub fn judge(&self, token: &str, scope: Option<&str>) -> Judgement {
        let now = self.clock.now();
        let table = self.lock();
        match table.tokens.get(token) {
            _ if token.is_empty() => Judgement::NoCredential,
            None => Judgement::Unknown,
            Some(token) if token.standing != Judgement::Accepted => token.standing.clone(),
            Some(token) if token.expires.is_some_and(|expires| expires <= now) => Judgement::Expired,
            Some(token) => {
                let lacking = scope.filter(|scope| !token.scopes.iter().any(|held| held == "*" || held == scope));
                lacking.map_or(Judgement::Accepted, |scope| Judgement::Lacks(scope.to_owned()))
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
        f.debug_struct("Tokens").field("known", &self.lock().tokens.len()).finish_non_exhaustive()
    }
}
