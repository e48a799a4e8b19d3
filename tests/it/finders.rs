//! Our errors are found wherever they end up.

use std::error::Error as StdError;

use reqwest_challenge::{CallOptions, ChallengeMiddleware, Credential, Error, Forbidden, RefreshError, Unauthorized};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;

use crate::support::fake::Fake;
use crate::support::script::{API, Script, challenged, status};

/// Answers so that each kind of error comes up: 403 at `/forbidden`, 401 elsewhere, 503 at `/down`.
fn server() -> Script {
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

fn auth(fake: &Fake) -> ChallengeMiddleware {
    ChallengeMiddleware::new(API, fake.clone()).unwrap()
}

async fn error(client: &ClientWithMiddleware, path: &str) -> reqwest_middleware::Error {
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
    assert!(Forbidden::find(&mine).is_some(), "in an enum of one's own");
    let dynamic: &dyn StdError = &mine;
    assert!(Forbidden::find(dynamic).is_some(), "as dyn Error");
    let boxed: Box<dyn StdError + Send + Sync> = Box::new(mine);
    assert!(Forbidden::find(&*boxed).is_some(), "boxed");
    let local: Box<dyn StdError> = boxed;
    assert!(Error::find(&*local).is_some(), "boxed for one thread");
}

#[tokio::test]
async fn errors_are_found_bare_and_in_any_other() {
    let client = server().client(&auth(&Fake::new()));
    found(error(&client, "/forbidden").await);

    let anyhow = anyhow::Error::from(error(&client, "/forbidden").await).context("reading reports");
    assert!(Forbidden::find(anyhow.as_ref()).is_some());
    assert!(Forbidden::find(&Mine::Whole(anyhow)).is_some());
    assert!(Forbidden::find(&std::io::Error::other("mine")).is_none());
}

#[tokio::test]
async fn errors_are_found_under_a_retry_middleware_and_final_ones_are_not_retried() {
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
        "the retries are not ours to count"
    );
}

#[tokio::test]
async fn an_error_taken_out_of_ours_is_found_in_the_next() {
    #[derive(Debug, thiserror::Error)]
    #[error("denied")]
    struct Denied(#[source] reqwest_middleware::Error);
    let client = server().client(&auth(&Fake::new()));
    assert!(Forbidden::find(&Denied(error(&client, "/forbidden").await)).is_some());
}

#[tokio::test]
async fn the_chain_is_printed_once() {
    let client = server().client(&auth(&Fake::failing(RefreshError::other("the disk is full"))));
    let error = error(&client, "/").await;
    let line = format!("401 to GET {API}/: who are you? (no new credential)");
    assert_eq!(error.to_string(), line);
    assert_eq!(
        format!("{:#}", anyhow::Error::from(error)),
        format!("{line}: the refresh failed: the disk is full")
    );
}

#[tokio::test]
async fn a_refresh_error_is_found_in_whatever_the_refresher_gives() {
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
fn errors_are_small_and_can_be_sent() {
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
