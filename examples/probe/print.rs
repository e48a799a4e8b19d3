//! The output: text for a user, or JSON for a program.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};

use reqwest::Url;
use reqwest_challenge::Challenges;
use reqwest_challenge::lint::{Finding, Severity};
use reqwest_challenge::support::url_without_secrets;
use serde_json::{Value, json};

use super::Asked;

/// Whether the output has colours: on a terminal, unless `NO_COLOR` is set.
#[derive(Clone, Copy)]
pub(crate) struct Paint(bool);

impl Paint {
    pub(crate) fn for_terminal(is_terminal: bool) -> Self {
        Self(is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()))
    }

    fn severity(self, severity: Severity) -> &'static str {
        match (self.0, severity) {
            (false, _) => "",
            (true, Severity::Fault) => "\u{1b}[31m",
            (true, Severity::Doubt) => "\u{1b}[33m",
            (true, _) => "\u{1b}[36m",
        }
    }

    fn end(self) -> &'static str {
        if self.0 { "\u{1b}[0m" } else { "" }
    }
}

pub(crate) fn out(text: &str) -> std::io::Result<()> {
    // A reader such as `head` may close the pipe early. That is not an error.
    let written = std::io::stdout().lock().write_all(text.as_bytes());
    written.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

/// Prints an error. The exit status stays the same if standard error is closed.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Scheme, host and path. A query may contain a secret.
fn bare(url: &Url) -> String {
    url_without_secrets(url).to_string()
}

/// The secrets that the output does not show.
pub(crate) struct Mask(Vec<String>);

impl Mask {
    /// The secrets in the URL and in the header fields of the command line.
    pub(crate) fn of_request(url: &Url, headers: &http::HeaderMap) -> Self {
        let mut mask = Self(Vec::new());
        url.query_pairs().for_each(|(_, value)| mask.hide(&value));
        [url.username(), url.password().unwrap_or_default()].iter().for_each(|word| mask.hide(word));
        headers.values().filter_map(|value| value.to_str().ok()).for_each(|value| mask.hide(value));
        mask
    }

    pub(crate) fn hide(&mut self, secret: &str) {
        self.0.extend(Some(secret.to_owned()).filter(|secret| !secret.is_empty()));
        // The longest first: a secret may contain a shorter one.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    fn shown(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    /// The text for a terminal: without the secrets, and with control characters as escapes.
    fn escaped(&self, text: &str) -> String {
        self.shown(text).escape_debug().to_string()
    }
}

/// What this crate would do about an answer.
fn would(asked: &Asked, mask: &Mask) -> String {
    let schemes: Vec<_> = asked.challenges.iter().map(|challenge| mask.escaped(challenge.scheme())).collect();
    match asked.status.as_u16() {
        401 if schemes.is_empty() => "call the refresher without a challenge, and send the request again".to_owned(),
        401 => format!("call the refresher with {}, and send the request again", schemes.join(", ")),
        403 => "end the call with `Forbidden`, and never send it again".to_owned(),
        _ => "return the response to the caller".to_owned(),
    }
}

pub(crate) fn text(url: &Url, all: &[Asked], mask: &Mask, paint: Paint) -> String {
    let mut text = format!("GET {}\n", bare(url));
    for asked in all {
        let _ = writeln!(text, "\n{} request: {}", asked.who, asked.status);
        challenges(&mut text, &asked.challenges, mask);
        let _ = writeln!(text, "  this crate would {}", would(asked, mask));
        for finding in &asked.findings {
            let shown = finding.report().to_string();
            let (line, rest) = shown.split_once('\n').unwrap_or((&shown, ""));
            let _ = writeln!(text, "  {}{line}{}", paint.severity(finding.severity()), paint.end());
            for line in rest.lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
    }
    let count: usize = all.iter().map(|asked| asked.findings.len()).sum();
    let _ = writeln!(text, "\n{}", if count == 0 { "no findings".to_owned() } else { format!("{count} finding(s)") });
    text
}

fn challenges(text: &mut String, challenges: &Challenges, mask: &Mask) {
    for challenge in challenges {
        let _ = writeln!(text, "  challenge: {}", mask.escaped(challenge.scheme()));
        for param in challenge.params() {
            let cut = if param.is_broken() { "   (cut)" } else { "" };
            let _ = writeln!(text, "    {} = {}{cut}", mask.escaped(param.name()), mask.escaped(&param.value()));
        }
    }
}

pub(crate) fn json(url: &Url, all: &[Asked], mask: &Mask) -> Value {
    let finding = |finding: &Finding| {
        json!({
            "rule": finding.id(),
            "severity": finding.severity().as_str(),
            "sentence": finding.sentence(),
            "section": finding.section(),
            "place": finding.place().map(|place| json!({ "line": place.line() + 1, "byte": place.byte() })),
            "instead": finding.expected(),
        })
    };
    let asks = all.iter().map(|asked| {
        let challenges = asked.challenges.iter().map(|challenge| {
            let params = challenge
                .params()
                .map(|param| json!({ "name": mask.shown(param.name()), "value": mask.shown(&param.value()) }));
            json!({
                "scheme": mask.shown(challenge.scheme()),
                "token68": challenge.token68().map(|token68| mask.shown(token68)),
                "params": params.collect::<Vec<_>>(),
            })
        });
        json!({
            "as": asked.who,
            "status": asked.status.as_u16(),
            "challenges": challenges.collect::<Vec<_>>(),
            "would": would(asked, mask),
            "findings": asked.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    });
    json!({ "url": bare(url), "asks": asks.collect::<Vec<_>>() })
}
