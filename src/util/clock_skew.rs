//! How far the clock of a server is from the session's clock.

use std::fmt;
use std::time::{Duration, SystemTime};

/// How far the clock of a server is from the session's clock, in whole seconds.
///
/// A session learns it from the `Date` of responses (RFC 9110 §6.6.1). [`Session::clock_skew`](crate::Session::clock_skew)
/// returns it.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use reqwest_challenge::ClockSkew;
///
/// let skew = ClockSkew::server_ahead(Duration::from_secs(600));
/// let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
/// assert_eq!(skew.server_time(now), SystemTime::UNIX_EPOCH + Duration::from_secs(1_600));
/// assert_eq!(skew.local_time(skew.server_time(now)), now);
/// assert_eq!(skew.to_string(), "the server's clock is 600 s ahead");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClockSkew {
    seconds: u64,
    is_ahead: bool,
}

impl ClockSkew {
    /// The server's clock is that far ahead of the session's clock. A fraction of a second is dropped.
    #[must_use]
    pub fn server_ahead(span: Duration) -> Self {
        Self { seconds: span.as_secs(), is_ahead: true }
    }

    /// The server's clock is that far behind the session's clock. A fraction of a second is dropped.
    #[must_use]
    pub fn server_behind(span: Duration) -> Self {
        Self { seconds: span.as_secs(), is_ahead: false }
    }

    /// Positive seconds mean that the server is ahead.
    pub(crate) fn of_seconds(seconds: i64) -> Self {
        Self { seconds: seconds.unsigned_abs(), is_ahead: seconds > 0 }
    }

    /// Returns how far the clocks are apart.
    #[must_use]
    pub fn span(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Whether the server's clock is ahead of the session's clock.
    #[must_use]
    pub fn is_server_ahead(&self) -> bool {
        self.is_ahead
    }

    /// Converts a time of the session's clock into the server's time. If the result is out of range, the time is
    /// returned unchanged.
    #[must_use]
    pub fn server_time(&self, local: SystemTime) -> SystemTime {
        self.shifted(local, self.is_ahead)
    }

    /// Converts a time of the server, such as the `exp` of a token, into a time of the session's clock. If the result is
    /// out of range, the time is returned unchanged.
    #[must_use]
    pub fn local_time(&self, server: SystemTime) -> SystemTime {
        self.shifted(server, !self.is_ahead)
    }

    fn shifted(self, time: SystemTime, forward: bool) -> SystemTime {
        let shifted = if forward { time.checked_add(self.span()) } else { time.checked_sub(self.span()) };
        shifted.unwrap_or(time)
    }
}

impl fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.is_ahead { "ahead" } else { "behind" };
        write!(f, "the server's clock is {} s {side}", self.seconds)
    }
}
