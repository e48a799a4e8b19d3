//! Each error has its exit code, and no line of an explanation repeats another.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex};

use reqwest_challenge::{CallOptions, ChallengeMiddleware, Credential, Forbidden, RefreshError, Unauthorized};
use reqwest_challenge_login::cli::{Environment, Login, exit_code, explain};
use reqwest_challenge_testing::{Answer, MockApi, Protection, RecordingRefresher};
use reqwest_middleware::ClientBuilder;

use crate::support::script::{API, Script, challenged, status};

fn auth(refresher: RecordingRefresher) -> ChallengeMiddleware {
    ChallengeMiddleware::new(API, refresher).unwrap()
}

/// The error of a GET of the API.
async fn get(server: &Script, auth: &ChallengeMiddleware) -> reqwest_middleware::Error {
    server.client(auth).get(API).send().await.unwrap_err()
}

#[test]
fn each_refresh_error_has_its_exit_code() {
    let refused = |code: &str| RefreshError::denied(code);
    for (error, code) in [
        (RefreshError::login_required("run it"), 4),
        (RefreshError::credential_revoked("invalid_grant"), 4),
        (refused("access_denied"), 4),
        (refused("expired_token"), 4),
        (refused("login_timed_out"), 4),
        (refused("invalid_grant"), 4),
        (refused("interaction_required"), 4),
        (refused("login_required"), 4),
        (refused("consent_required"), 4),
        (refused("account_selection_required"), 4),
        (refused("temporarily_unavailable"), 6),
        (refused("server_error"), 6),
        (refused("invalid_client"), 1),
        (refused("invalid_scope"), 1),
        (refused("no_metadata"), 1),
        (refused("downgrade"), 1),
        (refused("unauthorized_client"), 1),
        // Codes of vendors.
        (refused("bad_refresh_token"), 1),
        (refused("password_expired"), 1),
        (refused("internal_error"), 1),
        (refused("ACCESS_DENIED"), 1),
        (RefreshError::credential_revoked("invalid_grant").of_login(), 4),
        (RefreshError::credential_revoked("bad_refresh_token").of_login(), 1),
        (RefreshError::transient(None), 6),
        (RefreshError::other("odd"), 1),
    ] {
        assert_eq!(exit_code(&error), code, "{error}");
        let anyhow = anyhow::Error::from(error).context("while it fetched the reports");
        assert_eq!(exit_code(anyhow.as_ref()), code, "{anyhow:#}");
    }
}

#[tokio::test]
async fn each_refusal_of_a_request_has_its_exit_code() {
    let declining = || auth(RecordingRefresher::declining());
    let says = |answer: Answer| Script::always(answer);
    // A 401: a login helps, unless another server sent the 401 or a new credential is ready for the next run.
    assert_eq!(exit_code(&get(&says(challenged()), &declining()).await), 4);
    assert_eq!(exit_code(&get(&says(challenged()), &auth(RecordingRefresher::new())).await), 4);
    let away = says(challenged().url("https://evil.example/"));
    let error = get(&away, &declining()).await;
    assert_eq!((exit_code(&error), explain(&error, "tool login", None).contains("tool login")), (1, false));
    let stream = reqwest::Body::wrap(http_body_of("x"));
    let error = says(challenged()).client(&auth(RecordingRefresher::new())).post(API).body(stream).send().await;
    let error = error.unwrap_err();
    assert_eq!(exit_code(&error), 1, "{error}");
    let once = says(challenged()).client(&declining()).get(API).with_extension(CallOptions::new().no_retry());
    assert_eq!(exit_code(&once.send().await.unwrap_err()), 4);
    let own = says(challenged()).client(&declining()).get(API).bearer_auth("t");
    assert_eq!(exit_code(&own.send().await.unwrap_err()), 4);
    // The error that a caller extracts.
    let error = get(&says(challenged()), &declining()).await;
    assert_eq!(exit_code(Unauthorized::find(&error).unwrap()), 4);
    // A 403.
    let denied = get(&says(Answer::insufficient_scope("admin")), &declining()).await;
    assert_eq!((exit_code(&denied), exit_code(Forbidden::find(&denied).unwrap())), (5, 5));
    let foreign = get(&says(status(403).url("https://evil.example/")), &declining()).await;
    assert_eq!(exit_code(&foreign), 1);
    // A refusal that the middleware passed through.
    for (code, exit) in [(401, 4), (403, 5), (404, 1), (408, 6), (429, 6), (500, 6), (503, 6)] {
        let answer = http::Response::builder().status(code).body("").unwrap();
        let error = reqwest::Response::from(answer).error_for_status().unwrap_err();
        assert_eq!(exit_code(&error), exit, "{code}");
    }
    assert_eq!(exit_code(&reqwest::Client::new().get("no URL").send().await.unwrap_err()), 1);
}

