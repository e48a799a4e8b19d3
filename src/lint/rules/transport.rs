//! Rules about plain `http`, links and caches.

use http::header::CACHE_CONTROL;
use url::Url;

use crate::lint::finding::Rule;
use crate::lint::finding::Severity::{Doubt, Fault, Information};
use crate::origin::Origin;

pub(super) static RULES: [Rule; 5] = [
    Rule {
        id: "basic-over-plain-http",
        severity: Fault,
        section: "RFC 7617 §4",
        sentence: "the server asks for a password over plain http, where everyone on the network can read it",
        is_broken: |evidence| is_plain(evidence.exchange.url) && evidence.has_challenge("Basic", |_| true),
        expected: |_| "a challenge over https, and a redirect from http to https".to_owned(),
    },
    Rule {
        id: "token-over-plain-http",
        severity: Fault,
        section: "RFC 6750 §5.3",
        sentence: "the server asks for a bearer token over plain http, where everyone on the network can read it",
        is_broken: |evidence| is_plain(evidence.exchange.url) && !evidence.token_challenges().is_empty(),
        expected: |_| "a challenge over https, and over plain http only resources that need no token".to_owned(),
    },
    Rule {
        id: "link-by-plain-http",
        severity: Fault,
        section: "RFC 9728 §3",
        sentence: "a challenge has a link to plain http, where everyone on the network can change the page",
        is_broken: |evidence| evidence.links().iter().any(is_plain),
        expected: |_| "WWW-Authenticate: Bearer resource_metadata=\"https://…\"".to_owned(),
    },
    Rule {
        id: "link-to-another-host",
        severity: Information,
        section: "RFC 9728 §7.3",
        sentence: "a challenge has a link to another host: a client must check whether it trusts this host",
        is_broken: |evidence| {
            let own = evidence.exchange.url;
            let is_web = matches!(own.scheme(), "http" | "https");
            is_web && evidence.links().iter().any(|link| link.host() != own.host())
        },
        expected: |_| "a URL on the same host, or documentation that names the other host".to_owned(),
    },
    Rule {
        id: "token-in-the-query",
        severity: Doubt,
        section: "RFC 6750 §2.3",
        sentence: "the server accepts a token in the query and sends no `Cache-Control: private`, so caches may store the response",
        is_broken: |evidence| {
            let in_query = evidence.exchange.url.query_pairs().any(|(name, _)| name == "access_token");
            let controls = evidence.exchange.headers.get_all(CACHE_CONTROL).iter();
            let private = controls.filter_map(|value| value.to_str().ok()).any(is_private);
            evidence.exchange.status.is_success() && in_query && !private
        },
        expected: |_| format!("HTTP/1.1 200 OK\n{}: private", CACHE_CONTROL),
    },
];

fn is_private(value: &str) -> bool {
    value.split(',').any(|part| {
        let name = part.split('=').next().unwrap_or_default().trim();
        name.eq_ignore_ascii_case("private") || name.eq_ignore_ascii_case("no-store")
    })
}

/// Whether the URL sends data over a network without encryption: by `http`, and not to the local machine.
fn is_plain(url: &Url) -> bool {
    url.scheme() == "http" && Origin::of(url).is_some_and(|origin| !origin.is_loopback())
}
