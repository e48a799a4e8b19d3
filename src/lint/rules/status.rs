//! Whether the status is the one that is meant.

use http::header::{PROXY_AUTHENTICATE, RETRY_AFTER, WWW_AUTHENTICATE};

use crate::lint::finding::Rule;
use crate::lint::finding::Severity::{Doubt, Fault, Information};
use crate::lint::seen::Seen;
use crate::lint::words::{DENIED, EXPIRED, MALFORMED, TOO_MANY};

const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden";
const BAD_REQUEST: &str = "HTTP/1.1 400 Bad Request\nContent-Type: application/problem+json";
pub(super) static RULES: [Rule; 14] = [
    Rule {
        id: "401-without-challenge",
        severity: Fault,
        section: "RFC 9110 §15.5.2",
        sentence: "a 401 has no `WWW-Authenticate`, so that nobody knows what it asks for",
        // An empty one is none.
        broken: |seen| seen.is(401) && seen.challenges.is_empty() && seen.challenges.is_strict(),
        instead: challenge,
    },
    Rule {
        id: "401-for-insufficient-scope",
        severity: Fault,
        section: "RFC 6750 §3.1",
        sentence: "a credential that lacks a scope is answered by 401: a new one of the same scopes will be too",
        broken: |seen| seen.is(401) && seen.has_error("insufficient_scope"),
        instead: insufficient_scope,
    },
    Rule {
        id: "401-for-a-fresh-credential",
        severity: Doubt,
        section: "RFC 9110 §15.5.4",
        sentence: "a valid or just renewed credential gets a 401; if it is not allowed to do this, the status is 403",
        broken: |seen| seen.is(401) && (seen.exchange.good || is_renewed_for_nothing(seen)),
        instead: insufficient_scope,
    },
    Rule {
        id: "403-without-credential",
        severity: Doubt,
        section: "RFC 9110 §15.5.2",
        sentence: "a request without a credential is answered by 403: nobody learns that there is something to log in to",
        broken: |seen| seen.is(403) && seen.has_nothing() && !is_rate_limit(seen),
        instead: challenge,
    },
    Rule {
        id: "403-for-an-invalid-token",
        severity: Fault,
        section: "RFC 6750 §3.1",
        sentence: "a token that is `invalid_token` is answered by 403, which no client answers by renewing it",
        broken: |seen| seen.is(403) && seen.has_error("invalid_token"),
        instead: invalid_token,
    },
    Rule {
        id: "403-for-an-expired-token",
        severity: Doubt,
        section: "RFC 6750 §3.1",
        sentence: "a 403 says that the token is expired: that is a 401, which a client answers by renewing it",
        broken: |seen| seen.is(403) && !seen.has_error("invalid_token") && seen.says(&EXPIRED),
        instead: invalid_token,
    },
    Rule {
        id: "rate-limit-as-403",
        severity: Doubt,
        section: "RFC 6585 §4",
        sentence: "too many requests are answered by 403 without a `Retry-After`: a client takes that for a refusal for good",
        broken: |seen| seen.is(403) && seen.header(RETRY_AFTER).is_none() && is_rate_limit(seen),
        instead: |_| "HTTP/1.1 429 Too Many Requests\nRetry-After: 60".to_owned(),
    },
    Rule {
        id: "refusal-of-a-malformed-request",
        severity: Doubt,
        section: "RFC 9110 §15.5.1",
        sentence: "a malformed request is answered by 401 or 403, which another credential will not mend",
        broken: |seen| {
            let of_token = seen.has_error("invalid_token") || seen.has_error("insufficient_scope");
            let malformed = seen.has_error("invalid_request") || (!of_token && seen.says(&MALFORMED));
            // A request without a credential is missing only the credential.
            (seen.is(401) || seen.is(403)) && seen.has_something() && malformed
        },
        instead: |_| BAD_REQUEST.to_owned(),
    },
    Rule {
        id: "challenge-on-success",
        severity: Information,
        section: "RFC 9110 §11.6.1",
        sentence: "a success has a challenge: another credential might get another answer, and most clients look no further",
        broken: |seen| seen.exchange.status.is_success() && seen.exchange.headers.contains_key(WWW_AUTHENTICATE),
        instead: |seen| format!("HTTP/1.1 {} without a challenge, unless that is meant", seen.exchange.status),
    },
    Rule {
        id: "challenge-on-403",
        severity: Information,
        section: "RFC 9110 §11.6.1",
        sentence: "a 403 has a challenge other than `insufficient_scope`: allowed, and most clients look no further",
        broken: |seen| {
            let errors = ["insufficient_scope", "invalid_token"];
            seen.is(403)
                && seen.exchange.headers.contains_key(WWW_AUTHENTICATE)
                && !errors.iter().any(|error| seen.has_error(error))
        },
        instead: insufficient_scope,
    },
    Rule {
        id: "403-without-a-reason",
        severity: Information,
        section: "RFC 9110 §15.5.4",
        sentence: "a 403 says nothing that a program can read: what is missing stays unknown",
        broken: |seen| {
            seen.is(403) && !seen.exchange.headers.contains_key(WWW_AUTHENTICATE) && !seen.exchange.is_json()
        },
        instead: |seen| {
            let problem = "Content-Type: application/problem+json\n\n{\"title\": \"…\", \"detail\": \"…\"}";
            format!("{}\n{problem}", insufficient_scope(seen))
        },
    },
    Rule {
        id: "407-from-an-origin",
        severity: Fault,
        section: "RFC 9110 §15.5.8",
        sentence: "an origin server says 407, which is a proxy's word: a client looks for a proxy's credential",
        broken: |seen| seen.is(407) && !seen.exchange.headers.contains_key(PROXY_AUTHENTICATE),
        instead: challenge,
    },
    Rule {
        id: "404-that-hides-a-403",
        severity: Information,
        section: "RFC 9110 §15.5.4",
        sentence: "a 404 speaks of permission: it hides that the thing exists, and hides from its owner what to ask for",
        broken: |seen| seen.is(404) && (seen.exchange.headers.contains_key(WWW_AUTHENTICATE) || seen.says(&DENIED)),
        instead: |_| format!("{FORBIDDEN}, or a 404 that says no more than a true one"),
    },
    Rule {
        id: "success-with-an-error",
        severity: Doubt,
        section: "RFC 9110 §15.3",
        sentence: "a success has the error of a refused credential in its body: who looks at the status takes it for a result",
        broken: |seen| seen.exchange.status.is_success() && seen.exchange.is_json() && seen.is_refusal(),
        instead: invalid_token,
    },
];

