//! The errors of the crate are found inside any other error.

use std::error::Error as StdError;

use reqwest_challenge::{CallOptions, ChallengeMiddleware, Credential, Error, Forbidden, RefreshError, Unauthorized};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;

use crate::support::fake::Fake;
use crate::support::script::{API, Script, challenged, status};

/// A server that causes each kind of error: 403 at `/forbidden`, 503 at `/down`, 401 elsewhere.
pub(crate) fn server() -> Script {
    Script::new(|arrived, _| match arrived.path() {
        "/forbidden" => status(403),
        "/down" => status(503),
        _ => challenged(),
    })
}

fn retry() -> RetryTransientMiddleware<ExponentialBackoff> {
    let policy = ExponentialBackoff::builder().retry_bounds(std::time::Duration::ZERO, std::time::Duration::ZERO);
    RetryTransientMiddleware::new_with_policy(policy.build_with_max_retries(2))
}

pub(crate) fn auth(fake: &Fake) -> ChallengeMiddleware {
    ChallengeMiddleware::new(API, fake.clone()).unwrap()
}

pub(crate) async fn error(client: &ClientWithMiddleware, path: &str) -> reqwest_middleware::Error {
    client.get(format!("{API}{path}")).send().await.unwrap_err()
}

#[derive(Debug, thiserror::Error)]
enum Mine {
    #[error("the API failed")]
    Api(#[from] reqwest_middleware::Error),
    #[error(transparent)]
    Whole(anyhow::Error),
}

#[track_caller]
fn found(error: reqwest_middleware::Error) {
    assert!(Forbidden::find(&error).is_some() && Unauthorized::find(&error).is_none(), "bare");
    let mine = Mine::from(error);
    assert!(Forbidden::find(&mine).is_some(), "in an enum of the caller");
    let dynamic: &dyn StdError = &mine;
    assert!(Forbidden::find(dynamic).is_some(), "as dyn Error");
    let boxed: Box<dyn StdError + Send + Sync> = Box::new(mine);
    assert!(Forbidden::find(&*boxed).is_some(), "boxed");
    let local: Box<dyn StdError> = boxed;
    assert!(Error::find(&*local).is_some(), "boxed, and not Send");
}

#[tokio::test]
async fn errors_are_found_alone_and_inside_any_other_error() {
    let client = server().client(&auth(&Fake::new()));
    found(error(&client, "/forbidden").await);

    let anyhow = anyhow::Error::from(error(&client, "/forbidden").await).context("reading reports");
    assert!(Forbidden::find(anyhow.as_ref()).is_some());
    assert!(Forbidden::find(&Mine::Whole(anyhow)).is_some());
    assert!(Forbidden::find(&std::io::Error::other("mine")).is_none());
}

#[tokio::test]
async fn errors_are_found_with_a_retry_middleware_and_final_errors_are_not_retried() {
    let (server, fake) = (server(), Fake::new());
    let outside =
        ClientBuilder::new(reqwest::Client::new()).with(retry()).with(auth(&fake)).with(server.clone()).build();
    found(error(&outside, "/forbidden").await);
    assert_eq!(server.sends(), 1);
    let refused = error(&outside, "/").await;
    assert!(Unauthorized::find(&refused).is_some());
    assert_eq!((server.sends(), fake.calls()), (3, 1));

    let inside =
        ClientBuilder::new(reqwest::Client::new()).with(auth(&fake)).with(retry()).with(server.clone()).build();
    found(error(&inside, "/forbidden").await);
    assert_eq!(server.sends(), 4);
    let down = inside.get(format!("{API}/down")).send().await.unwrap();
    assert_eq!(
        (down.status().as_u16(), server.sends(), fake.calls()),
        (503, 7, 1),
        "each attempt of the retry middleware is a send"
    );
}

#[tokio::test]
async fn an_error_is_found_inside_an_error_of_the_caller() {
    #[derive(Debug, thiserror::Error)]
    #[error("denied")]
    struct Denied(#[source] reqwest_middleware::Error);
    let client = server().client(&auth(&Fake::new()));
    assert!(Forbidden::find(&Denied(error(&client, "/forbidden").await)).is_some());
}

#[derive(Debug, thiserror::Error)]
enum Transparent {
    #[error(transparent)]
    Api(#[from] reqwest_middleware::Error),
    #[error(transparent)]
    Nested(Box<Transparent>),
    #[error(transparent)]
    Ours(#[from] Error),
    #[error(transparent)]
    Denied(#[from] Forbidden),
}

#[tokio::test]
async fn errors_are_found_in_a_transparent_enum() {
    let client = server().client(&auth(&Fake::failing(RefreshError::credential_revoked("x"))));
    let mine = Transparent::Nested(Box::new(error(&client, "/forbidden").await.into()));
    assert!(matches!(Error::find(&mine), Some(Error::Forbidden(_))));
    assert!(Forbidden::find(&mine).is_some() && Unauthorized::find(&mine).is_none());
    assert!(RefreshError::find(&mine).is_none());
    let denied = Forbidden::find(&mine).unwrap().clone();
    assert!(Forbidden::find(&Transparent::from(denied)).is_some());

    let mine = Transparent::from(error(&client, "/").await);
    assert!(Unauthorized::find(&mine).is_some() && Forbidden::find(&mine).is_none());
    assert_eq!(RefreshError::find(&mine), Some(&RefreshError::credential_revoked("x")));
    let ours = Transparent::from(Error::find(&mine).unwrap().clone());
    assert!(Unauthorized::find(&ours).is_some());
    let anyhow = anyhow::Error::from(ours).context("reading reports");
    assert!(Unauthorized::find(anyhow.as_ref()).is_some());
}

#[tokio::test]
async fn the_outermost_error_is_found_if_its_cause_has_the_same_type() {
    let inner = RefreshError::denied("mfa_required");
    let failure = RefreshError::login_required("run it").caused_by(inner);
    // A 401, and an error before the send.
    let refused = error(&server().client(&auth(&Fake::failing(failure.clone()))), "/").await;
    let not_sent = error(&server().client(&auth(&Fake::new().with_initial(Err(failure.clone())))), "/").await;
    let refused = [refused, not_sent];
    for error in refused {
        assert_eq!(RefreshError::find(&error), Some(&failure));
        let ours = Error::find(&error).unwrap().clone();
        assert_eq!(RefreshError::find(&ours), Some(&failure));
        assert_eq!(RefreshError::from(Box::<dyn StdError + Send + Sync>::from(ours.clone())), failure);
        assert_eq!(RefreshError::find(&Transparent::Ours(ours)), Some(&failure));
        let anyhow = anyhow::Error::new(error).context("reading reports");
        assert_eq!(RefreshError::find(anyhow.as_ref()), Some(&failure));
        assert_eq!(RefreshError::from(Box::<dyn StdError + Send + Sync>::from(anyhow)), failure);
    }
    // A 401 of the refresher's own server is the cause of a 401 of the API.
    let cause = Error::find(&error(&server().client(&auth(&Fake::new())), "/").await).unwrap().clone();
    let Error::Unauthorized(cause) = cause else { panic!("{cause:?}") };
    let outer = error(&server().client(&auth(&Fake::failing(RefreshError::other(cause)))), "/").await;
    assert!(Unauthorized::find(&outer).unwrap().refresh_error().is_some());
}

/// An error whose `source()` runs a function first, and then returns what the error inside returns.
struct Busy<E>(E, fn(&E));

impl<E: StdError> std::fmt::Debug for Busy<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Busy")
    }
}

impl<E: StdError> std::fmt::Display for Busy<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("busy")
    }
}

impl<E: StdError> StdError for Busy<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        (self.1)(&self.0);
        self.0.source()
    }
}

