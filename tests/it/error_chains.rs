//! A printed error says nothing twice: no line of a chain of causes contains another line of it.

use std::error::Error as StdError;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use reqwest_challenge::{
    Authorize, AuthorizeError, BoxError, ChallengeMiddleware, Credential, Error, FirstOf, FollowRedirects, Forbidden,
    InsecureUrl, Observed, RedirectError, Refresh, RefreshContext, RefreshError, RefreshErrorKind, RefreshReason,
    ResponseHead, SessionEnded, StepUpError, StepUpKind, Unauthorized,
};
use reqwest_challenge_testing::{Answer, Gate, Script};
use reqwest_middleware::ClientBuilder;

use crate::redirects::redirecting;
use crate::support::fake::Fake;
use crate::support::script::{API, challenged, challenged_with, respond, status};

/// The messages of an error and its causes.
fn lines(error: &(dyn StdError + 'static)) -> Vec<String> {
    std::iter::successors(Some(error), |error| (*error).source()).map(ToString::to_string).collect()
}

#[track_caller]
fn says_nothing_twice(lines: &[String]) {
    for (number, line) in lines.iter().enumerate() {
        let others = lines.iter().enumerate().filter(|(other, _)| *other != number);
        for (_, other) in others {
            assert!(!line.contains(other.as_str()), "{lines:#?}");
        }
        assert!(!line.is_empty() && !line.contains('\n'), "{line:?}");
    }
}

/// Checks the error by itself, in each part that a caller can find, and in an `anyhow::Error`.
#[track_caller]
fn check(error: reqwest_middleware::Error) {
    let dynamic: &(dyn StdError + 'static) = &error;
    let found: [Option<&(dyn StdError + 'static)>; 10] = [
        Some(dynamic),
        Error::find(dynamic).map(|error| error as _),
        Unauthorized::find(dynamic).map(|error| error as _),
        Forbidden::find(dynamic).map(|error| error as _),
        RefreshError::find(dynamic).map(|error| error as _),
        AuthorizeError::find(dynamic).map(|error| error as _),
        SessionEnded::find(dynamic).map(|error| error as _),
        StepUpError::find(dynamic).map(|error| error as _),
        InsecureUrl::find(dynamic).map(|error| error as _),
        RedirectError::find(dynamic).map(|error| error as _),
    ];
    for error in found.into_iter().flatten() {
        says_nothing_twice(&lines(error));
    }
    // The error of this crate, a variant of it, and what `RefreshError::find` finds.
    assert!(found.iter().flatten().count() >= 3, "{dynamic:?}");
    let whole = lines(dynamic);
    assert_eq!(whole, lines(Error::find(dynamic).unwrap()), "the middleware's error prints what `Error` prints");
    let anyhow = anyhow::Error::from(error);
    assert_eq!(format!("{anyhow:#}"), whole.join(": "));
}

/// Checks an error that no request returned.
#[track_caller]
fn check_own(error: Error) {
    says_nothing_twice(&lines(&error));
    check(reqwest_middleware::Error::middleware(error));
}

fn auth(refresher: impl Refresh) -> ChallengeMiddleware {
    ChallengeMiddleware::new(API, refresher).unwrap()
}

async fn failure(server: &Script, auth: &ChallengeMiddleware) -> reqwest_middleware::Error {
    server.client(auth).get(API).send().await.unwrap_err()
}

/// One error of each kind, with and without a cause.
fn refresh_errors() -> Vec<RefreshError> {
    let errors = [
        RefreshError::login_required("run `tool login`"),
        RefreshError::credential_revoked("invalid_grant"),
        RefreshError::denied("access_denied"),
        RefreshError::transient(None),
        RefreshError::transient(Some(Duration::from_secs(7))),
        RefreshError::new(RefreshErrorKind::TimedOut),
        RefreshError::new(RefreshErrorKind::Recursive),
        RefreshError::new(RefreshErrorKind::Panicked),
        RefreshError::new(RefreshErrorKind::Gone),
        RefreshError::new(RefreshErrorKind::Other),
    ];
    let with_cause = errors.iter().map(|error| error.clone().caused_by("connection refused"));
    with_cause.chain(errors.iter().cloned()).collect()
}

#[tokio::test]
async fn a_401_whose_refresh_failed_says_nothing_twice() {
    for error in refresh_errors() {
        says_nothing_twice(&lines(&error));
        let error = failure(&Script::new(|_, _| challenged()), &auth(Fake::failing(error))).await;
        assert!(Unauthorized::find(&error).unwrap().refresh_error().is_some());
        check(error);
    }
}

#[tokio::test]
async fn a_request_that_was_not_sent_says_nothing_twice() {
    for error in refresh_errors() {
        let server = Script::new(|_, _| Answer::ok("in"));
        let error = failure(&server, &auth(Fake::new().with_initial(Err(error)))).await;
        assert!(matches!(Error::find(&error), Some(Error::Refresh(_))));
        assert_eq!(server.sends(), 0);
        check(error);
    }
}

#[tokio::test]
async fn the_session_itself_says_nothing_twice() {
    for error in refresh_errors() {
        let error = auth(Fake::failing(error)).session().login().await.unwrap_err();
        assert!(matches!(error, Error::Refresh(_)));
        check_own(error);
    }
    let declining = |_: RefreshContext| async { Ok::<_, BoxError>(None::<Credential>) };
    check_own(auth(declining).session().login().await.unwrap_err());
}

#[tokio::test]
async fn one_refresher_of_several_says_nothing_twice() {
    for error in refresh_errors() {
        let of_several = FirstOf::new().answering(["Basic"], Fake::new()).answering(["Bearer"], Fake::failing(error));
        check(failure(&Script::new(|_, _| challenged()), &auth(of_several)).await);
    }
}

#[tokio::test]
async fn each_401_without_a_refresh_error_says_nothing_twice() {
    let server = Script::new(|_, _| challenged());
    check(failure(&server, &auth(Fake::new())).await);
    check(failure(&server, &auth(Credential::bearer("t").with_source("env:API_TOKEN"))).await);
    let other = ChallengeMiddleware::builder(API, Fake::new()).schemes(["Basic"]).build().unwrap();
    check(failure(&server, &other).await);
    check(server.client(&other).get(API).header("authorization", "x").send().await.unwrap_err());
    let safe = ChallengeMiddleware::builder(API, Fake::new()).safe_methods_only().build().unwrap();
    check(server.client(&safe).post(API).send().await.unwrap_err());
    let out = auth(Fake::new());
    out.session().logout().await.unwrap();
    check(failure(&server, &out).await);
    let digest = Script::new(|_, _| challenged_with("Digest realm=\"a\", nonce=\"n\""));
    check(failure(&digest, &auth(reqwest_challenge::Password::new("u", "p"))).await);
}

#[tokio::test]
async fn a_403_says_nothing_twice() {
    let scoped = ("www-authenticate", "Bearer error=\"insufficient_scope\", scope=\"write\"");
    let body = "{\"title\": \"Forbidden\", \"detail\": \"the token lacks the scope write\"}";
    for answer in [status(403), respond(403, &[scoped], body)] {
        check(failure(&Script::always(answer), &auth(Fake::new())).await);
    }
}

/// A scheme that cannot sign, or that refuses each response.
struct Broken {
    signs: bool,
}

#[async_trait]
impl Authorize for Broken {
    fn scheme(&self) -> &str {
        "Broken"
    }

    async fn authorize(&self, _: &mut reqwest::Request, _: SystemTime) -> Result<(), BoxError> {
        if self.signs { Ok(()) } else { Err("the key is locked".into()) }
    }

    fn observe(&self, _: &ResponseHead<'_>) -> Result<Observed, BoxError> {
        Err("the proof of the server is wrong".into())
    }
}

#[tokio::test]
async fn a_scheme_that_fails_says_nothing_twice() {
    for signs in [false, true] {
        let server = Script::new(|_, _| challenged());
        let error = failure(&server, &auth(Credential::custom(Broken { signs }))).await;
        let found = AuthorizeError::find(&error).unwrap();
        assert_eq!((found.scheme(), found.was_sent()), ("Broken", signs));
        check(error);
    }
}

#[tokio::test]
async fn an_insecure_url_says_nothing_twice_and_names_the_origin() {
    let server = Script::new(|_, _| Answer::ok("in"));
    let client = server.client(&auth(Fake::new()));
    let error = client.get("http://api.example.com/").send().await.unwrap_err();
    assert_eq!(InsecureUrl::find(&error).unwrap().origin(), API);
    assert_eq!(server.sends(), 0);
    check(error);
}

#[tokio::test]
async fn a_redirect_that_is_not_followed_says_nothing_twice() {
    for to in ["ftp://files.example.com/", "https://u:p@api.example.com/", "http://api.example.com/", "/from"] {
        let client = ClientBuilder::new(reqwest::Client::new()).with(FollowRedirects::new());
        let client = client.with(auth(Fake::new())).with(redirecting(307, to)).build();
        let error = client.get(format!("{API}/from")).send().await.unwrap_err();
        assert!(RedirectError::find(&error).is_some(), "{to}");
        check(error);
    }
}

/// A refresher that grants what is requested, except the scope `admin`.
fn granting() -> Fake {
    Fake::answering(|number, context| {
        let demanded = context.demand().scopes().iter().filter(|scope| *scope != "admin");
        Ok(Some(Credential::bearer(format!("t{number}")).with_scopes(demanded.cloned())))
    })
}

async fn step_up(auth: &ChallengeMiddleware, answer: Answer) -> Result<Credential, Error> {
    let error = failure(&Script::always(answer), auth).await;
    auth.session().step_up(Forbidden::find(&error).unwrap()).await
}

fn insufficient(scope: &str) -> Answer {
    let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
    respond(403, &[("www-authenticate", &challenge)], "")
}

#[track_caller]
fn check_step_up(result: Result<Credential, Error>, kind: StepUpKind) {
    let error = result.unwrap_err();
    assert!(matches!(&error, Error::StepUp(error) if error.kind() == kind), "{error:?}");
    check_own(error);
}

#[tokio::test]
async fn a_step_up_says_nothing_twice() {
    let auth = auth(granting());
    check_step_up(step_up(&auth, status(403)).await, StepUpKind::NoScopes);
    check_step_up(step_up(&auth, insufficient("admin")).await, StepUpKind::NotGranted);
    step_up(&auth, insufficient("write")).await.unwrap();
    check_step_up(step_up(&auth, insufficient("write")).await, StepUpKind::GrantedAndRefused);
    let earlier = failure(&Script::always(insufficient("read")), &auth).await;
    auth.session().login().await.unwrap();
    let late = auth.session().step_up(Forbidden::find(&earlier).unwrap()).await;
    check_step_up(late, StepUpKind::EarlierLogin);
    let foreign = Script::new(|arrived, _| match arrived.url().host_str() {
        Some("api.example.com") => Answer::new(307).header("location", "https://other.example.com/"),
        _ => insufficient("write"),
    });
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth.clone()).with(FollowRedirects::new());
    let error = client.with(foreign).build().get(API).send().await.unwrap_err();
    check_step_up(auth.session().step_up(Forbidden::find(&error).unwrap()).await, StepUpKind::Foreign);
}

#[tokio::test]
async fn the_end_of_a_session_says_nothing_twice() {
    let gate = Gate::closed();
    let of_refresher = gate.clone();
    let slow_step_up = move |context: RefreshContext| {
        let gate = of_refresher.clone();
        async move {
            if context.reason() == RefreshReason::StepUp {
                gate.pass().await;
            }
            Ok::<_, BoxError>(Credential::bearer(format!("{:?}", context.reason())))
        }
    };
    let auth = auth(slow_step_up);
    auth.session().login().await.unwrap();
    let error = failure(&Script::always(insufficient("write")), &auth).await;
    let forbidden = Forbidden::find(&error).unwrap();
    let session = auth.session();
    let mut pending = Box::pin(session.step_up(forbidden));
    assert!(std::future::poll_fn(|context| std::task::Poll::Ready(pending.as_mut().poll(context).is_pending())).await);
    session.login().await.unwrap();
    let ended = pending.await.unwrap_err();
    assert!(!SessionEnded::find(&ended).unwrap().is_logged_out());
    check_own(ended);
    session.logout().await.unwrap();
    let ended = session.step_up(forbidden).await.unwrap_err();
    assert!(SessionEnded::find(&ended).unwrap().is_logged_out());
    check_own(ended);
    gate.open();
}

#[test]
fn each_refresh_error_says_what_kind_it_is() {
    let kinds = refresh_errors().into_iter().map(|error| {
        (error.is_login_required(), error.is_credential_revoked(), error.is_denied(), error.is_transient())
    });
    let is_one = kinds.map(|(login, revoked, denied, transient)| {
        [login, revoked, denied, transient].into_iter().filter(|is_it| *is_it).count()
    });
    // An error of the kind `Recursive`, `Panicked`, `Gone` or `Other` matches none of the four predicates.
    assert_eq!(is_one.collect::<Vec<_>>(), [1, 1, 1, 1, 1, 1, 0, 0, 0, 0].repeat(2));
}
