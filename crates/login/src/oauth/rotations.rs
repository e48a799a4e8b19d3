//! What refresh tokens were replaced by: a renewal whose result nobody took has used its token up all the same.

use tokio::sync::{Mutex, MutexGuard};

use reqwest_challenge::Secret;

/// One renewal after the other, and what became of their tokens.
#[derive(Default)]
pub(super) struct Rotations(Mutex<Chain>);

/// The tokens that were replaced last, and what there is in their place now.
#[derive(Default)]
pub(super) struct Chain {
    replaced: Vec<Secret>,
    latest: Option<Secret>,
}

/// How many are remembered: as many renewals as go astray one after the other.
const ROOM: usize = 8;

impl Rotations {
    /// Waits until no renewal is under way.
    pub(super) async fn lock(&self) -> MutexGuard<'_, Chain> {
        self.0.lock().await
    }
}

impl Chain {
    /// What is there in place of that token; itself, where nothing is known to be.
    pub(super) fn latest_of<'c>(&'c self, token: &'c Secret) -> &'c Secret {
        self.latest.as_ref().filter(|_| self.replaced.contains(token)).unwrap_or(token)
    }

    pub(super) fn knows(&self, token: &Secret) -> bool {
        self.replaced.contains(token)
    }

    /// A token has taken the place of another.
    pub(super) fn replaced(&mut self, old: &Secret, new: &Secret) {
        if old == new {
            return;
        }
        // One of another login begins anew.
        if self.latest.as_ref().is_some_and(|latest| latest != old) {
            self.replaced.clear();
        }
        if self.replaced.len() == ROOM {
            self.replaced.remove(0);
        }
        self.replaced.push(old.clone());
        self.latest = Some(new.clone());
    }

    /// Nothing of it is of use any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}
