//! Spans and events, with the `tracing` feature: a span for each refresh, below the span of the call that started it.

use std::future::Future;

use tracing::field::Empty;
use tracing::instrument::Instrumented;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, Level, Span};

use super::event::Event;
use crate::refresh::RefreshReason;

/// The target of all that is written here.
const TARGET: &str = "reqwest_challenge";

pub(crate) fn is_on() -> bool {
    LevelFilter::current() >= Level::INFO
}

/// The work of a refresh in a span of its own, which keeps the caller's span as its parent on whatever task it runs.
pub(crate) fn refresh<F: Future>(cause: RefreshReason, work: F) -> Instrumented<F> {
    let span = tracing::info_span!(
        target: TARGET, "refresh", cause = ?cause, outcome = Empty, duration_ms = Empty, waiters = Empty, generation = Empty
    );
    work.instrument(span)
}

pub(crate) fn event(event: &Event) {
    match event {
        #[cfg(feature = "lint")]
        Event::Found { rule, severity, url } => {
            tracing::warn!(target: TARGET, rule, severity = severity.as_str(), url = url.as_str(), "lint");
        }
        Event::Challenged { method, url, schemes, defects } => {
            tracing::info!(target: TARGET, %method, url = url.as_str(), schemes = schemes.join(" "), "401");
            for (rule, line, byte) in defects {
                tracing::info!(target: TARGET, rule = rule.id(), line, byte, "challenge defect");
            }
        }
        Event::Refreshed { outcome, took, waiters, generation, .. } => {
            // The refresh's own span is the current one here.
            let span = Span::current();
            span.record("outcome", outcome.as_str());
            span.record("duration_ms", u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
            span.record("waiters", *waiters);
            span.record("generation", *generation);
            tracing::info!(target: TARGET, outcome = outcome.as_str(), waiters, generation, "refreshed");
        }
        Event::PassedThrough { method, url } => {
            tracing::debug!(target: TARGET, %method, url = url.as_str(), "outside the origins, passed through");
        }
        Event::Forbidden { method, url, scopes, authenticated } => {
            tracing::warn!(target: TARGET, %method, url = url.as_str(), scopes = scopes.join(" "), authenticated, "403");
        }
    }
}