/// Whether a token was renewed and the server names no fault of it. A password may be wrong, and a server rightly
/// refuses a token that is `invalid_token`.
fn is_renewed_for_nothing(seen: &Seen<'_>) -> bool {
    let named = seen.token_challenges().filter_map(|challenge| challenge.param("error"));
    let explained = named.into_iter().any(|error| error != "insufficient_scope");
    seen.exchange.renewed && seen.has_token() && !explained
}

fn is_rate_limit(seen: &Seen<'_>) -> bool {
    let spent = ["x-ratelimit-remaining", "ratelimit-remaining"];
    let spent = spent.iter().any(|name| seen.exchange.headers.get(*name).is_some_and(|left| left == "0"));
    spent || seen.says(&TOO_MANY)
}

fn challenge(seen: &Seen<'_>) -> String {
    let line = match seen.scheme() {
        "Digest" => "Digest realm=\"…\", qop=\"auth\", algorithm=SHA-256, nonce=\"…\"".to_owned(),
        scheme => format!("{scheme} realm=\"…\""),
    };
    format!("HTTP/1.1 401 Unauthorized\nWWW-Authenticate: {line}")
}

fn insufficient_scope(_: &Seen<'_>) -> String {
    format!("{FORBIDDEN}\nWWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"…\"")
}

fn invalid_token(_: &Seen<'_>) -> String {
    "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Bearer error=\"invalid_token\"".to_owned()
}
