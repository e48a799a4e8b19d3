//! A bound on refreshes that do not help: what a server may cost that refuses every new credential. It knows no clock.

use std::time::{Duration, SystemTime};

/// How many new credentials in a row one slot may see refused: one that was bad, one more try, and one for a race.
pub(crate) const FEW: u32 = 3;
/// How many in a row a whole session may see refused, over all of its slots: a registry may refuse a few repositories.
pub(crate) const MANY: u32 = 32;
/// How long no refresh starts when the budget is spent, the first time.
const REST: Duration = Duration::from_secs(30);
/// How long at most, after the rest has doubled with each further refusal.
const LONGEST_REST: Duration = Duration::from_secs(300);

/// Counts the new credentials in a row that the server refused.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    refused: u32,
    /// The last generation that was counted: a thousand requests with one credential count once.
    counted: u64,
    rest: Option<(SystemTime, Duration)>,
}

impl Budget {
    /// Counts a refusal of that generation. After `limit` of them a rest begins, and each further one doubles it.
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

    /// Begins anew: the server accepted a credential, or the caller asked for a new start.
    pub(crate) fn clear(&mut self) {
        (self.refused, self.rest) = (0, None);
    }

    /// Whether no refresh starts now. A clock that was set back ends the rest.
    pub(crate) fn rests(&self, now: impl FnOnce() -> SystemTime) -> bool {
        let ended = |(since, rest)| now().duration_since(since).map_or(true, |age| age >= rest);
        self.rest.is_some_and(|rest| !ended(rest))
    }
}
