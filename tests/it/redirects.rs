//! Redirects above the middleware: methods, bodies, targets, limits, history.

use http::{Method, Version};
use reqwest::Client;
use reqwest_challenge::{
    AuthReport, CallOptions, ChallengeMiddleware, Credential, FollowRedirects, RedirectError, RedirectErrorKind,
    RedirectHistory, Renewed, hardened,
};
use reqwest_challenge_testing::{Answer, ReceivedRequest, Script};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use std::time::Duration;

use crate::support::fake::Fake;
use crate::support::script::{API, challenged, stream};
use crate::support::wire::{Wire, answer};

/// A client for that server that follows redirects above the middleware.
pub(crate) fn following(server: &Script, auth: &ChallengeMiddleware) -> ClientWithMiddleware {
    let client = ClientBuilder::new(Client::new()).with(FollowRedirects::new());
    client.with(auth.clone()).with(server.clone()).build()
}

pub(crate) fn fixed() -> ChallengeMiddleware {
    ChallengeMiddleware::new(API, Credential::bearer("t")).unwrap()
}

/// A redirect from `/from`; every other path succeeds.
pub(crate) fn redirecting(status: u16, to: &str) -> Script {
    let to = to.to_owned();
    Script::new(move |arrived, _| match arrived.path() {
        "/from" => Answer::new(status).header("location", &to),
        _ => Answer::ok("in"),
    })
}

pub(crate) fn kind(error: &reqwest_middleware::Error) -> Option<RedirectErrorKind> {
    RedirectError::find(error).map(RedirectError::kind)
}

fn methods(server: &Script) -> Vec<String> {
    server.requests().iter().map(|arrived| arrived.method().to_string()).collect()
}

#[tokio::test]
async fn each_status_keeps_or_changes_the_method_and_the_body() {
    for (status, method, then, body) in [
        (301, Method::POST, "GET", false),
        (302, Method::POST, "GET", false),
        (303, Method::POST, "GET", false),
        (303, Method::PUT, "GET", false),
        (303, Method::DELETE, "GET", false),
        (303, Method::HEAD, "HEAD", false),
        (301, Method::PUT, "PUT", true),
        (302, Method::DELETE, "DELETE", true),
        (301, Method::HEAD, "HEAD", true),
        (307, Method::POST, "POST", true),
        (308, Method::PATCH, "PATCH", true),
        (307, Method::GET, "GET", true),
    ] {
        let server = redirecting(status, "/to");
        let request = following(&server, &fixed()).request(method.clone(), format!("{API}/from"));
        let request = request.header("content-type", "text/plain").header("content-md5", "x").header("x-mine", "y");
        request.body("body").send().await.unwrap();
        let second = &server.requests()[1];
        let seen = (second.method().as_str(), second.body() == b"body", second.header("content-type").is_some());
        assert_eq!(seen, (then, body, body), "{status} {method}");
        assert_eq!(second.header("content-md5").is_some(), body);
        assert_eq!((second.header("x-mine"), second.token()), (Some("y"), "t"));
    }
}

#[tokio::test]
async fn statuses_other_than_redirects_are_returned_unchanged() {
    for status in [200, 201, 300, 304, 305, 306] {
        let server = redirecting(status, "/to");
        let response = following(&server, &fixed()).get(format!("{API}/from")).send().await.unwrap();
        assert_eq!((response.status().as_u16(), server.sends()), (status, 1));
        assert!(RedirectHistory::of(&response).is_none());
    }
}

#[tokio::test]
async fn a_location_is_resolved_and_inherits_the_fragment() {
    for (to, url) in [
        ("to?a=b", "https://api.example.com/x/to?a=b#part"),
        ("/to", "https://api.example.com/to#part"),
        ("../to#mine", "https://api.example.com/to#mine"),
        ("//other.example.com/to", "https://other.example.com/to#part"),
        ("/\\other.example.com/to", "https://other.example.com/to#part"),
        ("?q", "https://api.example.com/x/from?q#part"),
        ("/stra\u{df}e", "https://api.example.com/stra%C3%9Fe#part"),
    ] {
        let to = to.to_owned();
        let server = Script::new(move |_, number| match number {
            0 => Answer::new(302).header("location", &to),
            _ => Answer::ok("in"),
        });
        let response = following(&server, &fixed()).get(format!("{API}/x/from#part")).send().await.unwrap();
        assert_eq!((response.url().as_str(), server.sends()), (url, 2));
    }
}

