//! How long a server asks the client to wait before the next request: `Retry-After` (RFC 9110 §10.2.3) and the rate
//! limit fields.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use http::header::HeaderMap;

use super::date;

/// Fields with a duration or a date, each with the seconds in its unit.
const DURATION_FIELDS: &[(&str, f64)] =
    &[("retry-after", 1.0), ("x-retry-after", 1.0), ("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001)];

/// The longest wait that is returned: one year. A longer one is no more useful, and this one can be added to any time.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A number above this is a Unix time in seconds, and no duration.
const MIN_UNIX_SECONDS: f64 = 1e8;
/// A number above this is a Unix time in milliseconds.
const MIN_UNIX_MILLISECONDS: f64 = 1e11;

/// How long the server asks the client to wait, counted from `now`: by `Retry-After` (RFC 9110 §10.2.3), otherwise
/// until the end of an exhausted rate limit. `None` if no field says so, or if no value can be read.
///
/// At most 366 days.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let of = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let duration = DURATION_FIELDS.iter().find_map(|&(name, unit)| {
        let value = of(name)?;
        parse_duration(value, unit).or_else(|| Some(until(date::parse(value)?, now)))
    });
    let resets = headers.iter().filter_map(|(name, value)| reset_after(name.as_str(), value.to_str().ok()?, of, now));
    duration.or_else(|| resets.max()).or_else(|| exhausted_policy(of("ratelimit")?))
}

/// The time until an exhausted rate limit is reset. `name` and `remaining` are the field with the remaining count. The
/// field with the time has the same name, with `reset` in place of `remaining`.
fn reset_after<'h>(
    name: &str,
    remaining: &str,
    of: impl Fn(&str) -> Option<&'h str>,
    now: SystemTime,
) -> Option<Duration> {
    if !name.contains("limit") || !name.contains("remaining") {
        return None;
    }
    // Servers send `0`, `0.0`, and `0, 0;w=60`.
    let remaining = remaining.trim().split([',', ';']).next()?;
    (number(remaining)? <= 0.0).then_some(())?;
    let fields = ["reset-after", "reset"].map(|reset| name.replacen("remaining", reset, 1));
    fields.iter().find_map(|field| time_until(of(field)?, now))
}

/// A duration: a number of units, each of `unit` seconds, or a text such as `6m0s`.
pub(crate) fn parse_duration(text: &str, unit: f64) -> Option<Duration> {
    number(text).map(|number| clamped(number * unit)).or_else(|| with_units(text))
}

/// The time until the end of a rate limit: a duration, a Unix time, or a date.
fn time_until(text: &str, now: SystemTime) -> Option<Duration> {
    let since = match number(text) {
        Some(number) if number > MIN_UNIX_MILLISECONDS => number / 1_000.0,
        Some(number) if number > MIN_UNIX_SECONDS => number,
        _ => return parse_duration(text, 1.0).or_else(|| Some(until(date::parse(text)?, now))),
    };
    let at = Duration::try_from_secs_f64(since).ok().and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
    Some(at.map_or(MAX_RETRY_AFTER, |at| until(at, now)))
}

/// The longest time until a used-up limit is reset. Reads `RateLimit` of draft-ietf-httpapi-ratelimit-headers
/// (`"day";r=0;t=50`) and of its older drafts (`limit=9, remaining=0, reset=50`).
fn exhausted_policy(value: &str) -> Option<Duration> {
    let param = |piece: &str, name: &str| {
        let of = |one: &str| one.trim().strip_prefix(name)?.strip_prefix('=').and_then(number);
        piece.split([';', ',']).find_map(of)
    };
    let wait = |piece: &str, [remaining, reset]: [&str; 2]| {
        (param(piece, remaining)? <= 0.0).then_some(())?;
        param(piece, reset).map(clamped)
    };
    let waits = value.split(',').filter_map(|policy| wait(policy, ["r", "t"])).max();
    waits.or_else(|| wait(value, ["remaining", "reset"]))
}

fn until(at: SystemTime, now: SystemTime) -> Duration {
    at.duration_since(now).unwrap_or_default().min(MAX_RETRY_AFTER)
}

fn clamped(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).map_or(MAX_RETRY_AFTER, |span| span.min(MAX_RETRY_AFTER))
}

/// `1*DIGIT [ "." *DIGIT ]`. A number that is too large to parse counts as a large number.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_number = text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
    if is_number { text.parse().ok() } else { None }
}

/// Numbers with units: `1h2m3.5s`, `20ms`.
fn with_units(text: &str) -> Option<Duration> {
    let (mut seconds, mut rest) = (0.0, text.trim());
    while !rest.is_empty() {
        let digits = rest.find(|found: char| !found.is_ascii_digit() && found != '.')?;
        let (count, unit) = rest.split_at(digits);
        let length = unit.find(|found: char| !found.is_ascii_alphabetic()).unwrap_or(unit.len());
        let factor = match &unit[..length] {
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        seconds += number(count)? * factor;
        rest = &unit[length..];
    }
    (!text.trim().is_empty()).then(|| clamped(seconds))
}

/// Whether a request that got this status may succeed later: 408, 429 and 5xx.
#[must_use]
pub fn is_transient_status(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}
