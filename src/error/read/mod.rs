//! Reads what a server says about a refusal, in the body (whatever its media type) and in header fields.
//!
//! [`table`] lists the places of the values. There is one reader for each format.

mod found;
mod generic;
mod html;
mod json;
mod rule;
mod table;
mod words;
mod xml;

use std::time::{Duration, SystemTime};

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap};

use crate::challenge::Challenges;
use crate::error::problem::Problem;
use crate::util::{parse_duration, retry_after};
use found::{Found, Place, Value, folded};
use rule::{Rule, code_in, url_in};

pub(super) use generic::is_generic;

/// A longer plain text is not a message, but its first line may be one.
const LONGEST_TEXT: usize = 1_000;

/// More scopes are not kept.
const MOST_SCOPES: usize = 64;

/// What a refusal says.
pub(super) fn read(
    status: StatusCode,
    headers: &HeaderMap,
    challenges: &Challenges,
    body: &[u8],
    now: SystemTime,
) -> Problem {
    let text = String::from_utf8_lossy(body);
    let said = Said::of(headers, &text);
    let found = &said.found;
    let values = |rules| found.values(headers, rules);
    let is_near = |value: &Value<'_>| !value.far;
    let detail = best(values(table::TEXTS)).or_else(|| best(values(table::LAST_TEXTS)).filter(is_near));
    let beside = || found.beside(detail.as_ref()?.member?, table::TITLES_BESIDE).map(|member| member.text.clone());
    let link = |rules| values(rules).iter().find_map(|value| url_in(value.text).map(str::to_owned));
    let error_uri = || challenges.iter().find_map(|one| url_in(&one.param("error_uri")?).map(str::to_owned));
    Problem {
        code: code(&values(table::CODES), status),
        title: best(values(table::TITLES))
            .filter(|value| !value.far)
            .map(|value| value.text.to_owned())
            .or_else(beside)
            .or(said.title),
        detail: detail.as_ref().map(|value| value.text.to_owned()).or(said.text),
        help_url: link(table::LINKS).or_else(error_uri).or_else(|| link(table::LAST_LINKS)),
        required_scopes: scopes(&values(table::SCOPES), headers),
        retry_after: retry_after(headers, now).or_else(|| time(found)),
    }
}

/// What the body says.
#[derive(Default)]
struct Said {
    found: Found,
    title: Option<String>,
    text: Option<String>,
}

impl Said {
    fn of(headers: &HeaderMap, body: &str) -> Self {
        let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        // Gerrit and others put this prefix before JSON, so that it cannot be run as a script.
        let body = body.trim_start_matches('\u{feff}').trim().trim_start_matches(")]}'").trim_start();
        let mut said = Self::default();
        match body.bytes().next() {
            Some(b'{' | b'[') if json::read(body, &mut said.found) || !said.found.members.is_empty() => {}
            Some(b'"') => said.text = json::string(body).filter(|text| !text.trim().is_empty()),
            Some(b'<') => said.markup(body),
            _ if media == "application/x-www-form-urlencoded" || is_form(body) => {
                for (name, value) in url::form_urlencoded::parse(body.as_bytes()) {
                    said.found.add(&Place::top(), &folded(&name), &value);
                }
            }
            _ => said.text = plain(body, &media),
        }
        said
    }

    /// Reads XML, unless it looks like HTML or no member is found in it.
    fn markup(&mut self, body: &str) {
        if !html::is_html(body) {
            xml::read(body, &mut self.found);
        }
        if self.found.members.is_empty() {
            let page = html::read(body);
            (self.title, self.text) = (page.title, page.paragraph);
        }
    }
}

/// Whether a text without a media type is a form: it contains only members and no space.
fn is_form(text: &str) -> bool {
    let is_member = |piece: &str| piece.split_once('=').is_some_and(|(name, _)| !folded(name).is_empty());
    text.contains('&') && !text.contains(char::is_whitespace) && text.split('&').all(is_member)
}

/// The plain text, if it is a message for users.
fn plain(body: &str, media: &str) -> Option<String> {
    let is_text = media.is_empty() || media.starts_with("text/") || media.starts_with("application/");
    let text = if body.len() <= LONGEST_TEXT { body } else { body.lines().next().unwrap_or_default() };
    let is_short = !text.is_empty() && text.len() <= LONGEST_TEXT;
    // The text is JSON or markup that could not be read, or a single value.
    let is_json =
        text.starts_with(['{', '<', '"']) || text.starts_with('[') && (media.ends_with("json") || text.contains('"'));
    let is_value = text.parse::<f64>().is_ok() || words::NO_CODES.contains(&text);
    let is_odd = |character: char| character.is_control() && !character.is_whitespace();
    (is_text && is_short && !is_json && !is_value && !text.contains(is_odd)).then(|| text.to_owned())
}

fn best(values: Vec<Value<'_>>) -> Option<Value<'_>> {
    values.into_iter().filter(|value| !value.is_number()).min_by_key(Value::by_depth)
}

fn code(values: &[Value<'_>], status: StatusCode) -> Option<String> {
    // A code in an unknown object comes last.
    let (far, near): (Vec<_>, Vec<_>) = values.iter().partition(|value| value.far);
    near.into_iter().chain(far).find_map(|value| code_in(value.text, status.as_u16()).map(str::to_owned))
}

/// All scopes that the first matching rule names.
fn scopes(values: &[Value<'_>], headers: &HeaderMap) -> Vec<String> {
    let near = || values.iter().filter(|value| !value.far && !value.is_number());
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

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 §3.3), separated by spaces or commas.
fn gather(text: &str, all: &mut Vec<String>) {
    let is_scope = |piece: &&str| {
        !piece.is_empty() && piece.bytes().all(|octet| matches!(octet, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
    };
    for scope in text.split([' ', ',', '\t', '\n', '\r']).filter(is_scope) {
        if all.len() < MOST_SCOPES && !all.iter().any(|one| one == scope) {
            all.push(scope.to_owned());
        }
    }
}

fn time(found: &Found) -> Option<Duration> {
    let headers = HeaderMap::new();
    table::TIMES.iter().find_map(|(rule, unit)| {
        let rules: &[Rule] = &[*rule];
        let values = found.values(&headers, rules);
        values.iter().find(|value| !value.far).and_then(|value| parse_duration(value.text, *unit))
    })
}
