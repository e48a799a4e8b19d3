//! Picks the values of a [`Problem`] from those that were found.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use http::header::HeaderMap;

use super::body::BodyTexts;
use super::found::{Found, Value};
use super::rule::{Rule, code_in, url_in};
use super::table;
use crate::challenge::Challenges;
use crate::error::problem::Problem;
use crate::util::{parse_duration, retry_after};

/// How many scopes are kept.
const MAX_SCOPES: usize = 64;

/// Reads what a refusal says.
pub(in crate::error) fn read(
    status: StatusCode,
    headers: &HeaderMap,
    challenges: &Challenges,
    body: &[u8],
    now: SystemTime,
) -> Problem {
    let text = String::from_utf8_lossy(body);
    let body = BodyTexts::of(headers, &text);
    let found = &body.found;
    let values = |rules| found.values(headers, rules);
    let is_near = |value: &Value<'_>| !value.is_far;
    let detail = best(values(table::TEXTS)).or_else(|| best(values(table::LAST_TEXTS)).filter(is_near));
    let beside = || found.beside(detail.as_ref()?.member?, table::TITLES_BESIDE).map(|member| member.text.clone());
    let link = |rules| values(rules).iter().find_map(|value| url_in(value.text).map(str::to_owned));
    let error_uri = || challenges.iter().find_map(|one| url_in(&one.param("error_uri")?).map(str::to_owned));
    Problem {
        code: code(&values(table::CODES), status),
        title: best(values(table::TITLES))
            .filter(|value| !value.is_far)
            .map(|value| value.text.to_owned())
            .or_else(beside)
            .or(body.title),
        detail: detail.as_ref().map(|value| value.text.to_owned()).or(body.text),
        help_url: link(table::LINKS).or_else(error_uri).or_else(|| link(table::LAST_LINKS)),
        required_scopes: scopes(&values(table::SCOPES), headers),
        retry_after: retry_after(headers, now).or_else(|| time(found)),
    }
}

fn best(values: Vec<Value<'_>>) -> Option<Value<'_>> {
    values.into_iter().filter(|value| !value.is_number()).min_by_key(Value::by_depth)
}

fn code(values: &[Value<'_>], status: StatusCode) -> Option<String> {
    // A code in an unknown object comes last.
    let (far, near): (Vec<_>, Vec<_>) = values.iter().partition(|value| value.is_far);
    near.into_iter().chain(far).find_map(|value| code_in(value.text, status.as_u16()).map(str::to_owned))
}

/// All scopes that the first matching rule names.
fn scopes(values: &[Value<'_>], headers: &HeaderMap) -> Vec<String> {
    let near = || values.iter().filter(|value| !value.is_far && !value.is_number());
    let line = near().next().map(|value| value.line);
    let mut all = Vec::new();
    for value in near().filter(|value| Some(value.line) == line) {
        gather(value.text, &mut all);
    }
    for [accepted, granted] in table::SCOPE_FIELDS {
        let of = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let (true, Some(accepted), Some(granted)) = (all.is_empty(), of(accepted), of(granted)) {
            let mut held = Vec::new();
            gather(granted, &mut held);
            gather(accepted, &mut all);
            // One of the accepted scopes is enough. If the token has one of them, none is missing.
            if all.iter().any(|scope| held.contains(scope)) {
                all.clear();
            }
        }
    }
    all
}

/// Adds the scopes of a text, which are separated by spaces or commas: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )`
/// (RFC 6749 §3.3).
fn gather(text: &str, all: &mut Vec<String>) {
    let is_scope = |piece: &&str| {
        !piece.is_empty() && piece.bytes().all(|octet| matches!(octet, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
    };
    for scope in text.split([' ', ',', '\t', '\n', '\r']).filter(is_scope) {
        if all.len() < MAX_SCOPES && !all.iter().any(|one| one == scope) {
            all.push(scope.to_owned());
        }
    }
}

fn time(found: &Found) -> Option<Duration> {
    let headers = HeaderMap::new();
    table::TIMES.iter().find_map(|(rule, unit)| {
        let rules: &[Rule] = &[*rule];
        let values = found.values(&headers, rules);
        values.iter().find(|value| !value.is_far).and_then(|value| parse_duration(value.text, *unit))
    })
}
