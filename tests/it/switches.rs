//! Options of one request and of one client.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::header::WWW_AUTHENTICATE;
use reqwest::Body;
use reqwest_challenge::{
    AuthReport, CallOptions, ChallengeMiddleware, Challenges, Credential, Event, Forbidden, RefreshError,
    RefreshReason, Unauthorized, UnauthorizedReason,
};

use crate::support::fake::Fake;
use crate::support::script::{API, Script, challenged, respond, status, stream};

fn auth(fake: &Fake) -> ChallengeMiddleware {
    ChallengeMiddleware::new(API, fake.clone()).unwrap()
}

#[tokio::test]
async fn skip_leaves_the_request_and_the_response_unchanged() {
    let (server, fake) = (Script::accepting("t1"), Fake::new().with_initial(Ok(Some(Credential::bearer("t1")))));
    let response = server.client(&auth(&fake)).get(API).with_extension(CallOptions::new().skip()).send().await.unwrap();
    assert_eq!((response.status().as_u16(), server.tokens(), fake.calls()), (401, vec![String::new()], 0));
}

#[tokio::test]
async fn no_retry_sends_once_and_starts_no_refresh() {
    let (server, fake) = (Script::accepting("t1"), Fake::new());
    let request = server.client(&auth(&fake)).get(API).with_extension(CallOptions::new().no_retry());
    let error = request.send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::NoRetry);
    assert_eq!((server.sends(), fake.calls()), (1, 0));
}

#[tokio::test]
async fn pass_through_returns_refusals_as_responses_with_their_challenges() {
    let denied = || respond(403, &[(WWW_AUTHENTICATE.as_str(), "Bearer scope=\"a\"")], "not you");
    let server = Script::new(move |arrived, _| if arrived.path() == "/403" { denied() } else { challenged() });
    let fake = Fake::new();
    let client = server.client(&ChallengeMiddleware::builder(API, fake.clone()).pass_through().build().unwrap());
    let response = client.get(format!("{API}/403")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), server.sends(), fake.calls()), (403, 1, 0));
    let challenges = response.extensions().get::<Arc<Challenges>>().unwrap();
    assert_eq!(challenges.get("bearer").unwrap().param("scope").as_deref(), Some("a"));
    assert_eq!(response.text().await.unwrap(), "not you");

    let response = client.get(API).send().await.unwrap();
    assert_eq!((AuthReport::of(&response).attempts(), server.sends(), fake.calls()), (2, 3, 1));
    assert_eq!(response.text().await.unwrap(), "who are you?");

    let one = server.client(&auth(&fake)).get(format!("{API}/403")).with_extension(CallOptions::new().pass_through());
    assert_eq!(one.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_body_factory_makes_a_stream_replayable() {
    let (server, fake) = (Script::accepting("t1"), Fake::new());
    let options = CallOptions::new().body(|| Body::from("the same bytes"));
    let request = server.client(&auth(&fake)).post(API).body(stream("the same bytes")).with_extension(options);
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert_eq!((server.sends(), fake.calls()), (2, 1));
    assert_eq!(server.requests()[1].body(), b"the same bytes");
}

#[tokio::test]
async fn another_identity_is_sent_once_and_does_not_change_the_session() {
    let (server, fake) = (Script::accepting("theirs"), Fake::new().with_initial(Ok(Some(Credential::bearer("ours")))));
    let auth = auth(&fake);
    let client = server.client(&auth);
    let as_them = |token: &str| CallOptions::new().identity(Credential::bearer(token));
    assert_eq!(client.get(API).with_extension(as_them("theirs")).send().await.unwrap().status(), 200);
    let error = client.get(API).with_extension(as_them("unknown")).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::CallerCredential);
    assert!(!auth.session().invalidate(Unauthorized::find(&error).unwrap()));
    assert_eq!((server.tokens(), fake.calls()), (vec!["theirs".to_owned(), "unknown".into()], 0));
}

#[tokio::test]
async fn safe_methods_only_sends_a_post_once_and_renews_for_the_next_call() {
    let (server, fake) = (Script::accepting("t1"), Fake::new());
    let auth = ChallengeMiddleware::builder(API, fake.clone()).safe_methods_only().build().unwrap();
    let client = server.client(&auth);
    let error = client.post(API).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::NoRetry);
    assert_eq!(client.post(API).send().await.unwrap().status(), 200);
    assert_eq!((server.sends(), fake.calls()), (2, 1));
}

