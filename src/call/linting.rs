//! The lint at run time: what is found goes into the report of its call, and each rule is told once an origin.

use crate::error::Findings;
use crate::util::lock;
use std::collections::HashSet;
use std::sync::Mutex;

use http::HeaderMap;
use reqwest::{Response, Url};

use super::verdict::Judge;
use crate::challenge::Challenges;
use crate::credential::Credential;
use crate::error::{AuthReport, Renewed};
use crate::lint::{Exchange, Presented, check_with};
use crate::origin::url_without_secrets;
use crate::session::{Event, Listeners};

/// How many origins and rules are remembered: more than there are rules for the few origins of one middleware.
const ROOM: usize = 1_024;

/// What was told already.
#[derive(Default)]
pub(crate) struct Told(Mutex<HashSet<(String, &'static str)>>);

/// Whether there is something to find in a first success.
pub(crate) fn is_of_note(judge: &Judge<'_>, response: &Response) -> bool {
    !check_with(&Exchange::new(judge.method, judge.url, response.status(), response.headers()), None).is_empty()
}

/// Looks at a response of ours.
pub(crate) fn look(
    (judge, told, listeners): (&Judge<'_>, &Told, &Listeners),
    response: &Response,
    (body, read): (&[u8], Option<&Challenges>),
    (report, callers_own, sent): (&AuthReport, bool, Option<&HeaderMap>),
) -> Findings {
    if judge.is_foreign(response) {
        return Findings::default();
    }
    let exchange = Exchange::new(judge.method, judge.url, response.status(), response.headers());
    let mut exchange = exchange.body(body);
    exchange = match presented(report, callers_own) {
        Some(presented) => exchange.presented(presented),
        // Nothing of ours: what the caller set himself is in the copy, if there is one.
        None => sent.map_or(exchange, |sent| exchange.request_headers(sent)),
    };
    // What was renewed for this call, before its send or between its sends, and is refused all the same.
    if matches!(report.renewal, Some(Renewed::Started | Renewed::Joined)) {
        exchange = exchange.renewed();
    }
    let findings = check_with(&exchange, read);
    for finding in &findings {
        if listeners.is_active() && told.is_new(judge.url, finding.id()) {
            let (rule, severity, url) = (finding.id(), finding.severity(), url_without_secrets(judge.url));
            listeners.notify(|| Event::LintFinding { rule, severity, url });
        }
    }
    Findings::of(findings)
}

fn presented(report: &AuthReport, callers_own: bool) -> Option<Presented> {
    match report.sent.iter().rev().flatten().next().map(Credential::scheme) {
        Some("Bearer" | "DPoP") => Some(Presented::Token),
        None if !callers_own => None,
        _ => Some(Presented::Other),
    }
}

impl Told {
    fn is_new(&self, url: &Url, rule: &'static str) -> bool {
        let key = (url.origin().ascii_serialization(), rule);
        let mut told = lock(&self.0);
        told.len() < ROOM && told.insert(key)
    }
}
