//! Writes spans and events of the `tracing` crate. Each refresh has a span, whose parent is the span of the call that started
//! the refresh.

use std::future::Future;

use tracing::field::Empty;
use tracing::instrument::Instrumented;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, Level, Span};

use super::event::{ChallengeDefect, Event};
use crate::refresh::RefreshReason;

/// The target of all spans and events.
const TARGET: &str = "reqwest_challenge";

pub(crate) fn is_on() -> bool {
    LevelFilter::current() >= Level::INFO
}

/// Puts the work of a refresh into a span. The parent is the caller's span, on whichever task the work runs.
pub(crate) fn refresh<F: Future>(reason: RefreshReason, work: F) -> Instrumented<F> {
    let span = tracing::info_span!(
        target: TARGET, "refresh", reason = ?reason, outcome = Empty, duration_ms = Empty, waiters = Empty, generation = Empty,
        background = Empty, error.type = Empty
    );
    work.instrument(span)
}

pub(crate) fn event(event: &Event) {
    match event {
        #[cfg(feature = "lint")]
        Event::LintFinding { rule, severity, url } => {
            tracing::warn!(target: TARGET, rule, severity = severity.as_str(), url = url.as_str(), "lint");
        }
        Event::Challenged { method, url, status, schemes, defects } => {
            let (status, url, schemes) = (status.as_u16(), url.as_str(), schemes.join(" "));
            if status == 401 {
                tracing::info!(target: TARGET, %method, url, schemes, "401");
            } else {
                tracing::info!(target: TARGET, %method, url, schemes, status, "counts as 401");
            }
            for ChallengeDefect { kind: rule, line, byte } in defects {
                tracing::info!(target: TARGET, rule = rule.id(), line, byte, "challenge defect");
            }
        }
        Event::Refreshed { outcome, took, waiters, generation, background, error_type, .. } => {
            // The current span is that of the refresh.
            let span = Span::current();
            span.record("outcome", outcome.as_str());
            span.record("duration_ms", u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
            span.record("waiters", *waiters);
            span.record("generation", *generation);
            span.record("background", *background);
            span.record("error.type", *error_type);
            tracing::info!(target: TARGET, outcome = outcome.as_str(), waiters, generation, background, "refreshed");
        }
        Event::BudgetExhausted { pause, whole_session } => {
            tracing::warn!(target: TARGET, pause_s = pause.as_secs(), whole_session, "budget exhausted");
        }
        Event::SaveFailed { reason, error } => {
            tracing::warn!(target: TARGET, reason = reason.as_str(), error, "save failed");
        }
        Event::CallEnded { method, url, verdict, status, resend_count, waited } => {
            // A span of the caller has this field if it declares it, as OpenTelemetry's span of an HTTP client does.
            Span::current().record("http.request.resend_count", *resend_count);
            tracing::info!(
                target: TARGET,
                verdict = verdict.as_str(),
                %method,
                url = url.as_str(),
                http.response.status_code = status.map(|status| status.as_u16()),
                http.request.resend_count = resend_count,
                waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
                "call ended"
            );
        }
        Event::PassedThrough { method, url } => {
            tracing::debug!(target: TARGET, %method, url = url.as_str(), "outside the origins, passed through");
        }
        Event::Forbidden { method, url, scopes, authenticated } => {
            tracing::warn!(target: TARGET, %method, url = url.as_str(), scopes = scopes.join(" "), authenticated, "403");
        }
    }
}