#[tokio::test]
async fn a_failed_step_up_and_a_request_after_a_logout_have_their_exit_codes() {
    let key = ChallengeMiddleware::new(API, RecordingRefresher::declining()).unwrap();
    let of = async |answer: Answer| {
        let error = get(&Script::always(answer), &key).await;
        let denied = Forbidden::find(&error).unwrap();
        key.session().step_up(denied).await.unwrap_err()
    };
    assert_eq!(exit_code(&of(status(403)).await), 5, "the 403 names no scopes");
    assert_eq!(exit_code(&of(status(403).url("https://evil.example/")).await), 1, "another server sent the 403");
    key.session().logout().await.unwrap();
    let error = get(&Script::always(challenged()), &key).await;
    assert_eq!(exit_code(&error), 4, "{error}");
}

fn http_body_of(text: &'static str) -> impl http_body::Body<Data = bytes::Bytes, Error = std::io::Error> + Send + Sync {
    use std::pin::Pin;
    use std::task::{Context, Poll};
    struct One(Option<&'static str>);
    impl http_body::Body for One {
        type Data = bytes::Bytes;
        type Error = std::io::Error;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, std::io::Error>>> {
            Poll::Ready(
                self.0.take().map(|text| Ok(http_body::Frame::data(bytes::Bytes::from_static(text.as_bytes())))),
            )
        }
    }
    One(Some(text))
}

/// An error with a message, caused by the next one.
#[derive(Debug)]
struct Message(&'static str, Option<Box<Message>>);

impl Message {
    fn of(lines: &[&'static str]) -> Self {
        Self(lines[0], lines.get(1).map(|_| Box::new(Self::of(&lines[1..]))))
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Message {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.1.as_ref().map(|cause| &**cause as _)
    }
}

#[test]
fn the_explanation_of_an_error_chain_repeats_no_line() {
    for (lines, shown) in [
        (&["a file: is missing", "is missing"][..], "error: a file: is missing"),
        (&["one", "two", "One."], "error: one\n  caused by: two"),
        (&["it failed", "it failed: the disk is full"], "error: it failed\n  caused by: the disk is full"),
        (&["a", "it failed", "it failed: b: c", "c"], "error: a\n  caused by: it failed\n  caused by: b: c"),
        (&["one", "", "two"], "error: one\n  caused by: two"),
        (&["one", "two", "three"], "error: one\n  caused by: two\n  caused by: three"),
    ] {
        assert_eq!(explain(&Message::of(lines), "tool login", None), shown);
    }
    let long: &'static str = "x".repeat(100_000).leak();
    assert_eq!(
        explain(&Message::of(&[long, long]), "tool login", None).lines().count(),
        1,
        "a line that is shortened is not repeated either"
    );
}

#[tokio::test]
async fn the_explanation_of_an_error_does_not_repeat_its_kind() {
    let failing = |error: RefreshError| auth(RecordingRefresher::declining().with_initial(Err(error)));
    let error = get(&Script::always(challenged()), &failing(RefreshError::other("the keyring is locked"))).await;
    let shown = explain(&error, "tool login", None);
    assert!(!shown.contains("caused by: no credential") && shown.contains("the keyring is locked"), "{shown}");
    let error = get(&Script::always(status(403)), &auth(RecordingRefresher::declining())).await;
    let ours = reqwest_challenge::Error::find(&error).unwrap();
    let shown = explain(ours, "tool login", None);
    assert!(shown.starts_with("error: 403 to GET") && shown.lines().count() == 1, "{shown}");
    // No server listens there.
    let client = ClientBuilder::new(reqwest::Client::new()).build();
    let error = client.get("http://127.0.0.1:1/").send().await.unwrap_err();
    let shown = explain(&error, "tool login", None);
    assert_eq!(shown.matches("error sending request").count(), 1, "{shown}");
    assert_eq!(shown.matches("Connection refused").count(), 1, "{shown}");
}

#[tokio::test]
async fn a_user_name_that_basic_cannot_send_is_refused_before_the_password_prompt() {
    let api = MockApi::start().await.unwrap();
    api.at("/").accepts(Protection::basic("alice", "hunter2"));
    for (fixed, typed) in [(None, "ali:ce"), (Some("ali:ce"), ""), (None, "ali\u{7}ce")] {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let sink = asked.clone();
        let login = Login::password(fixed).prompting().environment(Environment::from_variables(true, |_| false));
        let login = login.prompt(move |question, hidden| {
            sink.lock().unwrap().push(question.to_owned());
            Ok(if hidden { "hunter2" } else { typed }.to_owned())
        });
        let auth = ChallengeMiddleware::new(api.origin(), login.build().unwrap()).unwrap();
        let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
        let error = client.get(api.origin()).send().await.unwrap_err();
        let shown = explain(&error, "tool login", None);
        let asked = asked.lock().unwrap();
        assert!(asked.iter().all(|question| !question.starts_with("Password")), "{asked:?}");
        assert!(exit_code(&error) == 1 && !shown.contains("hunter2"), "{shown}");
        assert_eq!(shown.contains("colon"), fixed.is_some() || typed.contains(':'), "{shown}");
    }
    let good = Credential::basic("alice", "pass:word");
    assert!(ChallengeMiddleware::builder(api.origin(), good.clone()).initial_credential(good).build().is_ok());
}