#[tokio::test]
async fn a_missing_or_unreadable_location_returns_the_response() {
    let with = |lines: &[&[u8]]| lines.iter().fold(Answer::new(302), |answer, line| answer.header("location", line));
    for answer in [with(&[]), with(&[b""]), with(&[b"/z\xfcrich"]), with(&[b"/a", b"/b"]), with(&[b"http://[::"])] {
        let server = Script::always(answer.body("moved"));
        let response = following(&server, &fixed()).get(API).send().await.unwrap();
        assert_eq!((response.status().as_u16(), server.sends()), (302, 1));
        assert_eq!(response.text().await.unwrap(), "moved");
    }
}

#[tokio::test]
async fn unsafe_redirect_targets_are_refused_without_showing_a_secret() {
    for (to, expected, text) in [
        ("https://u:hunter2@api.example.com/", RedirectErrorKind::Userinfo, "user name or password"),
        ("https://hunter2@evil.example.com/", RedirectErrorKind::Userinfo, "user name or password"),
        ("//u@api.example.com/", RedirectErrorKind::Userinfo, "user name or password"),
        ("file:///etc/passwd", RedirectErrorKind::Scheme, "neither http nor https"),
        ("myapp://callback?code=hunter2", RedirectErrorKind::Scheme, "neither http nor https"),
        ("data:text/plain,hunter2", RedirectErrorKind::Scheme, "neither http nor https"),
        ("http://api.example.com/?token=hunter2", RedirectErrorKind::Downgrade, "from https to plain http"),
        ("http://evil.example.com/", RedirectErrorKind::Downgrade, "from https to plain http"),
    ] {
        let server = redirecting(302, to);
        let error = following(&server, &fixed()).get(format!("{API}/from?k=hunter2")).send().await.unwrap_err();
        assert_eq!((kind(&error), server.sends()), (Some(expected), 1), "{to}");
        let refused = RedirectError::find(&error).unwrap();
        assert_eq!((refused.status().as_u16(), refused.url().path()), (302, "/from"));
        let shown = format!("{error} {error:?} {refused:?}");
        assert!(shown.contains(text) && !shown.contains("hunter2"), "{shown}");
    }
}

#[tokio::test]
async fn a_loop_ends_after_ten_redirects_or_the_configured_number() {
    let server = Script::new(|arrived, _| {
        let other = if arrived.url().host_str() == Some("a.example.com") { "b" } else { "a" };
        Answer::new(302).header("location", format!("https://{other}.example.com/"))
    });
    let auth = ChallengeMiddleware::new("https://a.example.com", Credential::bearer("t")).unwrap();
    let error = following(&server, &auth).get("https://a.example.com/").send().await.unwrap_err();
    assert_eq!((kind(&error), server.sends()), (Some(RedirectErrorKind::TooMany), 11));
    for most in [0, 2] {
        let server = Script::always(Answer::new(307).header("location", "/again"));
        let client = ClientBuilder::new(Client::new()).with(FollowRedirects::new().at_most(most));
        let error = client.with(server.clone()).build().get(API).send().await.unwrap_err();
        assert_eq!((kind(&error), server.sends()), (Some(RedirectErrorKind::TooMany), most + 1));
    }
}

#[tokio::test]
async fn a_stream_is_sent_to_the_redirect_target_only_with_a_body_factory() {
    for status in [307, 308] {
        let server = redirecting(status, "/to");
        let client = following(&server, &fixed());
        let error = client.post(format!("{API}/from")).body(stream("once")).send().await.unwrap_err();
        assert_eq!((kind(&error), server.sends()), (Some(RedirectErrorKind::StreamBody), 1));
        let shown = error.to_string();
        for part in [&status.to_string(), "https://api.example.com/to", "`CallOptions::body`"] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        let again = CallOptions::new().body(|| stream("once"));
        client.post(format!("{API}/from")).body(stream("once")).with_extension(again).send().await.unwrap();
        assert_eq!((server.requests()[2].body(), server.sends()), (&b"once"[..], 3));
    }
    let server = redirecting(303, "/to");
    following(&server, &fixed()).post(format!("{API}/from")).body(stream("once")).send().await.unwrap();
    assert_eq!(methods(&server), ["POST", "GET"]);
    assert!(server.requests()[1].body().is_empty());
}

