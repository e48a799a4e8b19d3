//! Rules about the status: whether it is the right one.

use http::header::{PROXY_AUTHENTICATE, RETRY_AFTER, WWW_AUTHENTICATE};

use crate::lint::evidence::Evidence;
use crate::lint::finding::Rule;
use crate::lint::finding::Severity::{Doubt, Fault, Information};
use crate::lint::phrases::{DENIED, EXPIRED, MALFORMED, TOO_MANY};

const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden";
const BAD_REQUEST: &str = "HTTP/1.1 400 Bad Request\nContent-Type: application/problem+json";

pub(super) static RULES: [Rule; 14] = [
    Rule {
        id: "401-without-challenge",
        severity: Fault,
        section: "RFC 9110 §15.5.2",
        sentence: "a 401 has no `WWW-Authenticate`, so a client does not know which credential to send",
        // An empty field has neither a challenge nor a defect.
        is_broken: |evidence| {
            evidence.has_status(401) && evidence.challenges.is_empty() && evidence.challenges.is_strict()
        },
        expected: challenge,
    },
    Rule {
        id: "401-for-insufficient-scope",
        severity: Fault,
        section: "RFC 6750 §3.1",
        sentence: "a credential lacks a scope, but the status is 401: a new credential with the same scopes is refused too",
        is_broken: |evidence| evidence.has_status(401) && evidence.has_error("insufficient_scope"),
        expected: insufficient_scope,
    },
    Rule {
        id: "401-for-a-fresh-credential",
        severity: Doubt,
        section: "RFC 9110 §15.5.4",
        sentence: "a valid or just renewed credential gets a 401; if the credential lacks a permission, the right status is 403",
        is_broken: |evidence| {
            evidence.has_status(401) && (evidence.exchange.is_known_good || is_renewed_for_nothing(evidence))
        },
        expected: insufficient_scope,
    },
    Rule {
        id: "403-without-credential",
        severity: Doubt,
        section: "RFC 9110 §15.5.2",
        sentence: "a request has no credential, but the status is 403: a client does not learn that it can log in",
        is_broken: |evidence| evidence.has_status(403) && evidence.is_without_credential() && !is_rate_limit(evidence),
        expected: challenge,
    },
    Rule {
        id: "403-for-an-invalid-token",
        severity: Fault,
        section: "RFC 6750 §3.1",
        sentence: "the `error` is `invalid_token`, but the status is 403: no client renews its token after a 403",
        is_broken: |evidence| evidence.has_status(403) && evidence.has_error("invalid_token"),
        expected: invalid_token,
    },
    Rule {
        id: "403-for-an-expired-token",
        severity: Doubt,
        section: "RFC 6750 §3.1",
        sentence: "a 403 says that the token is expired: a client renews its token only after a 401",
        is_broken: |evidence| {
            evidence.has_status(403) && !evidence.has_error("invalid_token") && evidence.body_means(&EXPIRED)
        },
        expected: invalid_token,
    },
    Rule {
        id: "rate-limit-as-403",
        severity: Doubt,
        section: "RFC 6585 §4",
        sentence: "the server answers a rate limit with 403 and no `Retry-After`: a client treats it as a final refusal",
        is_broken: |evidence| {
            evidence.has_status(403) && evidence.header(RETRY_AFTER).is_none() && is_rate_limit(evidence)
        },
        expected: |_| "HTTP/1.1 429 Too Many Requests\nRetry-After: 60".to_owned(),
    },
    Rule {
        id: "refusal-of-a-malformed-request",
        severity: Doubt,
        section: "RFC 9110 §15.5.1",
        sentence: "the server answers a malformed request with 401 or 403, but another credential does not help",
        is_broken: |evidence| {
            let of_token = evidence.has_error("invalid_token") || evidence.has_error("insufficient_scope");
            let malformed = evidence.has_error("invalid_request") || (!of_token && evidence.body_means(&MALFORMED));
            // If the request has no credential, the 401 or 403 is about the missing credential.
            (evidence.has_status(401) || evidence.has_status(403)) && evidence.has_credential() && malformed
        },
        expected: |_| BAD_REQUEST.to_owned(),
    },
    Rule {
        id: "challenge-on-success",
        severity: Information,
        section: "RFC 9110 §11.6.1",
        sentence: "a success has a challenge: another credential may get another response, but most clients ignore it",
        is_broken: |evidence| {
            evidence.exchange.status.is_success() && evidence.exchange.headers.contains_key(WWW_AUTHENTICATE)
        },
        expected: |evidence| {
            format!(
                "HTTP/1.1 {} without `WWW-Authenticate`, unless the challenge is intended",
                evidence.exchange.status
            )
        },
    },
    Rule {
        id: "challenge-on-403",
        severity: Information,
        section: "RFC 9110 §11.6.1",
        sentence: "a 403 has a challenge other than `insufficient_scope`: it is allowed, but most clients ignore it",
        is_broken: |evidence| {
            let errors = ["insufficient_scope", "invalid_token"];
            evidence.has_status(403)
                && evidence.exchange.headers.contains_key(WWW_AUTHENTICATE)
                && !errors.iter().any(|error| evidence.has_error(error))
        },
        expected: insufficient_scope,
    },
    Rule {
        id: "403-without-a-reason",
        severity: Information,
        section: "RFC 9110 §15.5.4",
        sentence: "a 403 has no reason that a program can read, so a client does not know what is missing",
        is_broken: |evidence| {
            evidence.has_status(403)
                && !evidence.exchange.headers.contains_key(WWW_AUTHENTICATE)
                && !evidence.exchange.is_json()
        },
        expected: |evidence| {
            let problem = "Content-Type: application/problem+json\n\n{\"title\": \"…\", \"detail\": \"…\"}";
            format!("{}\n{problem}", insufficient_scope(evidence))
        },
    },
    Rule {
        id: "407-from-an-origin",
        severity: Fault,
        section: "RFC 9110 §15.5.8",
        sentence: "an origin server sends a 407, which is the status of a proxy: a client looks for a credential for a proxy",
        is_broken: |evidence| evidence.has_status(407) && !evidence.exchange.headers.contains_key(PROXY_AUTHENTICATE),
        expected: challenge,
    },
    Rule {
        id: "404-that-hides-a-403",
        severity: Information,
        section: "RFC 9110 §15.5.4",
        sentence: "a 404 is sent because a permission is missing: it hides the resource, but the user does not learn which permission to request",
        is_broken: |evidence| {
            evidence.has_status(404)
                && (evidence.exchange.headers.contains_key(WWW_AUTHENTICATE) || evidence.body_means(&DENIED))
        },
        expected: |_| format!("{FORBIDDEN}, or a 404 with the same text as for a resource that does not exist"),
    },
    Rule {
        id: "success-with-an-error",
        severity: Doubt,
        section: "RFC 9110 §15.3",
        sentence: "a success has the error of a refused credential in its body: a client that checks the status treats it as a result",
        is_broken: |evidence| {
            evidence.exchange.status.is_success() && evidence.exchange.is_json() && evidence.is_refusal()
        },
        expected: invalid_token,
    },
];

