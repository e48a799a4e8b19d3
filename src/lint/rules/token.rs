//! Rules about Bearer and DPoP challenges.

use http::header::HeaderName;

use crate::challenge::{Challenge, is_scope_token};
use crate::lint::evidence::Evidence;
use crate::lint::finding::Rule;
use crate::lint::finding::Severity::{Doubt, Fault, Information};

/// The error codes of RFC 6750 §3.1, RFC 9449 §12.2 and RFC 9470 §3, and those of continuous access evaluation.
const KNOWN_CODES: [&str; 8] = [
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
        sentence: "a request had no token, but the challenge has an `error`, as if the token were invalid",
        is_broken: |evidence| {
            evidence.has_status(401) && evidence.is_without_credential() && evidence.errors().next().is_some()
        },
        expected: |_| "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Bearer realm=\"…\"".to_owned(),
    },
    Rule {
        id: "bearer-without-parameters",
        severity: Fault,
        section: "RFC 6750 §3",
        sentence: "a Bearer challenge has no parameter, but it must have at least one",
        is_broken: |evidence| evidence.has_challenge("Bearer", |challenge| challenge.params().next().is_none()),
        expected: |_| "WWW-Authenticate: Bearer realm=\"…\"".to_owned(),
    },
    Rule {
        id: "unknown-error-code",
        severity: Information,
        section: "RFC 6750 §6.2",
        sentence: "an `error` is not a registered code, so a client can only print it",
        is_broken: |evidence| evidence.errors().any(|error| !KNOWN_CODES.contains(&error)),
        expected: |_| "WWW-Authenticate: Bearer error=\"invalid_token\", error_description=\"…\"".to_owned(),
    },
    Rule {
        id: "error-with-odd-characters",
        severity: Fault,
        section: "RFC 6750 §3",
        sentence: "an `error` or `error_description` has a quote, a backslash or a character that is not printable ASCII",
        is_broken: |evidence| {
            let odd =
                |value: &str| value.bytes().any(|octet| !matches!(octet, b' '..=b'!' | b'#'..=b'[' | b']'..=b'~'));
            let describes =
                |challenge: &Challenge<'_>| challenge.param("error_description").is_some_and(|text| odd(&text));
            evidence.errors().any(odd) || evidence.token_challenges().iter().any(describes)
        },
        expected: |_| {
            "WWW-Authenticate: Bearer error=\"invalid_token\", error_description=\"plain ASCII text\"".to_owned()
        },
    },
    Rule {
        id: "scope-with-odd-characters",
        severity: Fault,
        section: "RFC 6750 §3",
        sentence: "a `scope` is not a list of scope tokens with single spaces between them",
        is_broken: |evidence| {
            let odd = |value: &str| !value.split(' ').all(is_scope_token);
            evidence
                .token_challenges()
                .iter()
                .any(|challenge| challenge.param("scope").is_some_and(|value| odd(&value)))
        },
        expected: |_| "WWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"read write\"".to_owned(),
    },
    Rule {
        id: "dpop-nonce-without-a-nonce",
        severity: Fault,
        section: "RFC 9449 §9",
        sentence: "the `error` is `use_dpop_nonce`, but there is no `DPoP-Nonce` field",
        is_broken: |evidence| evidence.has_error("use_dpop_nonce") && evidence.header(nonce_header()).is_none(),
        expected: |_| {
            "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: DPoP error=\"use_dpop_nonce\"\nDPoP-Nonce: …".to_owned()
        },
    },
    Rule {
        id: "weak-dpop-algorithm",
        severity: Fault,
        section: "RFC 9449 §5.1",
        sentence: "a DPoP challenge allows an algorithm without a private key of the client: `none`, or a symmetric one",
        is_broken: |evidence| {
            let weak = |name: &str| name.eq_ignore_ascii_case("none") || name.to_ascii_uppercase().starts_with("HS");
            evidence.has_challenge("DPoP", |challenge| {
                challenge.param("algs").is_some_and(|algs| algs.split(' ').any(weak))
            })
        },
        expected: |_| "WWW-Authenticate: DPoP algs=\"ES256\"".to_owned(),
    },
    Rule {
        id: "step-up-without-requirement",
        severity: Doubt,
        section: "RFC 9470 §3",
        sentence: "`insufficient_user_authentication` has neither `acr_values` nor `max_age`, so no client can satisfy it",
        is_broken: |evidence| {
            let has_requirement = |challenge: &Challenge<'_>| {
                challenge.param("acr_values").is_some() || challenge.param("max_age").is_some()
            };
            evidence.has_error("insufficient_user_authentication")
                && !evidence.token_challenges().iter().any(has_requirement)
        },
        expected: step_up,
    },
    Rule {
        id: "step-up-as-403",
        severity: Fault,
        section: "RFC 9470 §3",
        sentence: "a response with `insufficient_user_authentication` has a status other than 401",
        is_broken: |evidence| !evidence.has_status(401) && evidence.has_error("insufficient_user_authentication"),
        expected: step_up,
    },
];

fn step_up(_: &Evidence<'_>) -> String {
    let error = "error=\"insufficient_user_authentication\"";
    format!("HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Bearer {error}, acr_values=\"…\"")
}
