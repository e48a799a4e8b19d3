//! Counts and measures for the recorder of the `metrics` crate. No label has a value that a server or a request chooses.

use std::time::{Duration, SystemTime};

use metrics::{
    Key, Label, Level, Metadata, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
    with_recorder,
};

use super::event::{Event, RefreshOutcome};
use super::verdict::Verdict;
use crate::refresh::RefreshReason;

pub(super) const IS_ON: bool = true;

const CALLS: &str = "reqwest_challenge.calls";
const REFRESHES: &str = "reqwest_challenge.refreshes";
const REFRESH_DURATION: &str = "reqwest_challenge.refresh.duration";
const REFRESH_WAITERS: &str = "reqwest_challenge.refresh.waiters";
const CREDENTIAL_EXPIRY: &str = "reqwest_challenge.credential.expiry";
const CREDENTIAL_LIFETIME: &str = "reqwest_challenge.credential.remaining_lifetime";
const BUDGET_EXHAUSTED: &str = "reqwest_challenge.budget.exhausted";
const SAVES_FAILED: &str = "reqwest_challenge.saves.failed";

// The names of OpenTelemetry, and names in their style.
const VERDICT: &str = "reqwest_challenge.verdict";
const RESEND_COUNT: &str = "http.request.resend_count";
const REASON: &str = "reqwest_challenge.refresh.reason";
const OUTCOME: &str = "reqwest_challenge.refresh.outcome";
const BACKGROUND: &str = "reqwest_challenge.refresh.background";
const ERROR_TYPE: &str = "error.type";
const BUDGET: &str = "reqwest_challenge.budget";

/// Describes the metrics of this crate, with their units, to the installed recorder of the `metrics` crate. Call it once, after
/// the recorder is installed.
pub fn describe_metrics() {
    describe_counter!(CALLS, Unit::Count, "Calls that ended.");
    describe_counter!(REFRESHES, Unit::Count, "Refreshes that ended.");
    describe_histogram!(REFRESH_DURATION, Unit::Seconds, "How long a refresh took.");
    describe_histogram!(REFRESH_WAITERS, Unit::Count, "Calls that waited for a refresh when it ended.");
    describe_gauge!(CREDENTIAL_EXPIRY, Unit::Seconds, "When the newest credential expires, in Unix time.");
    describe_histogram!(CREDENTIAL_LIFETIME, Unit::Seconds, "How long a credential was valid when it arrived.");
    describe_counter!(BUDGET_EXHAUSTED, Unit::Count, "Pauses without a refresh, because new credentials were refused.");
    describe_counter!(SAVES_FAILED, Unit::Count, "Credentials that could not be saved or deleted.");
}

/// The counter of plain successes. It is constant, so that nearly every call allocates and hashes nothing.
static PLAIN_SUCCESSES: Key = Key::from_static_parts(CALLS, &PLAIN_LABELS);
static PLAIN_LABELS: [Label; 2] =
    [Label::from_static_parts(VERDICT, "ok"), Label::from_static_parts(RESEND_COUNT, "0")];
static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// Counts the end of a call.
pub(crate) fn count_call(verdict: Verdict, resend_count: u8) {
    if verdict == Verdict::Ok && resend_count == 0 {
        let counter = with_recorder(|recorder| recorder.register_counter(&PLAIN_SUCCESSES, &METADATA));
        return counter.increment(1);
    }
    let resend_count = if resend_count == 0 { "0" } else { "1" };
    counter!(CALLS, VERDICT => verdict.as_str(), RESEND_COUNT => resend_count).increment(1);
}

/// Counts what an event reports.
pub(super) fn count(event: &Event) {
    match event {
        Event::Refreshed { reason, outcome, took, waiters, background, error_type, expiry, lifetime, .. } => {
            count_refresh(*reason, *outcome, *background, *error_type);
            let labels = [(REASON, reason.as_str()), (OUTCOME, outcome.as_str())];
            histogram!(REFRESH_DURATION, &labels).record(*took);
            histogram!(REFRESH_WAITERS).record(*waiters as f64);
            if let (Some(expiry), Some(lifetime)) = (expiry, lifetime) {
                let since_epoch = expiry.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
                gauge!(CREDENTIAL_EXPIRY).set(since_epoch.as_secs_f64());
                histogram!(CREDENTIAL_LIFETIME).record(*lifetime);
            }
        }
        Event::BudgetExhausted { whole_session, .. } => {
            let budget = if *whole_session { "session" } else { "slot" };
            counter!(BUDGET_EXHAUSTED, BUDGET => budget).increment(1);
        }
        Event::SaveFailed { reason, .. } => {
            counter!(SAVES_FAILED, REASON => reason.as_str()).increment(1);
        }
        _ => {}
    }
}

fn count_refresh(reason: RefreshReason, outcome: RefreshOutcome, background: bool, error_type: Option<&'static str>) {
    let background = if background { "true" } else { "false" };
    let known = [(REASON, reason.as_str()), (OUTCOME, outcome.as_str()), (BACKGROUND, background)];
    let labels: Vec<_> = known.into_iter().chain(error_type.map(|kind| (ERROR_TYPE, kind))).collect();
    counter!(REFRESHES, &labels).increment(1);
}
