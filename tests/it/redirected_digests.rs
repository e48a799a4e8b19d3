//! Redirects above and below the middleware, for schemes whose answer is valid for one URL.

use http::Extensions;
use reqwest::{Client, Request, Response};
use reqwest_challenge::{
    AuthReport, ChallengeMiddleware, FollowRedirects, MockResponse, Password, RedirectHistory, Unauthorized,
    UnauthorizedReason, hardened,
};
use reqwest_challenge_testing::{Answer, Script};
use reqwest_middleware::{ClientBuilder, Middleware, Next};

use crate::passwords::{auth, param};
use crate::redirects::following;
use crate::support::fake::Fake;
use crate::support::script::{API, status};
use crate::support::wire::{Head, Wire, answer};

const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth\"\r\n";

/// Behaves like `mod_dir` and `mod_auth_digest` of Apache: it checks the answer, then redirects a folder without its
/// slash. An answer for another URL is a bad request.
fn apache(head: &Head, mismatch: &str) -> Vec<u8> {
    let Some(sent) = head.value("authorization") else { return answer("401 Unauthorized", CHALLENGE, "who?") };
    if !sent.contains(&format!("uri=\"{}\"", head.path)) {
        return answer(mismatch, if mismatch.starts_with("401") { CHALLENGE } else { "" }, "another URL");
    }
    match head.path.as_str() {
        "/domain" => answer("301 Moved Permanently", "Location: /domain/\r\n", "moved"),
        _ => answer("200 OK", "", "in"),
    }
}

#[tokio::test]
async fn the_redirect_of_a_folder_without_its_slash_is_answered_for_each_url() {
    let api = Wire::start(|head| apache(head, "400 Bad Request")).await;
    let auth = ChallengeMiddleware::new(api.url(""), Password::new("u", "p")).unwrap();
    let client = hardened(Client::builder(), auth).unwrap();
    for sends in [3, 5] {
        let response = client.get(api.url("/domain")).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.url().path()), (200, "/domain/"));
        assert_eq!(RedirectHistory::of(&response).unwrap().hops()[0].url().path(), "/domain");
        assert_eq!(response.text().await.unwrap(), "in");
        assert_eq!((api.heads().len(), api.connections()), (sends, 1));
    }
}

#[tokio::test]
async fn the_error_names_a_redirect_below_the_middleware_and_the_remedy() {
    for mismatch in ["400 Bad Request", "401 Unauthorized"] {
        let api = Wire::start(move |head| apache(head, mismatch)).await;
        let auth = ChallengeMiddleware::new(api.url(""), Password::new("u", "p")).unwrap();
        let client = ClientBuilder::new(Client::new()).with(auth).build();
        let error = client.get(api.url("/domain")).send().await.unwrap_err();
        let shown = format!("{:#}", anyhow::Error::from(error));
        for part in ["redirected below the middleware", "`FollowRedirects`", "`redirect::Policy::none()`", "`hardened`"]
        {
            assert!(shown.contains(part), "{mismatch}: {part} in {shown}");
        }
        assert!(!shown.contains("401 where it means 403"), "{shown}");
    }
}

