//! The findings of the lint that were reported as events.

use std::sync::Mutex;

use reqwest::Url;

use crate::origin::Origin;
use crate::util::{BoundedList, LazyBox, lock};

/// How many findings are remembered: more than there are rules for the few origins of one middleware.
const MAX_FINDINGS: usize = 1_024;

/// The origins and the rules that were reported.
#[derive(Default)]
pub(crate) struct ReportedFindings(LazyBox<Mutex<BoundedList<Reported, MAX_FINDINGS>>>);

struct Reported {
    origin: Origin,
    rule: &'static str,
}

impl ReportedFindings {
    /// Records a finding. Returns whether it is new at its origin.
    pub(super) fn add(&self, url: &Url, rule: &'static str) -> bool {
        let mut reported = lock(self.0.get_or_default());
        if reported.iter().any(|known| known.rule == rule && known.origin.contains(url)) {
            return false;
        }
        if let Some(origin) = Origin::of(url) {
            reported.push(Reported { origin, rule });
        }
        true
    }
}
