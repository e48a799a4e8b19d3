//! A network failure is transient, whether it occurs in the head of a response or in its body, and whatever wraps its
//! error.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use reqwest_challenge::{ChallengeMiddleware, Clock, Credential, RefreshContext, RefreshError, RefreshErrorKind};
use reqwest_challenge_testing::ManualClock;

use crate::support::fake::Fake;
use crate::support::faults::{FAULTS, Fault, failing};
use crate::support::script::{API, Script, challenged, status};
use crate::support::wire::{Wire, answer};

const TRANSIENT: RefreshErrorKind = RefreshErrorKind::Transient { retry_after: None };

/// A name that the system refuses without a DNS request.
fn no_host() -> String {
    format!("{}.invalid", "a".repeat(64))
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_millis(300)).build().unwrap()
}

async fn response(url: &str) -> reqwest::Response {
    http().get(url).send().await.unwrap()
}

#[derive(Debug, thiserror::Error)]
enum Mine {
    #[error("the token endpoint failed")]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Plain(reqwest::Error),
    #[error("it failed: {0}")]
    Shared(#[from] Arc<reqwest::Error>),
    #[error("boxed")]
    Boxed(#[source] Box<reqwest::Error>),
    #[error("io")]
    Io(#[source] io::Error),
}

/// An error with a hand-written `source()`.
#[derive(Debug)]
struct ByHand(Arc<dyn StdError + Send + Sync>);

impl fmt::Display for ByHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("by hand")
    }
}

impl StdError for ByHand {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

type BoxError = Box<dyn StdError + Send + Sync>;
type Wrap = fn(reqwest::Error) -> BoxError;

/// The ways in which callers wrap an error.
fn wrapped() -> Vec<(&'static str, Wrap)> {
    vec![
        ("bare", |error| error.into()),
        ("io::Error", |error| io::Error::other(error).into()),
        ("io::Error in io::Error", |error| io::Error::other(io::Error::new(io::ErrorKind::InvalidInput, error)).into()),
        ("Box", |error| Box::new(Box::new(error))),
        ("Arc", |error| Box::new(Arc::new(error))),
        ("Arc of any", |error| Box::new(Arc::<dyn StdError + Send + Sync>::from(BoxError::from(error)))),
        ("Arc of io::Error", |error| Box::new(Arc::new(io::Error::other(error)))),
        ("reqwest_middleware", |error| reqwest_middleware::Error::from(error).into()),
        ("anyhow", |error| anyhow::Error::new(error).into()),
        ("anyhow with context", |error| anyhow::Error::new(error).context("asking").into()),
        ("enum", |error| Mine::from(error).into()),
        ("transparent enum", |error| Mine::Plain(error).into()),
        ("enum of an Arc", |error| Mine::from(Arc::new(error)).into()),
        ("enum of a Box", |error| Mine::Boxed(error.into()).into()),
        ("enum of io::Error", |error| Mine::Io(io::Error::other(error)).into()),
        ("source by hand", |error| Box::new(ByHand(Arc::new(error)))),
    ]
}

#[tokio::test]
async fn a_failure_in_the_body_is_transient_for_each_reader_and_each_wrapper() {
    for fault in FAULTS {
        let url = failing(fault).await;
        for (how, wrap) in wrapped() {
            let mut response = response(&url).await;
            let cut = loop {
                if let Err(error) = response.chunk().await {
                    break error;
                }
            };
            let error = RefreshError::from(wrap(cut));
            assert_eq!(error.kind(), &TRANSIENT, "{fault:?} {how}: {error:?}");
            let shown = format!("{error} {error:?} {error:#?} {:#}", anyhow::Error::new(error.clone()));
            assert!(!shown.contains("hunter2"), "{fault:?} {how}: {shown}");
        }
        for error in [
            response(&url).await.text().await.unwrap_err(),
            response(&url).await.json::<serde_json::Value>().await.unwrap_err(),
            response(&url).await.bytes().await.unwrap_err(),
        ] {
            assert_eq!(RefreshError::from(error).kind(), &TRANSIENT, "{fault:?}");
        }
    }
}

/// URLs whose requests fail temporarily before a body arrives: a timeout, a refused connection, an unknown host, a 503.
async fn failing_heads() -> [String; 4] {
    let stalls = Wire::start(|_| Vec::new()).await.url("/token?client_secret=hunter2");
    let closed = "http://127.0.0.1:1/token?client_secret=hunter2".to_owned();
    let unknown = format!("http://{}/token?client_secret=hunter2", no_host());
    let down = Wire::start(|_| answer("503 Service Unavailable", "", "")).await.url("/token?client_secret=hunter2");
    [stalls, closed, unknown, down]
}

async fn failure(url: &str) -> reqwest::Error {
    http().get(url).send().await.and_then(reqwest::Response::error_for_status).unwrap_err()
}

#[tokio::test]
async fn a_failure_in_the_head_is_transient_for_each_wrapper() {
    for url in failing_heads().await {
        for (how, wrap) in wrapped() {
            let error = RefreshError::from(wrap(failure(&url).await));
            assert_eq!(error.kind(), &TRANSIENT, "{url} {how}: {error:?}");
            assert!(
                !format!("{error:?} {:#}", anyhow::Error::new(error.clone())).contains("hunter2"),
                "{how} {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_network_failure_directly_in_the_anyhow_error_of_a_refresher_is_transient() {
    async fn asks(url: String) -> anyhow::Result<Credential> {
        Err(failure(&url).await.into())
    }
    for url in failing_heads().await {
        let refresher = move |_: RefreshContext| asks(url.clone());
        let server = Script::new(|_, _| challenged());
        let client = server.client(&ChallengeMiddleware::new(API, refresher).unwrap());
        let error = client.get(API).send().await.unwrap_err();
        assert_eq!(RefreshError::find(&error).unwrap().kind(), &TRANSIENT, "{error:?}");
    }
}

#[tokio::test]
async fn a_failed_lookup_is_recognised_by_its_kind_and_not_by_its_message() {
    let text = "failed to lookup address information: Name or service not known";
    for error in [BoxError::from(text), io::Error::other(text).into(), anyhow::Error::msg(text).into()] {
        assert_eq!(RefreshError::from(error).kind(), &RefreshErrorKind::Other, "{text}");
    }
    // The system's error has a number, and one of a library has a cause. Both can have the kind of a failed lookup.
    let unnamed = io::Error::from_raw_os_error(i32::MAX);
    let wrapped = io::Error::new(unnamed.kind(), Mine::Io(io::Error::from_raw_os_error(i32::MAX)));
    for error in [unnamed, wrapped] {
        assert_eq!(RefreshError::from(error).kind(), &RefreshErrorKind::Other);
    }
}

#[tokio::test]
async fn a_decoding_error_and_a_final_status_are_not_transient() {
    let odd = Wire::start(|_| answer("200 OK", "", "{\"access_token\":")).await.url("/token?client_secret=hunter2");
    let no = Wire::start(|_| answer("404 Not Found", "", "")).await.url("/token?client_secret=hunter2");
    let circle = Wire::start(|_| answer("302 Found", "Location: /\r\n", "")).await.url("/?client_secret=hunter2");
    for (how, wrap) in wrapped() {
        let no_json = response(&odd).await.json::<serde_json::Value>().await.unwrap_err();
        let not_found = response(&no).await.error_for_status().unwrap_err();
        // The error of a gzip decoder for a body that arrived completely.
        let bad = |kind| {
            let body = http_body_of(io::Error::new(kind, "invalid gzip header"));
            reqwest::Response::from(http::Response::new(body)).bytes()
        };
        let bad_gzip = bad(io::ErrorKind::InvalidData).await.unwrap_err();
        let short_gzip = bad(io::ErrorKind::UnexpectedEof).await.unwrap_err();
        let no_url = http().get("no URL").build().unwrap_err();
        let redirects = http().get(&circle).send().await.unwrap_err();
        for error in [no_json, not_found, bad_gzip, short_gzip, no_url, redirects] {
            let text = error.to_string();
            let error = RefreshError::from(wrap(error));
            assert_eq!(error.kind(), &RefreshErrorKind::Other, "{how}: {text}: {error:?}");
            assert!(
                !format!("{error:?} {:#}", anyhow::Error::new(error.clone())).contains("hunter2"),
                "{how} {error:?}"
            );
        }
    }
    let parser = serde_json::from_str::<serde_json::Value>("{\"a\":").unwrap_err();
    assert_eq!(RefreshError::from(io::Error::from(parser)).kind(), &RefreshErrorKind::Other);
}

/// A body that fails with that error.
fn http_body_of(error: io::Error) -> reqwest::Body {
    struct Fails(Option<io::Error>);
    impl http_body::Body for Fails {
        type Data = bytes::Bytes;
        type Error = io::Error;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, io::Error>>> {
            std::task::Poll::Ready(self.0.take().map(Err))
        }
    }
    reqwest::Body::wrap(Fails(Some(error)))
}

#[tokio::test]
async fn an_io_error_of_a_connection_is_transient_and_one_of_a_file_is_not() {
    let refused = tokio::net::TcpStream::connect("127.0.0.1:1").await.unwrap_err();
    let unknown = tokio::net::lookup_host(format!("{}:443", no_host())).await.map(|_| ()).unwrap_err();
    let late = tokio::time::timeout(Duration::ZERO, std::future::pending::<()>()).await.unwrap_err();
    let (mut one, other) = tokio::io::duplex(8);
    drop(other);
    let cut = tokio::io::AsyncReadExt::read_exact(&mut one, &mut [0; 4]).await.unwrap_err();
    for error in [
        BoxError::from(refused),
        unknown.into(),
        late.into(),
        cut.into(),
        io::Error::other(io::Error::from(io::ErrorKind::ConnectionReset)).into(),
        Arc::new(io::Error::from(io::ErrorKind::ConnectionAborted)).into(),
        io::Error::new(io::ErrorKind::TimedOut, "read").into(),
    ] {
        let text = error.to_string();
        assert_eq!(RefreshError::from(error).kind(), &TRANSIENT, "{text}");
    }
    for kind in [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied, io::ErrorKind::InvalidData] {
        assert_eq!(RefreshError::from(io::Error::from(kind)).kind(), &RefreshErrorKind::Other, "{kind}");
    }
    assert_eq!(RefreshError::from("a text").kind(), &RefreshErrorKind::Other);
}

#[tokio::test]
async fn a_truncated_token_response_is_a_transient_failure_and_causes_a_backoff() {
    async fn refresh(url: String) -> Result<Credential, Mine> {
        let text = response(&url).await.text().await?;
        Ok(Credential::bearer(text))
    }
    let url = failing(Fault::Closes).await;
    let calls = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = calls.clone();
    let refresher = move |_: RefreshContext| {
        counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        refresh(url.clone())
    };
    let server = Script::new(|_, _| challenged());
    let client = server.client(&ChallengeMiddleware::new(API, refresher).unwrap());
    for _ in 0..5 {
        let error = client.get(API).send().await.unwrap_err();
        assert_eq!(RefreshError::find(&error).unwrap().kind(), &TRANSIENT, "{error:?}");
    }
    assert_eq!(calls.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_renewal_with_a_truncated_response_sends_the_old_token() {
    let url = failing(Fault::ClosesChunk).await;
    let cut = response(&url).await.bytes().await.unwrap_err();
    let clock = ManualClock::new();
    let held = Credential::bearer("t0").with_expiry(clock.now() + Duration::from_secs(3600));
    let fake = Fake::failing(RefreshError::from(io::Error::other(cut))).with_initial(Ok(Some(held)));
    let server = Script::new(|arrived, _| if arrived.token() == "t0" { status(200) } else { challenged() });
    let auth = ChallengeMiddleware::builder(API, fake.clone()).clock(clock.clone()).build().unwrap();
    let client = server.client(&auth);
    assert_eq!(client.get(API).send().await.unwrap().status(), 200);
    clock.forward(Duration::from_secs(3590));
    assert_eq!(client.get(API).send().await.unwrap().status(), 200);
    assert_eq!((fake.calls(), server.sends()), (1, 2));
}
