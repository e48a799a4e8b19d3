//! Which credentials are sent after a redirect, and which requests a redirect of another server can cause.

use async_trait::async_trait;
use http::{Extensions, HeaderValue};
use reqwest::{Client, Request, Response};
use reqwest_challenge::{
    CallOptions, ChallengeMiddleware, Credential, FollowRedirects, RedirectError, RedirectErrorKind, RedirectHistory,
};
use reqwest_challenge_testing::{Answer, ReceivedRequest, Script};
use reqwest_middleware::{ClientBuilder, Middleware, Next};

use crate::redirects::{fixed, following, kind, redirecting};
use crate::support::fake::Fake;
use crate::support::script::{API, challenged_with};

const OTHER: &str = "https://other.example.com";

/// The requests that a host received.
fn at(server: &Script, host: &str) -> Vec<ReceivedRequest> {
    server.requests().into_iter().filter(|arrived| arrived.url().host_str() == Some(host)).collect()
}

/// Two servers that redirect from the API to the other server and back. The last response is a 200.
fn there_and_back(status: u16) -> Script {
    Script::new(move |arrived, _| match (arrived.url().host_str(), arrived.path()) {
        (Some("api.example.com"), "/from") => Answer::new(status).header("location", format!("{OTHER}/b")),
        (Some("other.example.com"), _) => Answer::new(status).header("location", format!("{API}/back")),
        _ => Answer::ok("in"),
    })
}

#[tokio::test]
async fn the_credentials_and_custom_headers_of_the_caller_are_not_sent_after_a_redirect_to_another_origin() {
    let server = there_and_back(307);
    let mut secret = HeaderValue::from_static("text/secret");
    secret.set_sensitive(true);
    let request = following(&server, &fixed()).get(format!("{API}/from"));
    let custom = ["x-api-key", "cookie", "proxy-authorization", "dpop", "x-forwarded-for", "referer", "host", "if-x"];
    let request = custom.iter().fold(request, |request, name| request.header(*name, "hunter2"));
    let request = request.header("accept-language", secret).header("accept", "text/plain").header("range", "bytes=1-");
    let response = request.send().await.unwrap();
    assert_eq!(response.url().as_str(), format!("{API}/back"));
    let (ours, theirs) = (at(&server, "api.example.com"), at(&server, "other.example.com"));
    assert!(custom.iter().all(|name| ours[0].header(name) == Some("hunter2")));
    for arrived in [&theirs[0], &ours[1]] {
        let mut names: Vec<_> = arrived.headers().keys().map(|name| name.as_str().to_owned()).collect();
        names.retain(|name| name != "authorization");
        names.sort();
        assert_eq!(names, ["accept", "range"]);
        assert!(!arrived.contains("hunter2"));
    }
    assert_eq!(
        (theirs[0].credential(), ours[1].token()),
        (None, "t"),
        "the API receives its credential again for a safe method"
    );
    assert_eq!(RedirectHistory::of(&response).unwrap().hops().len(), 2);
}

#[tokio::test]
async fn the_authorization_of_the_caller_is_sent_only_to_its_origin() {
    for to in ["https://api.example.com:8443/x", "https://API.example.com./x", "https://evil.example.com/x"] {
        let server = redirecting(302, to);
        let request = following(&server, &fixed()).get(format!("{API}/from")).header("authorization", "Bearer mine");
        request.send().await.unwrap();
        let presented: Vec<_> = server.requests().iter().map(|arrived| arrived.credential().is_some()).collect();
        assert_eq!(presented, [true, false], "{to}");
    }
    let server = redirecting(302, "https://API.EXAMPLE.com:443/x");
    let request = following(&server, &fixed()).get(format!("{API}/from")).header("authorization", "Bearer mine");
    request.send().await.unwrap();
    assert_eq!(server.tokens(), ["mine", "mine"], "the same origin in another spelling");
    let server = there_and_back(302);
    let request = following(&server, &fixed()).get(format!("{API}/from")).header("authorization", "Bearer mine");
    request.send().await.unwrap();
    assert_eq!(server.tokens(), ["mine", "", ""], "the middleware does not replace the credential of the caller");
}

