//! A `RefreshError` prints no secret, and is found inside each wrapper.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use reqwest_challenge::{
    ChallengeMiddleware, Credential, Refresh, RefreshContext, RefreshError, RefreshErrorKind, Unauthorized,
};

use crate::support::script::{API, Script, challenged};

type BoxError = Box<dyn StdError + Send + Sync>;
type Wrap<E> = fn(E) -> BoxError;

/// An error whose source is that value.
#[derive(Debug)]
struct Around<S>(S);

impl<S> fmt::Display for Around<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("around")
    }
}

impl<S: StdError + 'static> StdError for Around<S> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

/// An error whose source is the error inside its `anyhow::Error`.
#[derive(Debug)]
struct AroundAnyhow(Arc<anyhow::Error>);

impl fmt::Display for AroundAnyhow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("around")
    }
}

impl StdError for AroundAnyhow {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let error: &(dyn StdError + 'static) = self.0.as_ref().as_ref();
        Some(error)
    }
}

#[derive(Debug, thiserror::Error)]
#[allow(clippy::redundant_allocation, reason = "a caller may nest pointers")]
enum Mine<E: StdError + 'static> {
    #[error("it failed")]
    Boxed(#[source] Box<E>),
    #[error("it failed")]
    Shared(#[source] Arc<E>),
    #[error("it failed")]
    BoxInArc(#[source] Arc<Box<E>>),
    #[error("it failed")]
    ArcInBox(#[source] Box<Arc<E>>),
    #[error("it failed")]
    Dynamic(#[source] Box<dyn StdError + Send + Sync>),
    #[error("it failed")]
    SharedDynamic(#[source] Arc<dyn StdError + Send + Sync>),
}

/// The ways in which one error can be wrapped in another.
fn wrapped<E: StdError + Send + Sync + 'static>() -> Vec<(&'static str, Wrap<E>)> {
    vec![
        ("bare", |error| Box::new(error)),
        ("Box", |error| Box::new(Box::new(error))),
        ("Arc", |error| Box::new(Arc::new(error))),
        ("Box of Arc", |error| Box::new(Box::new(Arc::new(error)))),
        ("Arc of Arc", |error| Box::new(Arc::new(Arc::new(error)))),
        ("Arc of any", |error| Box::new(Arc::<dyn StdError + Send + Sync>::from(BoxError::from(error)))),
        ("io::Error", |error| io::Error::other(error).into()),
        ("io::Error of Arc", |error| io::Error::other(Arc::new(error)).into()),
        ("Arc of io::Error", |error| Box::new(Arc::new(io::Error::other(error)))),
        ("io::Error of io::Error", |error| io::Error::other(io::Error::other(Box::new(error))).into()),
        ("source", |error| Box::new(Around(error))),
        ("source in a Box", |error| Box::new(Around(Box::new(error)))),
        ("source in an Arc", |error| Box::new(Around(Arc::new(error)))),
        ("source in two", |error| Box::new(Around(Arc::new(Box::new(error))))),
        ("source in an io::Error", |error| Box::new(Around(io::Error::other(error)))),
        ("source in any Arc", |error| Box::new(Around(Arc::<dyn StdError + Send + Sync>::from(BoxError::from(error))))),
        ("source in an anyhow", |error| Box::new(AroundAnyhow(Arc::new(anyhow::Error::new(error))))),
        ("anyhow in a Box", |error| anyhow::Error::new(Box::new(error)).context("asking").into()),
        ("reqwest_middleware", |error| reqwest_middleware::Error::middleware(Arc::new(error)).into()),
        ("Arc of reqwest_middleware", |error| Box::new(Arc::new(reqwest_middleware::Error::middleware(error)))),
        ("thiserror Box", |error| Box::new(Mine::Boxed(Box::new(error)))),
        ("thiserror Arc", |error| Box::new(Mine::Shared(Arc::new(error)))),
        ("thiserror Box in Arc", |error| Box::new(Mine::BoxInArc(Arc::new(Box::new(error))))),
        ("thiserror Arc in Box", |error| Box::new(Mine::ArcInBox(Box::new(Arc::new(error))))),
        ("thiserror Box of any", |error| Box::new(Mine::<E>::Dynamic(Box::new(Arc::new(error))))),
        ("thiserror Arc of any", |error| Box::new(Mine::<E>::SharedDynamic(Arc::new(Box::new(error))))),
        ("a cause of ours", |error| RefreshError::other(Around(Arc::new(error))).into()),
    ]
}

fn revoked() -> RefreshError {
    RefreshError::credential_revoked("invalid_grant")
}

#[test]
fn a_refresh_error_is_found_in_every_position_and_keeps_its_kind() {
    for (how, wrap) in wrapped::<RefreshError>() {
        let error = wrap(revoked());
        if how != "a cause of ours" {
            assert_eq!(RefreshError::find(&*error), Some(&revoked()), "{how}");
            assert_eq!(RefreshError::from(error), revoked(), "{how}");
        }
    }
    let shared = Arc::new(anyhow::Error::new(Box::new(revoked())));
    assert_eq!(RefreshError::find(&**shared), Some(&revoked()));
    assert_eq!(RefreshError::find(&Arc::new(revoked())), Some(&revoked()));
    let any: Arc<dyn StdError + Send + Sync> = Arc::new(Box::new(revoked()));
    assert_eq!(RefreshError::find(&any), Some(&revoked()));
}

#[test]
fn a_refresh_error_that_its_wrapper_hides_keeps_its_kind() {
    #[derive(Debug, thiserror::Error)]
    enum Hiding {
        #[error(transparent)]
        Refresh(#[from] RefreshError),
        #[error("it failed: {0}")]
        Text(RefreshError),
    }
    for error in [
        BoxError::from(Hiding::from(revoked())),
        Hiding::Text(revoked()).into(),
        anyhow::Error::new(revoked()).into(),
        io::Error::other(anyhow::Error::new(revoked())).into(),
        Arc::new(io::Error::other(anyhow::Error::new(revoked()))).into(),
        Around(Arc::new(Hiding::from(revoked()))).into(),
    ] {
        let text = format!("{error:?}");
        // `Text` prints the error and has no source, so there is no reference to the error.
        assert_eq!(RefreshError::find(&*error).is_some(), !text.starts_with("Text"), "{text}");
        assert_eq!(RefreshError::from(error), revoked(), "{text}");
    }
    assert_eq!(RefreshError::from(BoxError::from("it failed")).kind(), &RefreshErrorKind::Other);
}

#[tokio::test]
async fn a_revoked_login_inside_an_arc_keeps_its_kind() {
    #[derive(Debug, thiserror::Error)]
    #[error("no token")]
    #[allow(clippy::redundant_allocation, reason = "a caller may nest pointers")]
    enum NoToken {
        Boxed(#[source] Box<RefreshError>),
        Shared(#[source] Arc<RefreshError>),
        BoxInArc(#[source] Arc<Box<RefreshError>>),
        #[error(transparent)]
        Transparent(#[from] RefreshError),
    }
    let fails: [fn() -> NoToken; 4] = [
        || NoToken::Boxed(Box::new(revoked())),
        || NoToken::Shared(Arc::new(revoked())),
        || NoToken::BoxInArc(Arc::new(Box::new(revoked()))),
        || NoToken::Transparent(revoked()),
    ];
    for fail in fails {
        let refresh = move |_: RefreshContext| async move { Err::<Credential, _>(fail()) };
        let server = Script::new(|_, _| challenged());
        let client = server.client(&ChallengeMiddleware::new(API, refresh).unwrap());
        let error = client.get(API).send().await.unwrap_err();
        let refused = Unauthorized::find(&error).unwrap();
        assert_eq!(refused.refresh_error().unwrap().kind(), revoked().kind());
    }
}

const URL: &str = "http://alice:hunter2@127.0.0.1:1/token?client_secret=hunter2&x=(hunter2)#hunter2";

async fn refused() -> reqwest::Error {
    reqwest::get(URL).await.unwrap_err()
}

/// Everything that an error prints, alone and inside other errors.
fn shown(error: &RefreshError) -> String {
    let other = anyhow::Error::new(Around(Arc::new(error.clone()))).context("asking");
    let mut text = format!("{error} {error:?} {error:#?} {other:?} {other:#} {:?}", error.kind());
    let mut next = error.source();
    while let Some(cause) = next {
        text += &format!(" {cause} {cause:?} {cause:#?}");
        next = cause.source();
    }
    text
}

#[tokio::test]
async fn an_error_of_each_constructor_prints_no_secret_of_a_url() {
    for (how, wrap) in wrapped::<reqwest::Error>() {
        let io = |error| io::Error::other(wrap(error));
        for error in [
            RefreshError::other(wrap(refused().await)),
            RefreshError::transient(None).caused_by(wrap(refused().await)),
            RefreshError::from(wrap(refused().await)),
            RefreshError::from(io(refused().await)),
            RefreshError::other(io(refused().await)),
            RefreshError::other(Arc::new(io(refused().await))),
            RefreshError::other(RefreshError::other(wrap(refused().await))),
            RefreshError::other(format!("asking: {:?}", refused().await)),
            RefreshError::from(format!("{}", refused().await)),
            RefreshError::other(anyhow::Error::from_boxed(wrap(refused().await)).context("asking")),
        ] {
            assert!(!shown(&error).contains("hunter2"), "{how}: {}", shown(&error));
            assert_eq!(error, error.clone());
        }
    }
    let error = RefreshError::from(refused().await);
    assert!(error.is_transient() && error.source().unwrap().is::<reqwest::Error>());
    let error = RefreshError::from(io::Error::other(refused().await));
    assert!(error.is_transient());
    assert!(error.source().unwrap().is::<io::Error>(), "{error:?}");
}

#[test]
fn a_text_keeps_the_parts_of_a_url_that_are_not_secret() {
    for (text, wanted) in [
        ("asking https://u:p@h.example:8443/a/b?q=1#f failed", "asking https://h.example:8443/a/b failed"),
        ("(https://h.example/a?q=(x))", "(https://h.example/a))"),
        ("\"https://h.example?q\", then https://u@[::1]/", "\"https://h.example\", then https://[::1]/"),
        ("https://u:p/w#?x@h.example/a", "https://h.example/a"),
        ("redis://:secret@cache/0 and https://h.example/@scope/a", "redis://cache/0 and https://h.example/@scope/a"),
        ("line one\n\tline two", "line one\n\tline two"),
        ("no URL: a://", "no URL: a://"),
        ("\u{1b}[31mred\u{202e}", "\\u{1b}[31mred\\u{202e}"),
    ] {
        assert_eq!(RefreshError::other(text).source().unwrap().to_string(), wanted);
    }
}

#[test]
fn codes_and_hints_are_escaped_and_bounded() {
    let long = "x".repeat(1 << 20);
    for odd in [&*long, "\u{1b}]0;owned\u{7}", "a\r\nb", "a\u{202e}b\u{2066}", "\u{9b}31m", "a\0b"] {
        for error in [
            RefreshError::credential_revoked(odd),
            RefreshError::denied(odd),
            RefreshError::login_required(odd),
            RefreshError::transient(None).caused_by(odd.replace('\n', "")),
        ] {
            let text = shown(&error);
            assert!(text.len() < 40_000, "{}", text.len());
            let hidden = |character: char| {
                character.is_control() && character != '\n' || ('\u{202a}'..='\u{2069}').contains(&character)
            };
            assert!(!text.contains(hidden), "{text:?}");
        }
    }
    // A printable text stays the same.
    assert_eq!(revoked().kind(), &RefreshErrorKind::CredentialRevoked { code: "invalid_grant".to_owned() });
    let hint = "run `tool login --scope=a`, or see https://example.com/login?from=tool";
    assert_eq!(RefreshError::login_required(hint).kind(), &RefreshErrorKind::LoginRequired { hint: hint.to_owned() });
}

#[tokio::test]
async fn a_boxed_error_of_a_refresher_keeps_its_kind() {
    let refresher: Box<dyn Refresh> = Box::new(|_: RefreshContext| async {
        Err::<Credential, BoxError>(Box::new(Arc::new(RefreshError::login_required("x"))))
    });
    let server = Script::new(|_, _| challenged());
    let client = server.client(&ChallengeMiddleware::new(API, refresher).unwrap());
    let error = client.get(API).send().await.unwrap_err();
    let kind = RefreshErrorKind::LoginRequired { hint: "x".to_owned() };
    assert_eq!(Unauthorized::find(&error).unwrap().refresh_error().unwrap().kind(), &kind);
}