#[tokio::test]
async fn errors_are_found_in_an_error_whose_source_searches_or_panics_itself() {
    let client = server().client(&auth(&Fake::new()));
    let denied = Error::from_middleware(error(&client, "/forbidden").await).unwrap();
    let searches = Busy(Transparent::Ours(denied.clone()), |inner| assert!(Forbidden::find(inner).is_some()));
    assert!(Forbidden::find(&searches).is_some());
    // A wrapper that holds another one, around which the search must go on too.
    let outer = Busy(Transparent::Nested(Box::new(Transparent::Ours(denied.clone()))), |_| {
        let _ = Error::find(&std::io::Error::other("mine"));
    });
    assert!(Forbidden::find(&outer).is_some());
    let fails = Busy(denied.clone(), |_| panic!("source"));
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Error::find(&fails).is_some())).unwrap_err();
    assert_eq!(crate::printed_errors::chain(&denied).len(), 1, "a search that panicked has ended");
}

#[derive(Debug)]
struct Prints(fn() -> String);

impl std::fmt::Display for Prints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&(self.0)())
    }
}

impl StdError for Prints {}

#[test]
fn a_printed_refresh_error_is_found_although_printing_searches_too() {
    let prints = Prints(|| {
        let other = RefreshError::from(Box::<dyn StdError + Send + Sync>::from(std::io::Error::other("mine")));
        format!("{} {}", other.is_transient(), RefreshError::credential_revoked("x"))
    });
    assert!(RefreshError::from(Box::<dyn StdError + Send + Sync>::from(prints)).is_credential_revoked());
}