#[tokio::test]
async fn a_redirect_of_another_server_cannot_cause_a_signed_unsafe_request() {
    // The redirects lead from the API to the other server and back.
    let server = there_and_back(307);
    let error = following(&server, &fixed()).post(format!("{API}/from")).body("pay").send().await.unwrap_err();
    assert_eq!((kind(&error), server.sends()), (Some(RedirectErrorKind::ChosenElsewhere), 2));
    let refused = RedirectError::find(&error).unwrap();
    assert_eq!((refused.url().as_str(), refused.location().path()), ("https://other.example.com/b", "/back"));
    // The first URL is one of the other server.
    let server = redirecting(308, "https://api.example.com/pay");
    let error = following(&server, &fixed()).delete(format!("{OTHER}/from")).send().await.unwrap_err();
    assert_eq!((kind(&error), server.sends()), (Some(RedirectErrorKind::ChosenElsewhere), 1));
    // If the method becomes safe, the request is signed.
    let server = there_and_back(303);
    following(&server, &fixed()).post(format!("{API}/from")).body("pay").send().await.unwrap();
    assert_eq!(server.tokens(), ["t", "", "t"]);
    // An unsigned request is the caller's responsibility.
    let server = there_and_back(307);
    let request = following(&server, &fixed()).post(format!("{API}/from")).with_extension(CallOptions::new().skip());
    request.send().await.unwrap();
    assert_eq!(server.tokens(), ["", "", ""]);
}

#[tokio::test]
async fn two_origins_of_one_middleware_may_redirect_an_unsafe_request_to_each_other() {
    let auth = ChallengeMiddleware::builder(API, Credential::bearer("t")).origin(OTHER).build().unwrap();
    let server = there_and_back(307);
    following(&server, &auth).post(format!("{API}/from")).body("pay").send().await.unwrap();
    assert_eq!(server.tokens(), ["t", "t", "t"]);
    assert!(server.requests().iter().all(|arrived| arrived.body() == b"pay"));
}

#[tokio::test]
async fn a_401_of_another_server_is_returned_and_starts_no_refresh() {
    let server = Script::new(|arrived, _| match arrived.url().host_str() {
        Some("api.example.com") => Answer::new(302).header("location", OTHER),
        _ => challenged_with("Bearer realm=\"evil\""),
    });
    let fake = Fake::new().with_initial(Ok(Some(Credential::bearer("t0"))));
    let auth = ChallengeMiddleware::new(API, fake.clone()).unwrap();
    let response = following(&server, &auth).get(API).send().await.unwrap();
    assert_eq!((response.status().as_u16(), fake.calls(), server.sends()), (401, 0, 2));
    assert_eq!(server.tokens(), ["t0", ""]);
}

/// Sends each request twice, like a retry middleware.
struct Twice;

#[async_trait]
impl Middleware for Twice {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let again = request.try_clone().unwrap();
        next.clone().run(request, extensions).await?;
        next.run(again, extensions).await
    }
}

#[tokio::test]
async fn the_identity_of_a_call_is_not_sent_to_a_second_api_and_not_replaced() {
    let server = there_and_back(302);
    let second = ChallengeMiddleware::new(OTHER, Credential::bearer("theirs")).unwrap();
    let client = ClientBuilder::new(Client::new()).with(Twice).with(FollowRedirects::new()).with(fixed()).with(second);
    let client = client.with(server.clone()).build();
    let identity = CallOptions::new().identity(Credential::bearer("alice"));
    client.get(format!("{API}/from")).with_extension(identity).send().await.unwrap();
    assert_eq!(server.tokens(), ["alice", "", "", "alice", "", ""], "an outer retry has the same options");
    client.get(format!("{API}/from")).send().await.unwrap();
    assert_eq!(server.tokens()[6..9], ["t", "theirs", "t"], "each hop is signed by the middleware of its origin");
}

#[tokio::test]
async fn a_location_that_echoes_a_credential_is_masked() {
    const SECRET: &str = "Hunter2-token-of-ours";
    let echo = "/in/%48unter2-token-of-ours/x";
    for to in ["http://other.example.com", "https://u@other.example.com", "ftp://other.example.com", OTHER, API] {
        for status in [302, 307] {
            let to = format!("{to}{echo}");
            let server = Script::new(move |arrived, _| match arrived.path() {
                "/from" => Answer::new(status).header("location", &to),
                _ if arrived.url().host_str() == Some("other.example.com") => {
                    Answer::new(status).header("location", format!("{API}{echo}"))
                }
                _ => Answer::new(403),
            });
            let auth = ChallengeMiddleware::new(API, Credential::bearer(SECRET)).unwrap();
            let client = following(&server, &auth);
            let mut own = HeaderValue::from_static("Bearer Hunter2-token-of-ours");
            own.set_sensitive(true);
            for request in
                [client.post(format!("{API}/from")), client.get(format!("{API}/from")).header("authorization", own)]
            {
                let shown = match request.send().await {
                    Ok(response) => format!("{:?}", RedirectHistory::of(&response)),
                    Err(error) => format!("{error} {error:?} {:?}", RedirectError::find(&error)),
                };
                let shown = shown.to_lowercase();
                assert!(!shown.contains("unter2-token") && shown.contains("example.com"), "{status} {shown}");
            }
        }
    }
}
