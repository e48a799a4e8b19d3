//! Dates: the three forms of HTTP (RFC 9110 §5.6.7), and RFC 3339 with `Z` or an offset.

use std::time::{Duration, SystemTime};

use http::header::{AGE, DATE, HeaderMap};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The time at which the server made the response (RFC 9110 §6.6.1). `None` if a cache stored the response, because its
/// `Date` is then the time at which it was stored.
pub(crate) fn of_response(headers: &HeaderMap) -> Option<SystemTime> {
    let date = headers.get(DATE).filter(|_| !headers.contains_key(AGE))?;
    parse(date.to_str().ok()?.trim())
}

/// The time of a date. A time before 1970 becomes 1970.
pub(super) fn parse(text: &str) -> Option<SystemTime> {
    let seconds = if text.starts_with(|first: char| first.is_ascii_digit()) { rfc3339(text)? } else { http(text)? };
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`. The name of the day
/// is not checked.
fn http(text: &str) -> Option<i64> {
    let pieces: Vec<_> = text.split([' ', ',', '-']).filter(|piece| !piece.is_empty()).collect();
    let (day, month, year, time) = match *pieces {
        [_, day, month, year, time, "GMT" | "UTC"] => (day, month, year, time),
        [_, month, day, time, year] => (day, month, year, time),
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
    let years = parse_digits(year)?;
    let year = match year.len() {
        4 => years,
        // RFC 850 dates have a year of two digits.
        2 if years < 70 => years + 2_000,
        2 => years + 1_900,
        _ => return None,
    };
    unix_seconds(year, i64::try_from(month).ok()? + 1, parse_digits(day)?, time)
}

/// `1994-11-06T08:49:37.5Z`, `1994-11-06T08:49Z`, `1994-11-06 09:49:37+01:00`.
fn rfc3339(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = date.split('-').collect::<Vec<_>>().try_into().ok()?;
    let zone = time.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = time.split_at(zone);
    let offset = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign, offset) => {
            let (hours, minutes) = offset.split_once(':')?;
            let seconds = parse_digits(hours)? * 3_600 + parse_digits(minutes)? * 60;
            if sign == "+" { seconds } else { -seconds }
        }
    };
    let time = time.split('.').next()?;
    Some(unix_seconds(parse_digits(year)?, parse_digits(month)?, parse_digits(day)?, time)? - offset)
}

/// The seconds since 1970, for a day and a time of the Gregorian calendar.
fn unix_seconds(year: i64, month: i64, day: i64, time: &str) -> Option<i64> {
    let mut parts = time.split(':').map(parse_digits);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day) && year <= 9_999;
    if !is_date || hour > 23 || minute > 59 || second > 60 || parts.next().is_some() {
        return None;
    }
    // If the year begins in March, the leap day is its last day.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = days + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn parse_digits(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.len() <= 4 && text.bytes().all(|octet| octet.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}