/// Whether the server refuses a token that was just renewed and names no fault of the token. Passwords do not count,
/// because a password may be wrong.
fn is_renewed_for_nothing(evidence: &Evidence<'_>) -> bool {
    let explained = evidence.errors().any(|error| error != "insufficient_scope");
    evidence.exchange.is_renewed && evidence.has_token() && !explained
}

fn is_rate_limit(evidence: &Evidence<'_>) -> bool {
    let spent = ["x-ratelimit-remaining", "ratelimit-remaining"];
    let spent = spent.iter().any(|name| evidence.exchange.headers.get(*name).is_some_and(|left| left == "0"));
    spent || evidence.body_means(&TOO_MANY)
}

fn challenge(evidence: &Evidence<'_>) -> String {
    let line = match evidence.scheme() {
        "Digest" => "Digest realm=\"…\", qop=\"auth\", algorithm=SHA-256, nonce=\"…\"".to_owned(),
        scheme => format!("{scheme} realm=\"…\""),
    };
    format!("HTTP/1.1 401 Unauthorized\nWWW-Authenticate: {line}")
}

fn insufficient_scope(_: &Evidence<'_>) -> String {
    format!("{FORBIDDEN}\nWWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"…\"")
}

fn invalid_token(_: &Evidence<'_>) -> String {
    "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Bearer error=\"invalid_token\"".to_owned()
}
