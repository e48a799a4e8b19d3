//! Bearer and DPoP challenges.

use http::header::HeaderName;

use crate::lint::finding::Rule;
use crate::lint::finding::Severity::{Doubt, Fault, Information};
use crate::lint::seen::Seen;

/// The error codes that are registered for a resource: RFC 6750 §3.1, 9449 §12.2, 9470 §3, and CAE's.
const CODES: [&str; 8] = [
    "invalid_request",
    "invalid_token",
    "insufficient_scope",
    "invalid_dpop_proof",
    "use_dpop_nonce",
    "insufficient_user_authentication",
    "insufficient_claims",
    "interaction_required",
];

fn nonce_header() -> HeaderName {
    HeaderName::from_static("dpop-nonce")
}

pub(super) static RULES: [Rule; 9] = [
    Rule {
        id: "error-without-a-token",
        severity: Doubt,
        section: "RFC 6750 §3.1",
        sentence: "a request without a token is told an `error`, as if it had had one that is bad",
        broken: |seen| {
            seen.is(401) && seen.has_nothing() && seen.token_challenges().any(|one| one.param("error").is_some())
        },
        instead: |_| "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Bearer realm=\"…\"".to_owned(),
    },
    Rule {
        id: "bearer-without-parameters",
        severity: Fault,
        section: "RFC 6750 §3",
        sentence: "a Bearer challenge has no parameter, of which there must be one at least",
        broken: |seen| seen.any("Bearer", |one| one.params().next().is_none()),
        instead: |_| "WWW-Authenticate: Bearer realm=\"…\"".to_owned(),
    },
    Rule {
        id: "error-code-that-nobody-knows",
        severity: Information,
        section: "RFC 6750 §6.2",
        sentence: "an `error` is none of the registered codes: a client can only show it",
        broken: |seen| {
            let unknown = |error: &str| !CODES.contains(&error);
            seen.token_challenges().any(|one| one.param("error").is_some_and(|error| unknown(&error)))
        },
        instead: |_| "WWW-Authenticate: Bearer error=\"invalid_token\", error_description=\"…\"".to_owned(),
    },
    Rule {
        id: "error-with-odd-characters",
        severity: Fault,
        section: "RFC 6750 §3",
        sentence: "an `error` or `error_description` has a character other than printable ASCII without quotes and backslashes",
        broken: |seen| {
            let odd =
                |value: &str| value.bytes().any(|octet| !matches!(octet, b' '..=b'!' | b'#'..=b'[' | b']'..=b'~'));
            let named =
                |name: &str| seen.token_challenges().any(|one| one.param(name).is_some_and(|value| odd(&value)));
            named("error") || named("error_description")
        },
        instead: |_| {
            "WWW-Authenticate: Bearer error=\"invalid_token\", error_description=\"plain ASCII text\"".to_owned()
        },
    },
    Rule {
        id: "scope-with-odd-characters",
        severity: Fault,
        section: "RFC 6750 §3",
        sentence: "a `scope` has something else in it than scope tokens with single blanks between them",
        broken: |seen| {
            let token = |part: &str| {
                !part.is_empty() && part.bytes().all(|octet| matches!(octet, b'!' | b'#'..=b'[' | b']'..=b'~'))
            };
            let odd = |value: &str| !value.split(' ').all(token);
            seen.token_challenges().any(|one| one.param("scope").is_some_and(|value| odd(&value)))
        },
        instead: |_| "WWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"read write\"".to_owned(),
    },
    Rule {
        id: "dpop-nonce-without-a-nonce",
        severity: Fault,
        section: "RFC 9449 §9",
        sentence: "`use_dpop_nonce` comes without a `DPoP-Nonce` to use",
        broken: |seen| seen.has_error("use_dpop_nonce") && seen.header(nonce_header()).is_none(),
        instead: |_| {
            "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: DPoP error=\"use_dpop_nonce\"\nDPoP-Nonce: …".to_owned()
        },
    },
    Rule {
        id: "dpop-algorithm-that-proves-nothing",
        severity: Fault,
        section: "RFC 9449 §5.1",
        sentence: "a DPoP challenge names an algorithm without a key of the client's own: `none`, or a symmetric one",
        broken: |seen| {
            let weak = |name: &str| name.eq_ignore_ascii_case("none") || name.to_ascii_uppercase().starts_with("HS");
            seen.any("DPoP", |one| one.param("algs").is_some_and(|algs| algs.split(' ').any(weak)))
        },
        instead: |_| "WWW-Authenticate: DPoP algs=\"ES256\"".to_owned(),
    },
    Rule {
        id: "step-up-without-a-step",
        severity: Doubt,
        section: "RFC 9470 §3",
        sentence: "`insufficient_user_authentication` names neither `acr_values` nor `max_age`: nobody knows what would do",
        broken: |seen| {
            let step = |one: &crate::challenge::Challenge<'_>| {
                one.param("acr_values").is_some() || one.param("max_age").is_some()
            };
            seen.has_error("insufficient_user_authentication") && !seen.token_challenges().any(|one| step(&one))
        },
        instead: step_up,
    },
    Rule {
        id: "step-up-as-403",
        severity: Fault,
        section: "RFC 9470 §3",
        sentence: "`insufficient_user_authentication` comes with another status than 401",
        broken: |seen| !seen.is(401) && seen.has_error("insufficient_user_authentication"),
        instead: step_up,
    },
];

fn step_up(_: &Seen<'_>) -> String {
    let error = "error=\"insufficient_user_authentication\"";
    format!("HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Bearer {error}, acr_values=\"…\"")
}