#[tokio::test]
async fn a_400_without_a_redirect_is_returned_unchanged() {
    let server = Script::new(|arrived, _| match arrived.credential() {
        Some(_) => status(400),
        None => Answer::unauthorized(["Digest realm=\"a\", nonce=\"n\", qop=\"auth\""]),
    });
    let response = server.client(&auth(Password::new("u", "p"))).get(format!("{API}/a?b")).send().await.unwrap();
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn a_refused_bearer_token_has_a_redirect_hint_only_for_an_unsafe_method() {
    let api = Wire::start(|head| match head.path.as_str() {
        "/domain" => answer("301 Moved", "Location: /domain/\r\n", ""),
        _ => answer("401 Unauthorized", "WWW-Authenticate: Bearer\r\n", ""),
    })
    .await;
    let auth = ChallengeMiddleware::new(api.url(""), Fake::new()).unwrap();
    let client = ClientBuilder::new(Client::new()).with(auth).build();
    let error = client.get(api.url("/domain")).send().await.unwrap_err();
    assert!(!error.to_string().contains("FollowRedirects"), "{error}");
    // A POST is not sent again, because it may have had an effect at the first URL. The hint is right:
    // `FollowRedirects` would see the redirect.
    let error = client.post(api.url("/domain")).send().await.unwrap_err();
    let refused = Unauthorized::find(&error).unwrap();
    assert_eq!(refused.reason(), UnauthorizedReason::Redirected);
    assert!(error.to_string().contains("`FollowRedirects`"), "{error}");
}

#[tokio::test]
async fn each_hop_is_answered_with_its_own_method_and_url() {
    let server = Script::new(|arrived, _| match (arrived.credential(), arrived.path()) {
        (None, _) => Answer::unauthorized(["Digest realm=\"a\", nonce=\"n\", qop=\"auth\""]),
        (_, "/a") => Answer::new(303).header("location", "/b?c=d"),
        (_, "/b") => Answer::new(307).header("location", "/e"),
        _ => status(200),
    });
    let response =
        following(&server, &auth(Password::new("u", "p"))).post(format!("{API}/a")).body("x").send().await.unwrap();
    assert_eq!((response.status().as_u16(), AuthReport::of(&response).attempts(), server.sends()), (200, 1, 4));
    let requests = server.requests();
    let uris: Vec<_> = requests[1..].iter().map(|arrived| param(arrived, "uri").unwrap()).collect();
    assert_eq!(uris, ["/a", "/b?c=d", "/e"]);
}

#[tokio::test]
async fn a_dpop_proof_is_made_for_each_url_and_the_error_names_a_redirect_without_one() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use reqwest_challenge::dpop::{Dpop, Es256Key};
    let api = Wire::start(|head| {
        let claims = head.value("dpop").map(|proof| URL_SAFE_NO_PAD.decode(proof.split('.').nth(1).unwrap()).unwrap());
        let claims = claims.map(|claims| String::from_utf8(claims).unwrap()).unwrap_or_default();
        if !claims.contains(&format!("{}\"", head.path)) {
            return answer("401 Unauthorized", "WWW-Authenticate: DPoP error=\"invalid_dpop_proof\"\r\n", "");
        }
        match head.path.as_str() {
            "/a" => answer("307 Temporary", "Location: /b\r\n", ""),
            _ => answer("200 OK", "", "in"),
        }
    })
    .await;
    let bound = || -> ChallengeMiddleware {
        let credential = Dpop::new(Es256Key::generate().unwrap()).credential("t0", "DPoP").unwrap();
        ChallengeMiddleware::new(api.url(""), credential).unwrap()
    };
    let client = hardened(Client::builder(), bound()).unwrap();
    assert_eq!(client.post(api.url("/a")).body("x").send().await.unwrap().status(), 200);
    let client = ClientBuilder::new(Client::new()).with(bound()).build();
    let error = client.get(api.url("/a")).send().await.unwrap_err();
    assert!(error.to_string().contains("`FollowRedirects`"), "{error}");
}

/// A middleware that refuses with a marked response, which has no URL.
struct ByHand;

#[async_trait::async_trait]
impl Middleware for ByHand {
    async fn handle(&self, _: Request, _: &mut Extensions, _: Next<'_>) -> reqwest_middleware::Result<Response> {
        let response = http::Response::builder().status(401).header("www-authenticate", CHALLENGE[18..].trim());
        Ok(response.extension(MockResponse).body(reqwest::Body::default()).unwrap().into())
    }
}

#[tokio::test]
async fn a_mock_response_without_a_url_is_no_redirect() {
    let client = ClientBuilder::new(Client::new()).with(FollowRedirects::new()).with(auth(Password::new("u", "p")));
    let error = client.with(ByHand).build().get(format!("{API}/a")).send().await.unwrap_err();
    assert!(Unauthorized::find(&error).is_some() && !error.to_string().contains("redirected"), "{error}");
}
