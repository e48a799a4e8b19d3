//! Rules about Basic and Digest challenges.

use crate::lint::evidence::Evidence;
use crate::lint::finding::Rule;
use crate::lint::finding::Severity::{Doubt, Fault};

/// The algorithms of RFC 7616 §6.1, without the suffix `-sess`.
const KNOWN_ALGORITHMS: [&str; 3] = ["md5", "sha-256", "sha-512-256"];

pub(super) static RULES: [Rule; 9] = [
    Rule {
        id: "basic-without-realm",
        severity: Fault,
        section: "RFC 7617 §2",
        sentence: "a Basic challenge has no realm, which is required",
        is_broken: |evidence| evidence.has_challenge("Basic", |challenge| challenge.realm().is_none()),
        expected: basic,
    },
    Rule {
        id: "basic-with-another-charset",
        severity: Fault,
        section: "RFC 7617 §2.1",
        sentence: "a Basic challenge has a `charset` other than UTF-8, which is the only one allowed",
        is_broken: |evidence| {
            evidence.has_challenge("Basic", |challenge| {
                challenge.param("charset").is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8"))
            })
        },
        expected: basic,
    },
    Rule {
        id: "digest-without-realm",
        severity: Fault,
        section: "RFC 7616 §3.3",
        sentence: "a Digest challenge has no realm, so no client can answer it",
        is_broken: |evidence| evidence.has_challenge("Digest", |challenge| challenge.realm().is_none()),
        expected: digest,
    },
    Rule {
        id: "digest-without-nonce",
        severity: Fault,
        section: "RFC 7616 §3.3",
        sentence: "a Digest challenge has no nonce, so no client can answer it",
        is_broken: |evidence| evidence.has_challenge("Digest", |challenge| challenge.param("nonce").is_none()),
        expected: digest,
    },
    Rule {
        id: "digest-without-qop",
        severity: Fault,
        section: "RFC 7616 §3.3",
        sentence: "a Digest challenge has no `qop`, so the answer has the form of RFC 2069, which can be replayed",
        is_broken: |evidence| evidence.has_challenge("Digest", |challenge| challenge.param("qop").is_none()),
        expected: digest,
    },
    Rule {
        id: "digest-with-md5-alone",
        severity: Doubt,
        section: "RFC 7616 §3.3",
        sentence: "the server offers Digest only with MD5, but MD5 is only for old clients, in addition to SHA-256",
        is_broken: |evidence| {
            let mut names = algorithms(evidence).filter(|name| KNOWN_ALGORITHMS.contains(&&**name)).peekable();
            names.peek().is_some() && names.all(|name| name == "md5")
        },
        expected: |_| {
            let line = |algorithm| {
                format!("WWW-Authenticate: Digest realm=\"…\", qop=\"auth\", algorithm={algorithm}, nonce=\"…\"")
            };
            format!("{}\n{}", line("SHA-256"), line("MD5"))
        },
    },
    Rule {
        id: "digest-with-an-unknown-algorithm",
        severity: Fault,
        section: "RFC 7616 §3.3",
        sentence: "the server offers Digest only with unregistered algorithms, which no client supports",
        is_broken: |evidence| {
            let mut names = algorithms(evidence).peekable();
            names.peek().is_some() && !names.any(|name| KNOWN_ALGORITHMS.contains(&&*name))
        },
        expected: digest,
    },
    Rule {
        id: "digest-with-an-odd-stale",
        severity: Doubt,
        section: "RFC 7616 §3.3",
        sentence: "`stale` is neither `true` nor `false`: it counts as false, so a client asks its user for the password again",
        is_broken: |evidence| {
            let odd = |value: &str| !value.eq_ignore_ascii_case("true") && !value.eq_ignore_ascii_case("false");
            evidence.has_challenge("Digest", |challenge| challenge.param("stale").is_some_and(|value| odd(&value)))
        },
        expected: digest,
    },
    Rule {
        id: "basic-beside-digest",
        severity: Doubt,
        section: "RFC 7616 §5.6",
        sentence: "the server offers Basic together with Digest: an attacker on the network can remove the Digest challenge and read the password",
        is_broken: |evidence| evidence.has_challenge("Basic", |_| true) && evidence.has_challenge("Digest", |_| true),
        expected: digest,
    },
];

/// The algorithms of all Digest challenges, in lower case and without `-sess`.
fn algorithms<'s>(evidence: &'s Evidence<'_>) -> impl Iterator<Item = String> + 's {
    evidence.challenges.iter().filter(|challenge| challenge.is("Digest")).map(|challenge| {
        let name =
            challenge.param("algorithm").map_or_else(|| "md5".to_owned(), |name| name.trim().to_ascii_lowercase());
        name.strip_suffix("-sess").map_or_else(|| name.clone(), str::to_owned)
    })
}

fn basic(_: &Evidence<'_>) -> String {
    "WWW-Authenticate: Basic realm=\"…\", charset=\"UTF-8\"".to_owned()
}

fn digest(_: &Evidence<'_>) -> String {
    "WWW-Authenticate: Digest realm=\"…\", qop=\"auth\", algorithm=SHA-256, nonce=\"…\"".to_owned()
}