#[tokio::test]
async fn each_hop_is_refused_renewed_and_reported_separately() {
    let server = Script::new(|arrived, _| match (arrived.path(), arrived.token()) {
        ("/a", "t1") => Answer::new(301).header("location", "/b?secret=1"),
        ("/b", "t2") => Answer::new(307).header("location", "/c"),
        ("/c", "t2") => Answer::ok("in"),
        _ => challenged(),
    });
    let fake = Fake::new();
    let auth = ChallengeMiddleware::new(API, fake.clone()).unwrap();
    let response = following(&server, &auth).get(format!("{API}/a?secret=2")).send().await.unwrap();
    let history = RedirectHistory::of(&response).unwrap().clone();
    let hops: Vec<_> = history.hops().iter().map(|hop| (hop.status().as_u16(), hop.url().as_str())).collect();
    assert_eq!(hops, [(301, "https://api.example.com/a"), (307, "https://api.example.com/b")]);
    assert_eq!((response.url().path(), fake.calls(), server.sends()), ("/c", 2, 5));
    let report = AuthReport::of(&response);
    assert_eq!((report.attempts(), report.renewed()), (1, None), "the last hop needed one send");
    assert!(!format!("{history:?}").contains("secret"));
    let response = following(&server, &auth).get(format!("{API}/b")).send().await.unwrap();
    assert_eq!(AuthReport::of(&response).renewed(), None::<Renewed>);
}

#[tokio::test]
async fn a_post_with_a_303_and_then_a_401_is_not_sent_twice() {
    let server = Script::new(|arrived, _| match (arrived.method().as_str(), arrived.token()) {
        ("POST", _) => Answer::new(303).header("location", "/orders"),
        (_, "t1") => Answer::ok("in"),
        _ => challenged(),
    });
    let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
    let auth = ChallengeMiddleware::new(API, fake.clone()).unwrap();
    let response = following(&server, &auth).post(format!("{API}/orders")).body("one").send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), methods(&server)),
        (200, ["POST", "GET", "GET"].map(str::to_owned).to_vec())
    );
}

#[tokio::test]
async fn each_hop_has_the_timeout_the_version_and_the_options_of_the_request() {
    let server = Script::new(|arrived, _| match arrived.path() {
        "/from" => Answer::new(308).header("location", "/to"),
        _ => challenged(),
    });
    let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
    let auth = ChallengeMiddleware::new(API, fake.clone()).unwrap();
    let request = following(&server, &auth).post(format!("{API}/from")).timeout(Duration::from_secs(7));
    let request = request.version(Version::HTTP_2).with_extension(CallOptions::new().no_retry().pass_through());
    assert_eq!(request.send().await.unwrap().status(), 401);
    let kept = |arrived: &ReceivedRequest| (arrived.timeout(), arrived.version());
    assert!(server.requests().iter().all(|arrived| kept(arrived) == (Some(Duration::from_secs(7)), Version::HTTP_2)));
    assert_eq!((fake.calls(), server.sends()), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn an_endless_body_of_a_redirect_does_not_delay_the_next_hop() {
    for body in [Answer::stall_body, Answer::endless_body] {
        let server = Script::new(move |arrived, _| match arrived.path() {
            "/from" => body(Answer::new(302).header("location", "/to")),
            _ => Answer::ok("in"),
        });
        let began = tokio::time::Instant::now();
        following(&server, &fixed()).get(format!("{API}/from")).send().await.unwrap();
        assert!(began.elapsed() <= Duration::from_secs(1), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn redirects_and_their_targets_use_one_connection() {
    let api = Wire::start(|head| match head.path.as_str() {
        "/from" => answer("302 Found", "Location: /to\r\n", &"x".repeat(20_000)),
        _ if head.has("referer") => answer("500 Oops", "", "a referer"),
        _ => answer("200 OK", "", "in"),
    })
    .await;
    let auth = ChallengeMiddleware::new(api.url(""), Credential::bearer("t")).unwrap();
    let client = hardened(Client::builder(), auth).unwrap();
    for _ in 0..20 {
        let response = client.get(api.url("/from")).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.url().path()), (200, "/to"));
        assert_eq!(response.text().await.unwrap(), "in");
    }
    assert_eq!((api.heads().len(), api.connections()), (40, 1));
}
