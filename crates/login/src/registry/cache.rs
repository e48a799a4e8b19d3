//! The fetched tokens.
//!
//! Two requests of one partition need the same scopes, and two partitions may need the same scopes. So the cache maps a
//! partition to the key of a token, and the key to the token.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use super::partition::Partition;
use crate::util::lock;
use reqwest_challenge::Secret;

/// How many partitions are remembered, and how many tokens: more than one pull or push needs.
const MAX_ENTRIES: usize = 256;

/// A token, and how long it is valid.
pub(super) struct Token {
    pub(super) text: Secret,
    pub(super) lifetime: Duration,
}

/// What a token was requested with.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct TokenKey {
    pub(super) realm: String,
    pub(super) service: Option<String>,
    pub(super) scopes: Vec<String>,
}

#[derive(Default)]
pub(super) struct Cache(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    /// Which token a partition uses. The partition that was used last is at the end.
    partitions: Vec<(Partition, TokenKey)>,
    tokens: Vec<CachedToken>,
}

struct CachedToken {
    key: TokenKey,
    text: Secret,
    /// When the token is no longer used. `None` if the time is beyond the range of the clock.
    end: Option<SystemTime>,
}

impl Cache {
    /// The token for that partition, if there is one that is still valid.
    pub(super) fn token(&self, partition: &Partition, now: SystemTime) -> Option<Secret> {
        let mut entries = self.lock();
        let position = entries.partitions.iter().position(|(other, _)| other == partition)?;
        let used = entries.partitions.remove(position);
        let cached = entries.tokens.iter().find(|token| token.key == used.1);
        let text = cached.filter(|token| token.end.is_none_or(|end| now < end)).map(|token| token.text.clone());
        entries.partitions.push(used);
        text
    }

    pub(super) fn insert(&self, partition: Partition, key: TokenKey, token: Token, now: SystemTime) {
        // Stops using the token after nine tenths of its lifetime, so that it does not expire on the way.
        let end = now.checked_add(token.lifetime - token.lifetime / 10);
        let mut entries = self.lock();
        entries.partitions.retain(|(other, _)| *other != partition);
        entries.tokens.retain(|other| other.key != key);
        if entries.partitions.len() == MAX_ENTRIES {
            entries.partitions.remove(0);
        }
        if entries.tokens.len() == MAX_ENTRIES {
            entries.tokens.remove(0);
        }
        entries.partitions.push((partition, key.clone()));
        entries.tokens.push(CachedToken { key, text: token.text, end });
    }

    pub(super) fn clear(&self) {
        *self.lock() = Entries::default();
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        lock(&self.0)
    }
}
