//! Correct responses about which the lint must report nothing.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest_challenge::lint::{Exchange, Finding, Presented, Severity, check};
use url::Url;

use Presented::{Nothing, Other, Token};

type Answer<'a> = (u16, &'a [(&'a str, &'a str)], &'a str);

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    lines.iter().map(pair).collect()
}

/// The faults and doubts about that response.
fn reported(presented: Presented, (status, lines, body): Answer<'_>) -> Vec<&'static str> {
    let (url, headers) = (Url::parse("https://api.example.com/reports").unwrap(), headers(lines));
    let exchange = Exchange::new(&Method::GET, &url, StatusCode::from_u16(status).unwrap(), &headers);
    let findings = check(&exchange.body(body.as_bytes()).presented(presented));
    findings.iter().filter(|finding| finding.severity() != Severity::Information).map(Finding::id).collect()
}

const BEARER: (&str, &str) = ("www-authenticate", "Bearer realm=\"https://accounts.google.com/\"");
const JSON: (&str, &str) = ("content-type", "application/json");

#[test]
fn a_missing_credential_or_permission_is_not_reported_as_a_malformed_request() {
    let google = "{\"error\":{\"code\":401,\"message\":\"Request is missing required authentication credential. Expected OAuth 2 \
                  access token, login cookie or other valid authentication credential.\",\"status\":\"UNAUTHENTICATED\"}}";
    for presented in [Nothing, Token, Other] {
        assert_eq!(reported(presented, (401, &[BEARER, JSON], google)), [""; 0], "{presented:?}");
    }
    for text in [
        "Missing required scope",
        "missing required scopes: read",
        "User is missing required privileges",
        "Missing required permission storage.objects.get",
        "Missing required role",
        "missing required claim `aud`",
        "You are missing required group membership",
        "Missing required X-CSRF header",
        "Missing required header: Authorization",
        "Missing required parameter: api_key",
        "Missing parameter: access_token",
        "Malformed request: the bearer token has no dot",
    ] {
        let json = format!("{{\"message\": \"{text}\"}}");
        for body in [text, &json] {
            assert_eq!(reported(Token, (403, &[JSON], body)), [""; 0], "{body}");
            assert_eq!(reported(Token, (401, &[BEARER, JSON], body)), [""; 0], "{body}");
        }
    }
    // A credential named in another sentence does not excuse a malformed request.
    for body in [
        "{\"message\":\"Missing required parameter: id. See the page on tokens.\"}",
        "the token is good\nmissing parameter",
    ] {
        assert_eq!(reported(Token, (403, &[JSON], body)), ["refusal-of-a-malformed-request"], "{body}");
    }
}

#[test]
fn a_401_to_a_request_without_a_credential_is_not_reported() {
    let challenge = ("www-authenticate", "Bearer error=\"invalid_request\"");
    let found = reported(Nothing, (401, &[challenge], ""));
    assert!(!found.contains(&"refusal-of-a-malformed-request"), "{found:?}");
    assert_eq!(reported(Nothing, (401, &[BEARER], "missing parameter: user")), [""; 0]);
    let found = reported(Presented::Unknown, (401, &[challenge], ""));
    assert_eq!(found, [""; 0], "a rule that depends on the credential is skipped");
    assert_eq!(reported(Token, (401, &[challenge], "")), ["refusal-of-a-malformed-request"]);
}

#[test]
fn a_wrong_password_is_not_reported_as_a_fresh_credential() {
    let url = Url::parse("https://api.example.com/reports").unwrap();
    let found = |presented, line: &str, good: bool| {
        let headers = headers(&[("www-authenticate", line)]);
        let exchange = Exchange::new(&Method::GET, &url, StatusCode::UNAUTHORIZED, &headers).presented(presented);
        let exchange = if good { exchange.known_good() } else { exchange.renewed() };
        check(&exchange).iter().any(|finding| finding.id() == "401-for-a-fresh-credential")
    };
    let digest = "Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
    for line in ["Basic realm=\"a\"", digest, "Bearer realm=\"a\""] {
        assert!(!found(Other, line, false), "{line}");
        assert!(found(Other, line, true), "{line}: the password is known to be good");
    }
    for error in ["invalid_token", "use_dpop_nonce", "insufficient_user_authentication", "insufficient_claims"] {
        assert!(!found(Token, &format!("Bearer error=\"{error}\""), false), "the error code names the reason: {error}");
    }
    assert!(found(Token, "Bearer realm=\"a\"", false) && found(Token, "Bearer error=\"insufficient_scope\"", false));
}

#[test]
fn an_expired_token_that_is_not_a_credential_is_not_reported() {
    for text in [
        "CSRF token has expired",
        "Your license token has expired",
        "The password reset token is expired",
        "Check that your token is expired or not",
    ] {
        assert_eq!(reported(Other, (403, &[JSON], &format!("{{\"message\":\"{text}\"}}"))), [""; 0], "{text}");
    }
    for text in ["The access token expired", "jwt expired", "The security token included in the request is expired"] {
        let found = reported(Token, (403, &[JSON], &format!("{{\"message\":\"{text}\"}}")));
        assert_eq!(found, ["403-for-an-expired-token"], "{text}");
    }
}

#[test]
fn a_success_whose_nested_data_mention_a_refusal_is_not_reported() {
    let success = |body: &str| reported(Token, (200, &[JSON], body));
    for body in [
        "{\"logs\":[{\"error\":\"access_denied\"}]}",
        "[{\"error\":\"forbidden\"}]",
        "{\"text\":\"{\\\"error\\\":\\\"forbidden\\\"}\"}",
        "{\"error\":\"forbidden_words\"}",
        "{\"x\":\"\\\"\",\"y\":{\"error\":\"forbidden\"}}",
    ] {
        assert_eq!(success(body), [""; 0], "{body}");
    }
    for body in ["{\"ok\":false, \"error\" : \"token_expired\"}", "{\"x\":{\"y\":[1]},\"error\":\"invalid_token\"}"] {
        assert_eq!(success(body), ["success-with-an-error"], "{body}");
    }
}

#[test]
fn a_rate_limit_of_an_anonymous_request_is_not_reported_as_a_missing_credential() {
    let spent = ("x-ratelimit-remaining", "0");
    assert_eq!(reported(Nothing, (403, &[JSON, spent], "{}")), ["rate-limit-as-403"]);
    assert_eq!(reported(Nothing, (403, &[JSON, ("retry-after", "9")], "\"too many requests\"")), [""; 0]);
}

#[test]
fn a_signed_url_counts_as_a_request_with_a_credential() {
    let of = |query: &str, name: &str| {
        let url = Url::parse(&format!("https://api.example.com/x{query}")).unwrap();
        let (sent, none) = (headers(&[(name, "x")]), HeaderMap::new());
        let exchange = Exchange::new(&Method::GET, &url, StatusCode::FORBIDDEN, &none).request_headers(&sent);
        check(&exchange).iter().any(|finding| finding.id() == "403-without-credential")
    };
    assert!(of("?page=2&expires=1", "accept") && of("", "x-request-id"));
    for query in ["?X-Amz-Signature=x", "?sv=1&sig=x", "?code=x", "?api_key=x", "?AWSAccessKeyId=x"] {
        assert!(!of(query, "accept"), "{query}");
    }
    for name in ["x-goog-iap-jwt-assertion", "x-session-id", "private-token"] {
        assert!(!of("", name), "{name}");
    }
}

#[test]
fn a_registered_algorithm_is_not_reported() {
    let offers = |algorithm: &str| {
        let line = format!("Digest realm=\"a\", nonce=\"n\", qop=\"auth\"{algorithm}");
        reported(Other, (401, &[("www-authenticate", &line)], ""))
    };
    for odd in ["SHA", "SHA-1", "SHA1", "SHA-512", "MD4", "none", "", "md5-foo"] {
        assert_eq!(offers(&format!(", algorithm=\"{odd}\"")), ["digest-with-an-unknown-algorithm"], "{odd}");
    }
    for known in [", algorithm=SHA-256", ", algorithm=\"sha-256-sess\"", ", algorithm=SHA-512-256"] {
        assert_eq!(offers(known), [""; 0], "{known}");
    }
    for md5 in ["", ", algorithm=MD5", ", algorithm=MD5-sess"] {
        assert_eq!(offers(md5), ["digest-with-md5-alone"], "{md5}");
    }
}
