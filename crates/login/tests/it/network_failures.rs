//! A network failure is transient for a command-line tool and for a registry, whether it occurs in the head of a
//! response or in its body.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use reqwest_challenge::{Refresh, RefreshContext, RefreshError, RefreshErrorKind};
use reqwest_challenge_login::cli::{exit_code, explain};
use reqwest_challenge_login::registry::Registry;
use reqwest_challenge_testing::{Answer, MockApi};

use crate::support::faults::{Fault, failing};

const TRANSIENT: RefreshErrorKind = RefreshErrorKind::Transient { retry_after: None };

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
async fn the_exit_code_is_6_for_a_network_failure_in_the_body_and_1_for_a_malformed_answer() {
    let url = failing(Fault::Closes).await;
    let server = MockApi::start().await.unwrap();
    server.at("/odd").answers(Answer::ok("no JSON"));
    server.at("/cut").answers(Answer::cut());
    let odd = server.url("/odd?hunter2");
    for (how, wrap) in wrapped() {
        let cut = wrap(response(&url).await.bytes().await.unwrap_err());
        assert_eq!(exit_code(&*cut), 6, "{how}");
        let shown = explain(&*cut, "login", None);
        assert!(!shown.contains("hunter2") && shown.contains("try again later"), "{how}: {shown}");
        let no_json = wrap(response(&odd).await.json::<serde_json::Value>().await.unwrap_err());
        assert_eq!(exit_code(&*no_json), 1, "{how}");
        assert!(!explain(&*no_json, "login", None).contains("hunter2"), "{how}");
    }
    let other = RefreshError::other(response(&url).await.bytes().await.unwrap_err());
    assert_eq!(exit_code(&other), 6, "the caller wrapped a network failure in `other`");
    assert_eq!(
        exit_code(&io::Error::from(io::ErrorKind::BrokenPipe)),
        1,
        "a closed standard output is no network failure"
    );
    assert_eq!(exit_code(&http().get(server.url("/cut")).send().await.unwrap_err()), 6);
}

#[tokio::test]
async fn a_truncated_answer_of_a_registrys_token_server_is_a_transient_error() {
    let url = failing(Fault::Closes).await;
    let origin = url.split("/token").next().unwrap();
    let challenge = format!("Bearer realm=\"{origin}/token\",service=\"r\",scope=\"repository:a:pull\"");
    for registry in [Registry::new(), Registry::new().password("a", "b"), Registry::new().identity_token("c")] {
        let context =
            RefreshContext::builder(format!("{origin}/v2/a/manifests/x")).challenge(&challenge).build().unwrap();
        let error = registry.refresh(context).await.unwrap_err();
        assert_eq!(error.kind(), &TRANSIENT, "{error:?}");
    }
}
