//! What goes over which wire, and where it leads.

use http::header::CACHE_CONTROL;
use url::{Host, Url};

use crate::lint::finding::Rule;
use crate::lint::finding::Severity::{Doubt, Fault, Information};
use crate::origin::Origin;

/// Parameters that are URLs, or may be.
const LINKS: [&str; 4] = ["resource_metadata", "authorization_uri", "error_uri", "realm"];

pub(super) static RULES: [Rule; 5] = [
    Rule {
        id: "basic-over-plain-http",
        severity: Fault,
        section: "RFC 7617 §4",
        sentence: "a password is asked for over plain http, where everybody on the way reads it",
        broken: |seen| is_plain(seen.exchange.url) && seen.any("Basic", |_| true),
        instead: |_| "a challenge over https, and a redirect to it from http".to_owned(),
    },
    Rule {
        id: "token-over-plain-http",
        severity: Fault,
        section: "RFC 6750 §5.3",
        sentence: "a bearer token is asked for over plain http, where everybody on the way can take it",
        broken: |seen| is_plain(seen.exchange.url) && seen.token_challenges().next().is_some(),
        instead: |_| "a challenge over https; plain http answers nothing that needs a token".to_owned(),
    },
    Rule {
        id: "link-by-plain-http",
        severity: Fault,
        section: "RFC 9728 §3",
        sentence: "a challenge sends its reader to a URL by plain http, where everybody on the way can change what it says",
        broken: |seen| seen.values(&LINKS).any(|value| Url::parse(&value).is_ok_and(|url| is_plain(&url))),
        instead: |_| "WWW-Authenticate: Bearer resource_metadata=\"https://…\"".to_owned(),
    },
    Rule {
        id: "link-to-another-host",
        severity: Information,
        section: "RFC 9728 §7.3",
        sentence: "a challenge sends its reader to another host: a client must check that it may believe it",
        broken: |seen| {
            let own = Origin::of(seen.exchange.url);
            let links = seen.values(&LINKS).filter_map(|value| Url::parse(&value).ok());
            links
                .filter(|url| Origin::of(url).is_some())
                .any(|url| own.as_ref().is_some_and(|own| !own.is_host_of(&url)))
        },
        instead: |_| "a URL on the host that was asked, or documentation that names the other".to_owned(),
    },
    Rule {
        id: "token-in-the-query",
        severity: Doubt,
        section: "RFC 6750 §2.3",
        sentence: "a token in the query is let in without `Cache-Control: private`: caches and logs keep both",
        broken: |seen| {
            let in_query = seen.exchange.url.query_pairs().any(|(name, _)| name == "access_token");
            let controls = seen.exchange.headers.get_all(CACHE_CONTROL).iter();
            let private = controls.filter_map(|value| value.to_str().ok()).any(is_private);
            seen.exchange.status.is_success() && in_query && !private
        },
        instead: |_| format!("HTTP/1.1 200 OK\n{}: private", CACHE_CONTROL),
    },
];

fn is_private(value: &str) -> bool {
    value.split(',').any(|part| {
        let name = part.split('=').next().unwrap_or_default().trim();
        name.eq_ignore_ascii_case("private") || name.eq_ignore_ascii_case("no-store")
    })
}

/// Whether it goes over a wire in the clear: by `http`, and not to this machine.
fn is_plain(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => true,
    };
    url.scheme() == "http" && !here
}