#[tokio::test]
async fn from_middleware_returns_the_error_inside() {
    let (server, fake) = (server(), Fake::new());
    let bare = server.client(&auth(&fake));
    let retried =
        ClientBuilder::new(reqwest::Client::new()).with(retry()).with(auth(&fake)).with(server.clone()).build();
    for client in [bare, retried] {
        let taken = Error::from_middleware(error(&client, "/forbidden").await).unwrap();
        assert!(matches!(taken, Error::Forbidden(_)), "{taken:?}");
    }
    let other = reqwest_middleware::Error::middleware(std::io::Error::other("mine"));
    assert_eq!(Error::from_middleware(other).unwrap_err().to_string(), "mine");
}

#[tokio::test]
async fn a_refresh_error_is_found_in_each_error_that_a_refresher_returns() {
    for wrapped in [
        RefreshError::from(Box::<dyn StdError + Send + Sync>::from(RefreshError::credential_revoked("x"))),
        RefreshError::from(Box::<dyn StdError + Send + Sync>::from(
            anyhow::Error::new(RefreshError::credential_revoked("x")).context("y"),
        )),
        RefreshError::from(Box::<dyn StdError + Send + Sync>::from(reqwest_middleware::Error::Middleware(
            anyhow::Error::new(RefreshError::credential_revoked("x")),
        ))),
    ] {
        assert_eq!(wrapped, RefreshError::credential_revoked("x"));
    }
    let network = reqwest::Client::new().get("http://user:hunter2@127.0.0.1:1/?hunter2").send().await.unwrap_err();
    let error =
        RefreshError::from(Box::<dyn StdError + Send + Sync>::from(reqwest_middleware::Error::Reqwest(network)));
    assert!(error.is_transient(), "{error:?}");
    assert!(!format!("{error:?} {error} {:#}", anyhow::Error::new(error.clone())).contains("hunter2"));
}

#[test]
fn errors_are_small_and_are_send_and_sync() {
    fn sendable<T: Send + Sync + 'static>() -> usize {
        size_of::<T>()
    }
    assert!(
        sendable::<Error>() <= 64 && sendable::<Forbidden>() == 8 && sendable::<Unauthorized>() == 8,
        "{}",
        sendable::<Error>()
    );
    assert!(sendable::<reqwest_middleware::Error>() <= 16 && sendable::<RefreshError>() <= 64);
    sendable::<ChallengeMiddleware>();
    sendable::<Credential>();
    sendable::<CallOptions>();
}
