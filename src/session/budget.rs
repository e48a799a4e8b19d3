//! A bound on refreshes that do not help: how many refreshes a server can cause that refuses every new credential. The
//! budget keeps no clock.

use std::time::{Duration, SystemTime};

/// How many new credentials in a row may be refused in one slot: one bad credential, one more attempt, and one race.
pub(crate) const FEW: u32 = 3;
/// How many new credentials in a row may be refused in a whole session, over all slots. A registry may refuse some
/// repositories.
pub(crate) const MANY: u32 = 32;
/// How long no refresh starts after the budget is spent.
const REST: Duration = Duration::from_secs(30);
/// The longest such rest. Each further refusal doubles it up to here.
const LONGEST_REST: Duration = Duration::from_secs(300);

/// Counts the new credentials that the server refused in a row.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    refused: u32,
    /// The last generation that was counted: a thousand requests with one credential count once.
    counted: u64,
    rest: Option<(SystemTime, Duration)>,
}

impl Budget {
    /// Counts a refusal of that generation. After `limit` refusals a rest begins, and each further refusal doubles it.
    pub(crate) fn refused(&mut self, generation: u64, limit: u32, now: SystemTime) {
        if generation <= self.counted {
            return;
        }
        self.counted = generation;
        self.refused = self.refused.saturating_add(1);
        if self.refused >= limit {
            let rest = self.rest.map_or(REST, |(_, rest)| (rest * 2).min(LONGEST_REST));
            self.rest = Some((now, rest));
        }
    }

    /// Starts again, because the server accepted a credential or the caller asked for a new start.
    pub(crate) fn clear(&mut self) {
        (self.refused, self.rest) = (0, None);
    }

    /// Whether no refresh starts now. If the clock was set back, the rest ends.
    pub(crate) fn rests(&self, now: impl FnOnce() -> SystemTime) -> bool {
        let ended = |(since, rest)| now().duration_since(since).map_or(true, |age| age >= rest);
        self.rest.is_some_and(|rest| !ended(rest))
    }
}
