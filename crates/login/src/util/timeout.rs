//! Durations that a caller sets.

use std::time::Duration;

/// The longest duration: ten years. A caller that sets a longer one wants no limit, and `Duration::MAX` would overflow a
/// clock.
const MAX_DURATION: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The duration, but short enough to be added to any time.
pub(crate) fn clamped(span: Duration) -> Duration {
    span.min(MAX_DURATION)
}
