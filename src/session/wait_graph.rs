//! Which sessions wait for which. Two refreshers that send requests through each other's client would wait forever.
//!
//! Only waits from inside a refresher are recorded, as the numbers of two sessions. The sessions share nothing else.

use std::sync::Mutex;

use super::sync::lock;

/// All waits from inside a refresher, in the whole process.
static WAITS: Mutex<Vec<Edge>> = Mutex::new(Vec::new());

/// The refresher of the session `waiter` waits for the session `target`.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Edge {
    waiter: usize,
    target: usize,
}

/// One recorded wait. Dropping it ends the wait.
pub(super) struct RecordedWait(Option<Edge>);

impl RecordedWait {
    /// A wait from outside of a refresher, which is not recorded.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Records that the innermost of the sessions `above` waits for `target`. Does nothing if `above` is empty.
    ///
    /// # Errors
    /// If `target` already waits for one of the sessions above, so that neither wait would end.
    pub(super) fn begin(above: &[usize], target: usize) -> Result<Self, Deadlock> {
        let Some(innermost) = above.last() else { return Ok(Self(None)) };
        let mut waits = lock(&WAITS);
        let mut reached = vec![target];
        let mut visited = 0;
        while let Some(from) = reached.get(visited).copied() {
            if above.contains(&from) {
                return Err(Deadlock);
            }
            let next = waits.iter().filter(|edge| edge.waiter == from).map(|edge| edge.target);
            let new: Vec<_> = next.filter(|to| !reached.contains(to)).collect();
            reached.extend(new);
            visited += 1;
        }
        let edge = Edge { waiter: *innermost, target };
        waits.push(edge);
        Ok(Self(Some(edge)))
    }
}

/// The error for a wait that would never end.
pub(super) struct Deadlock;

impl Drop for RecordedWait {
    fn drop(&mut self) {
        let Some(edge) = self.0 else { return };
        let mut waits = lock(&WAITS);
        if let Some(at) = waits.iter().position(|other| *other == edge) {
            waits.swap_remove(at);
        }
    }
}
