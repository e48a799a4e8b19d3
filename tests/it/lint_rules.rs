//! Each rule of the lint, with an exchange that breaks it and one that keeps it.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest_challenge::lint::{Exchange, Finding, Presented, Severity, assert_conformant, check, rule_ids};
use url::Url;

/// The findings of an exchange that is written as a text. Its first line has the status, what the request presented,
/// optionally `renewed`, and optionally the URL. The header fields, a blank line and the body follow.
fn found(text: &str) -> Vec<Finding> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let first: Vec<&str> = lines.next().unwrap().split(' ').collect();
    let url = first.iter().find(|word| word.contains("://")).copied().unwrap_or("https://api.example.com/reports");
    let (url, status) = (Url::parse(url).unwrap(), StatusCode::from_bytes(first[0].as_bytes()).unwrap());
    let headers: HeaderMap = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap()))
        .collect();
    let presented = match first.get(1) {
        Some(&"nothing") => Presented::Nothing,
        Some(&"token") => Presented::Token,
        Some(&"other") => Presented::Other,
        _ => Presented::Unknown,
    };
    let exchange = Exchange::new(&Method::GET, &url, status, &headers).body(body.as_bytes()).presented(presented);
    check(&if first.contains(&"renewed") { exchange.renewed() } else { exchange })
}

fn ids(text: &str) -> Vec<&'static str> {
    found(text).iter().map(Finding::id).collect()
}

const B401: &str = "401 token\nwww-authenticate: Bearer realm=\"a\"";

