//! Bounds how many refreshes a server can cause that refuses every new credential. The budget reads no clock; its callers
//! pass the time.

use std::time::{Duration, SystemTime};

/// How many new credentials in a row may be refused in one slot: one bad credential, one more attempt, and one race.
pub(crate) const MAX_SLOT_REFUSALS: u32 = 3;
/// How many new credentials in a row may be refused in a whole session, over all slots. A registry may refuse some
/// repositories.
pub(crate) const MAX_SESSION_REFUSALS: u32 = 32;
/// How long no refresh starts after the budget is spent for the first time. Each further refusal doubles the pause.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_secs(300);

/// A budget that was spent just now.
#[derive(Debug)]
pub(crate) struct Spent {
    /// How long no refresh starts.
    pub(crate) pause: Duration,
    /// Whether it is the budget of the whole session.
    pub(crate) is_of_session: bool,
}

/// Counts the new credentials that the server refused in a row.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    refusals: u32,
    /// In a box, because it is rare and a pool has many sessions.
    pause: Option<Box<Pause>>,
}

#[derive(Debug)]
struct Pause {
    since: SystemTime,
    span: Duration,
}

impl Budget {
    /// Counts the refusal of a new credential. After `limit` refusals a pause begins, and each further refusal doubles it.
    /// Returns the pause that begins now.
    pub(crate) fn count_refusal(&mut self, limit: u32, now: SystemTime) -> Option<Duration> {
        self.refusals = self.refusals.saturating_add(1);
        if self.refusals < limit {
            return None;
        }
        let span = self.pause.as_ref().map_or(FIRST_PAUSE, |pause| (pause.span * 2).min(MAX_PAUSE));
        self.pause = Some(Box::new(Pause { since: now, span }));
        Some(span)
    }

    /// Starts again, because the server accepted a credential or the caller requested a new start.
    pub(crate) fn clear(&mut self) {
        (self.refusals, self.pause) = (0, None);
    }

    /// Whether no refresh starts now. If the clock was set back, the pause ends.
    pub(crate) fn is_paused(&self, now: impl FnOnce() -> SystemTime) -> bool {
        self.pause.as_ref().is_some_and(|pause| now().duration_since(pause.since).is_ok_and(|age| age < pause.span))
    }
}
