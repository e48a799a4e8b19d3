//! Which refresh token replaced another.
//!
//! A renewal uses up its refresh token even if its result is dropped, for example because a login finished first. Then the
//! next renewal must use the replacement.

use tokio::sync::{Mutex, MutexGuard};

use reqwest_challenge::Secret;

/// How many replaced tokens are remembered: as many renewals in a row may be dropped.
const MAX_REPLACED: usize = 8;

/// Runs one renewal after the other, and remembers the replacements.
#[derive(Default)]
pub(in crate::oauth) struct Rotation(Mutex<Replacements>);

/// The tokens that were replaced last, and the token that is valid now.
#[derive(Default)]
pub(in crate::oauth) struct Replacements {
    replaced: Vec<Secret>,
    latest: Option<Secret>,
}

impl Rotation {
    /// Waits until no other renewal runs.
    pub(in crate::oauth) async fn lock(&self) -> MutexGuard<'_, Replacements> {
        self.0.lock().await
    }
}

impl Replacements {
    /// The token that replaced this one, or this one if no replacement is known.
    pub(in crate::oauth) fn latest_of<'r>(&'r self, token: &'r Secret) -> &'r Secret {
        self.latest.as_ref().filter(|_| self.replaced.contains(token)).unwrap_or(token)
    }

    /// Whether a replacement of the token is known.
    pub(in crate::oauth) fn knows(&self, token: &Secret) -> bool {
        self.replaced.contains(token)
    }

    /// Remembers that `new` replaced `old`.
    pub(in crate::oauth) fn replace(&mut self, old: &Secret, new: &Secret) {
        if old == new {
            return;
        }
        // The tokens of another login form another chain.
        if self.latest.as_ref().is_some_and(|latest| latest != old) {
            self.replaced.clear();
        }
        if self.replaced.len() == MAX_REPLACED {
            self.replaced.remove(0);
        }
        self.replaced.push(old.clone());
        self.latest = Some(new.clone());
    }

    pub(in crate::oauth) fn clear(&mut self) {
        *self = Self::default();
    }
}