/// The rule, an exchange that breaks it, and a similar one that keeps it.
const RULES: &[(&str, &str, &str)] = &[
    ("401-without-challenge", "401 token", B401),
    ("401-without-challenge", "401 token\nwww-authenticate: , ,", B401),
    (
        "401-for-insufficient-scope",
        "401 token\nwww-authenticate: Bearer error=\"insufficient_scope\"",
        "403 token\nwww-authenticate: Bearer error=\"insufficient_scope\"",
    ),
    ("401-for-a-fresh-credential", "401 token renewed\nwww-authenticate: Bearer realm=\"a\"", B401),
    ("403-without-credential", "403 nothing", "403 token"),
    (
        "403-for-an-invalid-token",
        "403 token\nwww-authenticate: Bearer error=\"invalid_token\"",
        "401 token\nwww-authenticate: Bearer error=\"invalid_token\"",
    ),
    ("403-for-an-expired-token", "403 token\n\n{\"message\":\"JWT expired\"}", "403 token\n\nyour trial has expired"),
    (
        "rate-limit-as-403",
        "403 token\nx-ratelimit-remaining: 0",
        "403 token\nx-ratelimit-remaining: 0\nretry-after: 60",
    ),
    ("rate-limit-as-403", "403 token\n\nAPI Rate Limit exceeded", "429 token\n\nAPI Rate Limit exceeded"),
    (
        "refusal-of-a-malformed-request",
        "401 token\nwww-authenticate: Bearer error=\"invalid_request\"",
        "400 token\nwww-authenticate: Bearer error=\"invalid_request\"",
    ),
    ("refusal-of-a-malformed-request", "403 token\n\nMissing parameter: id", "403 token\n\nmissing role: admin"),
    (
        "refusal-of-a-malformed-request",
        "401 token\nwww-authenticate: Bearer realm=\"a\"\n\nmissing parameter",
        "401 token\nwww-authenticate: Bearer error=\"invalid_token\"\n\nmissing parameter",
    ),
    ("rate-limit-as-403", "403 token\n\nToo many requests", "403 token\n\nyou may not edit rate limits"),
    (
        "bearer-without-parameters",
        "401 token\nwww-authenticate: Bearer abc",
        "401 token\nwww-authenticate: Negotiate abc",
    ),
    (
        "link-by-plain-http",
        "401 token\nwww-authenticate: Bearer realm=\"http://api.example.com/\"",
        "401 other\nwww-authenticate: Basic realm=\"http://api.example.com/\"",
    ),
    ("challenge-on-success", "200 token\nwww-authenticate: Negotiate YII=", "200 token"),
    (
        "challenge-on-403",
        "403 token\nwww-authenticate: Basic realm=\"a\"",
        "403 token\nwww-authenticate: Bearer error=\"insufficient_scope\", scope=\"a\"",
    ),
    ("403-without-a-reason", "403 token\n\n<html>Forbidden</html>", "403 token\ncontent-type: application/json\n\n{}"),
    ("407-from-an-origin", "407 token", "407 token\nproxy-authenticate: Basic realm=\"a\""),
    ("404-that-hides-a-403", "404 token\n\nyou have no permission to see this", "404 token\n\nno such report"),
    (
        "success-with-an-error",
        "200 token\ncontent-type: application/json\n\n{\"error\": \"invalid_token\"}",
        "200 token\ncontent-type: application/json\n\n{\"error\": \"none\"}",
    ),
    (
        "error-without-a-token",
        "401 nothing\nwww-authenticate: Bearer error=\"invalid_token\"",
        "401 nothing\nwww-authenticate: Bearer realm=\"a\"",
    ),
    ("bearer-without-parameters", "401 token\nwww-authenticate: Bearer", "401 token\nwww-authenticate: Negotiate"),
    (
        "unknown-error-code",
        "401 token\nwww-authenticate: Bearer error=\"token_expired\"",
        "401 token\nwww-authenticate: Bearer error=\"invalid_token\"",
    ),
    (
        "error-with-odd-characters",
        "401 token\nwww-authenticate: Bearer error=\"invalid_token\", error_description=\"it \\\"expired\\\"\"",
        "401 token\nwww-authenticate: Bearer error=\"invalid_token\", error_description=\"it expired\"",
    ),
    (
        "scope-with-odd-characters",
        "401 token\nwww-authenticate: Bearer scope=\"a  b\"",
        "401 token\nwww-authenticate: Bearer scope=\"a b\"",
    ),
    (
        "dpop-nonce-without-a-nonce",
        "401 token\nwww-authenticate: DPoP error=\"use_dpop_nonce\"",
        "401 token\nwww-authenticate: DPoP error=\"use_dpop_nonce\"\ndpop-nonce: n",
    ),
    (
        "weak-dpop-algorithm",
        "401 token\nwww-authenticate: DPoP algs=\"ES256 HS256\"",
        "401 token\nwww-authenticate: DPoP algs=\"ES256 PS256\"",
    ),
    (
        "step-up-without-requirement",
        "401 token\nwww-authenticate: Bearer error=\"insufficient_user_authentication\"",
        "401 token\nwww-authenticate: Bearer error=\"insufficient_user_authentication\", max_age=\"5\"",
    ),
    (
        "step-up-as-403",
        "403 token\nwww-authenticate: Bearer error=\"insufficient_user_authentication\", max_age=\"5\"",
        "401 token\nwww-authenticate: Bearer error=\"insufficient_user_authentication\", max_age=\"5\"",
    ),
    ("basic-without-realm", "401 other\nwww-authenticate: Basic", "401 other\nwww-authenticate: Basic realm=\"a\""),
    (
        "basic-with-another-charset",
        "401 other\nwww-authenticate: Basic realm=\"a\", charset=\"latin-1\"",
        "401 other\nwww-authenticate: Basic realm=\"a\", charset=\"utf-8\"",
    ),
    (
        "digest-without-realm",
        "401 other\nwww-authenticate: Digest nonce=\"n\", qop=\"auth\", algorithm=SHA-256",
        "401 other\nwww-authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256",
    ),
    (
        "digest-without-nonce",
        "401 other\nwww-authenticate: Digest realm=\"a\", qop=\"auth\", algorithm=SHA-256",
        "401 other\nwww-authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256",
    ),
    (
        "digest-without-qop",
        "401 other\nwww-authenticate: Digest realm=\"a\", nonce=\"n\", algorithm=SHA-256",
        "401 other\nwww-authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256",
    ),
    (
        "digest-with-md5-alone",
        "401 other\nwww-authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth\"",
        "401 other\nwww-authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256, \
         Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=MD5",
    ),
    (
        "digest-with-an-unknown-algorithm",
        "401 other\nwww-authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=SHA-1",
        "401 other\nwww-authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=SHA-1, \
         Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=sha-512-256-SESS",
    ),
    (
        "digest-with-an-odd-stale",
        "401 other\nwww-authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256, stale=1",
        "401 other\nwww-authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256, stale=TRUE",
    ),
    (
        "basic-beside-digest",
        "401 other\nwww-authenticate: Basic realm=\"a\"\n\
         www-authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256",
        "401 other\nwww-authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256",
    ),
    (
        "basic-over-plain-http",
        "401 other http://api.example.com/\nwww-authenticate: Basic realm=\"a\"",
        "401 other http://127.0.0.1:80/\nwww-authenticate: Basic realm=\"a\"",
    ),
    (
        "token-over-plain-http",
        "401 token http://api.example.com/\nwww-authenticate: Bearer realm=\"a\"",
        "401 token http://[::1]/\nwww-authenticate: Bearer realm=\"a\"",
    ),
    (
        "link-by-plain-http",
        "401 token\nwww-authenticate: Bearer resource_metadata=\"http://api.example.com/.well-known/x\"",
        "401 token\nwww-authenticate: Bearer resource_metadata=\"https://api.example.com/.well-known/x\"",
    ),
    (
        "link-to-another-host",
        "401 token\nwww-authenticate: Bearer realm=\"https://auth.example.com/token\"",
        "401 token\nwww-authenticate: Bearer realm=\"https://api.example.com:8443/token\"",
    ),
    (
        "token-in-the-query",
        "200 other https://api.example.com/?access_token=x",
        "200 other https://api.example.com/?access_token=x\ncache-control: max-age=0, Private",
    ),
];

