//! Durations that a caller sets.

use std::time::Duration;

/// The longest duration that is kept: ten years. A longer one means "for ever", and would overflow a clock.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The duration, short enough to be added to any time.
pub(crate) fn clamped(span: Duration) -> Duration {
    span.min(LONGEST)
}
