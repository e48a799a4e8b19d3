//! Which sessions wait for which. Two refreshers that send requests through each other's client would wait for ever.
//!
//! Only waits from inside a refresher are recorded, as two numbers of sessions. Nothing else of a session is shared.

use std::sync::Mutex;

use super::sync::lock;

/// Pairs: the session whose refresher waits, and the session that it waits for.
static WAITS: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

/// One wait. Dropping it ends the wait.
pub(super) struct Waiting(Option<(usize, usize)>);

impl Waiting {
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Records that the innermost of the sessions `above` waits for `session`. Does nothing if `above` is empty.
    ///
    /// # Errors
    /// If that session already waits for one of them, so that neither wait would end.
    pub(super) fn begin(above: &[usize], session: usize) -> Result<Self, Circle> {
        let Some(innermost) = above.last() else { return Ok(Self(None)) };
        let mut waits = lock(&WAITS);
        let mut reached = vec![session];
        let mut looked = 0;
        while let Some(from) = reached.get(looked).copied() {
            if above.contains(&from) {
                return Err(Circle);
            }
            let next = waits.iter().filter(|(waiter, _)| *waiter == from).map(|(_, to)| *to);
            let new: Vec<_> = next.filter(|to| !reached.contains(to)).collect();
            reached.extend(new);
            looked += 1;
        }
        waits.push((*innermost, session));
        Ok(Self(Some((*innermost, session))))
    }
}

/// The error for a wait that would never end.
pub(super) struct Circle;

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(wait) = self.0 else { return };
        let mut waits = lock(&WAITS);
        if let Some(at) = waits.iter().position(|other| *other == wait) {
            waits.swap_remove(at);
        }
    }
}