#[test]
fn each_rule_finds_what_breaks_it_and_accepts_what_keeps_it() {
    for (id, broken, kept) in RULES {
        assert!(ids(broken).contains(id), "{id} is not found: {:?}\n{broken}", ids(broken));
        assert!(!ids(kept).contains(id), "{id} is found\n{kept}");
    }
    let tried: std::collections::HashSet<_> = RULES.iter().map(|(id, ..)| *id).collect();
    let all: std::collections::HashSet<_> = rule_ids().collect();
    assert_eq!(tried, all);
    assert_eq!(rule_ids().count(), all.len(), "an identifier stands twice");
}

#[test]
fn each_finding_names_the_fault_its_section_and_the_correction() {
    for (id, broken, _) in RULES {
        let finding = found(broken).into_iter().find(|finding| finding.id() == *id).unwrap();
        assert!(finding.section().starts_with("RFC ") && finding.section().contains('§'), "{finding}");
        assert!(!finding.expected().is_empty() && finding.sentence().len() > 30, "{finding}");
        let line = finding.to_string();
        assert!(line.starts_with(finding.severity().as_str()) && line.ends_with(&format!("[{id}]")), "{line}");
        assert!(finding.report().to_string().contains("\n  instead:\n    "), "{finding}");
    }
}

#[test]
fn each_correction_is_free_of_faults() {
    for (id, broken, _) in RULES {
        let finding = found(broken).into_iter().find(|finding| finding.id() == *id).unwrap();
        let Some(rest) = finding.expected().strip_prefix("HTTP/1.1 ") else { continue };
        let (status, headers) = rest.split_once('\n').unwrap_or((rest, ""));
        let text =
            format!("{} token\n{headers}", &status[..3]).replace('…', "x").replace("Content-Type", "content-type");
        let found: Vec<_> =
            found(text.trim()).into_iter().filter(|found| found.severity() == Severity::Fault).collect();
        assert!(found.is_empty(), "{id}: {found:?}");
    }
}

#[test]
fn a_possible_credential_counts_as_a_credential() {
    let url = Url::parse("https://api.example.com/x").unwrap();
    let query = Url::parse("https://api.example.com/x?access_token=1").unwrap();
    let none = HeaderMap::new();
    let of = |url: &Url, name: &str| {
        let headers = HeaderMap::from_iter([(name.parse::<HeaderName>().unwrap(), HeaderValue::from_static("x"))]);
        let exchange = Exchange::new(&Method::GET, url, StatusCode::FORBIDDEN, &none).request_headers(&headers);
        check(&exchange).iter().any(|finding| finding.id() == "403-without-credential")
    };
    assert!(of(&url, "accept") && of(&url, "x-request-id"));
    assert!(!of(&url, "cookie") && !of(&url, "x-api-key") && !of(&query, "accept") && !of(&url, "authorization"));
}

#[test]
fn each_defect_of_a_challenge_is_reported_with_its_position() {
    let all =
        found("401 token\nwww-authenticate: Bearer realm=\"a\"\nwww-authenticate: Basic realm=\"x\", realm=\"y\"");
    let defect = all.iter().find(|finding| finding.place().is_some()).unwrap();
    assert_eq!(
        (defect.id(), defect.place().map(|place| (place.line(), place.byte())), defect.severity()),
        ("duplicate-parameter", Some((1, 17)), Severity::Fault)
    );
    assert!(defect.to_string().starts_with("fault: line 2, byte 17: "), "{defect}");
}

#[test]
fn a_conformant_server_has_no_findings() {
    for text in [
        "200 token",
        "204 token",
        "404 token\n\nno such thing",
        "500 token",
        "401 nothing\nwww-authenticate: Bearer realm=\"a\"",
        "401 token\nwww-authenticate: Bearer realm=\"a\", error=\"invalid_token\", error_description=\"the token expired\"",
        "403 token\nwww-authenticate: Bearer error=\"insufficient_scope\", scope=\"a b\"",
        "403 token\ncontent-type: application/problem+json\n\n{\"title\":\"only for admins\"}",
        "401 other\nwww-authenticate: Basic realm=\"a\", charset=\"UTF-8\"",
    ] {
        assert_eq!(ids(text), [""; 0], "{text}");
    }
}

#[test]
fn assert_conformant_prints_the_findings() {
    let (url, headers) = (Url::parse("https://api.example.com/x?key=hunter2").unwrap(), HeaderMap::new());
    let exchange = |status| Exchange::new(&Method::GET, &url, status, &headers);
    assert_conformant([exchange(StatusCode::OK)]);
    let panic = std::panic::catch_unwind(|| assert_conformant([exchange(StatusCode::UNAUTHORIZED)])).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("GET /x 401\nfault: a 401 has no `WWW-Authenticate`") && !text.contains("hunter2"), "{text}");
}