#[tokio::test]
async fn the_replay_equals_the_first_request_and_has_one_authorization() {
    let (server, fake) = (Script::accepting("t1"), Fake::new().with_initial(Ok(Some(Credential::bearer("t0")))));
    let request = server
        .client(&auth(&fake))
        .post(format!("{API}/path?query"))
        .version(http::Version::HTTP_11)
        .timeout(Duration::from_secs(9))
        .header("x-mine", "1")
        .header("x-mine", "2")
        .body("bytes");
    request.send().await.unwrap();
    let [first, second] = <[_; 2]>::try_from(server.requests()).unwrap();
    assert_eq!((first.method(), first.path(), first.body()), (second.method(), second.path(), second.body()));
    assert_eq!((first.version(), first.timeout()), (second.version(), Some(Duration::from_secs(9))));
    assert_eq!(second.headers().get_all("x-mine").iter().count(), 2);
    assert_eq!(second.headers().get_all("authorization").iter().collect::<Vec<_>>(), ["Bearer t1"]);
    assert!(second.headers()["authorization"].is_sensitive());
    assert_eq!(second.timeout(), first.timeout());
}

#[tokio::test]
async fn events_report_each_step_without_secrets() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let fake = Fake::answering(|number, _| {
        if number == 1 { Ok(Some(Credential::bearer("t1"))) } else { Err(RefreshError::credential_revoked("x")) }
    });
    let server = Script::new(|arrived, _| match (arrived.path(), arrived.token()) {
        ("/403", _) => respond(403, &[(WWW_AUTHENTICATE.as_str(), "Bearer scope=\"a b\"")], ""),
        (_, "t1") => status(200),
        _ => respond(401, &[(WWW_AUTHENTICATE.as_str(), "Bearer realm=https://x, Basic realm=\"y\"")], ""),
    });
    let seen = events.clone();
    let auth = ChallengeMiddleware::builder(API, fake.clone())
        .on_event(move |event| seen.lock().unwrap().push(event.clone()))
        .build()
        .unwrap();
    let client = server.client(&auth);
    client.get(format!("{API}/?secret=hunter2")).send().await.unwrap();
    let error = client.get(format!("{API}/403?secret=hunter2")).send().await.unwrap_err();
    assert!(Forbidden::find(&error).is_some());
    auth.session().login().await.unwrap_err();
    let events = events.lock().unwrap();
    let shown = format!("{events:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("t1"), "{shown}");
    // If the feature `lint` is on, there are events with its findings too.
    let mut lines =
        events.iter().filter(|event| !format!("{event:?}").starts_with("LintFinding")).map(|event| match event {
            Event::Challenged { schemes, defects, .. } => format!("401 {schemes:?} {}", defects.len()),
            Event::Refreshed { reason, outcome, waiters, generation, .. } => {
                format!("{reason:?} {} {waiters} {generation}", outcome.as_str())
            }
            Event::Forbidden { method, url, scopes, authenticated, .. } => {
                format!("403 {method} {url} {scopes:?} {authenticated}")
            }
            Event::CallEnded { verdict, status, resend_count, .. } => {
                format!("{} {} {resend_count}", verdict.as_str(), status.unwrap())
            }
            other => format!("{other:?}"),
        });
    // The initial call of the refresher is an event too.
    assert_eq!(lines.next().unwrap(), "Initial declined 1 0");
    assert_eq!(lines.next().unwrap(), r#"401 ["Bearer", "Basic"] 1"#);
    assert_eq!(lines.next().unwrap(), format!("{:?} renewed 1 1", RefreshReason::Challenged));
    assert_eq!(lines.next().unwrap(), "ok 200 OK 1");
    assert_eq!(lines.next().unwrap(), format!(r#"403 GET {API}/403 ["a", "b"] true"#));
    assert_eq!(lines.next().unwrap(), "forbidden 403 Forbidden 0");
    assert_eq!(lines.next().unwrap(), "Login failed 1 1");
    assert_eq!(lines.next(), None);
}

#[derive(Clone)]
struct Mark;

/// Counts the sends that have the mark.
#[derive(Clone, Default)]
struct Marked(Arc<std::sync::atomic::AtomicUsize>);

#[async_trait::async_trait]
impl reqwest_middleware::Middleware for Marked {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut http::Extensions,
        next: reqwest_middleware::Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        self.0.fetch_add(usize::from(extensions.get::<Mark>().is_some()), std::sync::atomic::Ordering::SeqCst);
        next.run(request, extensions).await
    }
}

#[tokio::test]
async fn an_extension_of_the_request_is_present_on_both_sends() {
    let (server, marked) = (Script::accepting("t1"), Marked::default());
    let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
        .with(auth(&Fake::new()))
        .with(marked.clone())
        .with(server.clone())
        .build();
    assert_eq!(client.get(API).with_extension(Mark).send().await.unwrap().status(), 200);
    assert_eq!((server.sends(), marked.0.load(std::sync::atomic::Ordering::SeqCst)), (2, 2));
}
