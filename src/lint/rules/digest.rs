//! Basic and Digest challenges.

use crate::lint::finding::Rule;
use crate::lint::finding::Severity::{Doubt, Fault};
use crate::lint::seen::Seen;

/// The algorithms of RFC 7616 §6.1, each with its `-sess`.
const ALGORITHMS: [&str; 3] = ["md5", "sha-256", "sha-512-256"];

pub(super) static RULES: [Rule; 9] = [
    Rule {
        id: "basic-without-realm",
        severity: Fault,
        section: "RFC 7617 §2",
        sentence: "a Basic challenge has no realm, which it must have",
        broken: |seen| seen.any("Basic", |one| one.realm().is_none()),
        instead: basic,
    },
    Rule {
        id: "basic-with-another-charset",
        severity: Fault,
        section: "RFC 7617 §2.1",
        sentence: "a Basic challenge names a `charset` other than UTF-8, which is the only one",
        broken: |seen| {
            seen.any("Basic", |one| one.param("charset").is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8")))
        },
        instead: basic,
    },
    Rule {
        id: "digest-without-realm",
        severity: Fault,
        section: "RFC 7616 §3.3",
        sentence: "a Digest challenge has no realm, without which no answer can be made",
        broken: |seen| seen.any("Digest", |one| one.realm().is_none()),
        instead: digest,
    },
    Rule {
        id: "digest-without-nonce",
        severity: Fault,
        section: "RFC 7616 §3.3",
        sentence: "a Digest challenge has no nonce, without which no answer can be made",
        broken: |seen| seen.any("Digest", |one| one.param("nonce").is_none()),
        instead: digest,
    },
    Rule {
        id: "digest-without-qop",
        severity: Fault,
        section: "RFC 7616 §3.3",
        sentence: "a Digest challenge has no `qop`: the answer is the one of RFC 2069, which can be replayed",
        broken: |seen| seen.any("Digest", |one| one.param("qop").is_none()),
        instead: digest,
    },
    Rule {
        id: "digest-with-md5-alone",
        severity: Doubt,
        section: "RFC 7616 §3.3",
        sentence: "Digest is offered with MD5 alone, which is kept for old clients beside SHA-256",
        broken: |seen| {
            let mut names = algorithms(seen).filter(|name| ALGORITHMS.contains(&&**name)).peekable();
            names.peek().is_some() && names.all(|name| name == "md5")
        },
        instead: |_| {
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
        sentence: "Digest is offered only with unregistered algorithms, which no client supports",
        broken: |seen| {
            let mut names = algorithms(seen).peekable();
            names.peek().is_some() && !names.any(|name| ALGORITHMS.contains(&&*name))
        },
        instead: digest,
    },
    Rule {
        id: "digest-with-an-odd-stale",
        severity: Doubt,
        section: "RFC 7616 §3.3",
        sentence: "`stale` is neither `true` nor `false`: it counts as false, and somebody is asked for a password again",
        broken: |seen| {
            let odd = |value: &str| !value.eq_ignore_ascii_case("true") && !value.eq_ignore_ascii_case("false");
            seen.any("Digest", |one| one.param("stale").is_some_and(|value| odd(&value)))
        },
        instead: digest,
    },
    Rule {
        id: "strong-scheme-beside-basic",
        severity: Doubt,
        section: "RFC 7616 §5.6",
        sentence: "Basic is offered beside Digest: whoever is in between leaves Digest out, and reads the password",
        broken: |seen| seen.any("Basic", |_| true) && seen.any("Digest", |_| true),
        instead: digest,
    },
];

/// The algorithms of all Digest challenges, in lower case and without `-sess`.
fn algorithms<'s>(seen: &'s Seen<'_>) -> impl Iterator<Item = String> + 's {
    seen.challenges.iter().filter(|one| one.is("Digest")).map(|one| {
        let name = one.param("algorithm").map_or_else(|| "md5".to_owned(), |name| name.trim().to_ascii_lowercase());
        name.strip_suffix("-sess").map_or_else(|| name.clone(), str::to_owned)
    })
}

fn basic(_: &Seen<'_>) -> String {
    "WWW-Authenticate: Basic realm=\"…\", charset=\"UTF-8\"".to_owned()
}

fn digest(_: &Seen<'_>) -> String {
    "WWW-Authenticate: Digest realm=\"…\", qop=\"auth\", algorithm=SHA-256, nonce=\"…\"".to_owned()
}
