//! Learns how far the server's clock is from the session's clock, from the `Date` of responses.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use super::sync::lock;
use crate::util::ClockSkew;

/// How many of the last samples are kept.
pub(super) const MAX_SAMPLES: usize = 5;
/// How many samples are needed.
const MIN_SAMPLES: usize = 3;
/// How far the samples may be apart, in seconds. A slow network makes them differ by a few seconds.
const MAX_SPREAD: i32 = 10;
/// A skew of at most this many seconds has no effect, because the margin before an expiry covers it.
const MAX_IGNORED: i32 = 30;

/// The skew of one session. Without a skew it is zero.
#[derive(Debug, Default)]
pub(crate) struct Skew {
    samples: Mutex<[i32; MAX_SAMPLES]>,
    /// How many samples there were, up to twice as many as are kept. [`OFF`] if no dates are read.
    count: AtomicUsize,
    /// The skew in seconds, which is read without a lock. Positive if the server is ahead.
    seconds: AtomicI64,
    /// How many successful responses were asked for their date.
    asked: AtomicUsize,
    /// Whether a successful response need not be asked for its date, and there is no skew to report.
    is_settled: AtomicBool,
}

/// How many successful responses are asked for their date. A server without a clock sends none (RFC 9110 §6.6.1).
const MAX_ASKED: usize = 16;

/// The number of samples of a session that reads no dates.
const OFF: usize = usize::MAX;

impl Skew {
    /// A skew that is always zero.
    pub(super) fn off() -> Self {
        Self { count: AtomicUsize::new(OFF), is_settled: AtomicBool::new(true), ..Self::default() }
    }

    /// Whether no dates are read.
    pub(super) fn is_off(&self) -> bool {
        self.count.load(Ordering::Relaxed) == OFF
    }

    /// Whether a successful response need not be asked for its date, and there is no skew to report.
    #[inline]
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled.load(Ordering::Relaxed)
    }

    /// Whether the next successful response is asked for its date. Counts the calls of this function.
    pub(super) fn asks_next(&self) -> bool {
        let asks = self.count.load(Ordering::Relaxed) < MAX_SAMPLES && self.asked.load(Ordering::Relaxed) < MAX_ASKED;
        if asks {
            self.asked.fetch_add(1, Ordering::Relaxed);
        } else {
            self.is_settled.store(self.current().is_none(), Ordering::Relaxed);
        }
        asks
    }

    #[inline]
    pub(super) fn current(&self) -> Option<ClockSkew> {
        let seconds = self.seconds.load(Ordering::Relaxed);
        (seconds != 0).then(|| ClockSkew::of_seconds(seconds))
    }

    /// Adds a sample. Returns whether the skew has changed.
    pub(super) fn add(&self, server: SystemTime, local: SystemTime) -> bool {
        let Some(sample) = seconds_between(local, server) else { return false };
        let mut samples = lock(&self.samples);
        let count = self.count.load(Ordering::Relaxed);
        if count == OFF {
            return false;
        }
        samples[count % MAX_SAMPLES] = sample;
        // Keeps the index of the next sample, and stays below `OFF`.
        let next = if count + 1 == 2 * MAX_SAMPLES { MAX_SAMPLES } else { count + 1 };
        self.count.store(next, Ordering::Relaxed);
        let skew = estimate(&samples[..next.min(MAX_SAMPLES)]);
        // A session whose skew is known keeps it until the samples agree on another one.
        let is_new = skew.map(i64::from).is_some_and(|skew| self.seconds.swap(skew, Ordering::Relaxed) != skew);
        if is_new {
            self.is_settled.store(false, Ordering::Relaxed);
        }
        is_new
    }
}

/// The median of the samples, or zero if it is too small to count. `None` if there are too few samples, or if they
/// disagree.
fn estimate(samples: &[i32]) -> Option<i32> {
    let mut known = samples.to_vec();
    known.sort_unstable();
    let (first, last) = (*known.first()?, *known.last()?);
    let is_stable = known.len() >= MIN_SAMPLES && last.saturating_sub(first) <= MAX_SPREAD;
    let median = known[known.len() / 2];
    is_stable.then_some(if median.saturating_abs() > MAX_IGNORED { median } else { 0 })
}

/// Whole seconds from one time to another. `None` if it is more than 68 years.
fn seconds_between(from: SystemTime, to: SystemTime) -> Option<i32> {
    let seconds = |span: Duration| i32::try_from(span.as_secs()).ok();
    match to.duration_since(from) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => seconds(behind.duration()).map(|seconds| -seconds),
    }
}
