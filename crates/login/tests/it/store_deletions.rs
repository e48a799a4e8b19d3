//! The errors that delete a login from a store, and the errors that do not.

use reqwest_challenge::{Credential, RefreshError, RefreshErrorKind, RefreshReason};
use reqwest_challenge_login::store::{MemoryStore, Store, Stored};
use reqwest_challenge_testing::RecordingRefresher;

use crate::stores::{another_saves, client, gives, stored, takes};
use crate::support::folder::key;
use crate::support::script::API;

mod typed {
    use reqwest_challenge_login::cli::{Environment, Login, LoginBuilder, exit_code};
    use reqwest_challenge_login::oauth::{Client, Issuer};
    use reqwest_challenge_testing::Script;

    use super::*;
    use crate::support::oauth::why;
    use crate::support::script::{challenged_with, status};

    /// The logins whose secret the user types.
    fn logins() -> Vec<LoginBuilder> {
        let oauth = || Login::oauth(Issuer::new("http://127.0.0.1:1").unwrap(), Client::public("tool"));
        vec![
            Login::token("https://example.com/tokens"),
            Login::password(Some("alice")),
            Login::password(None),
            oauth().or_token("https://example.com/tokens"),
            oauth().or_password(Some("alice")),
        ]
    }

    /// An API whose `/ok` accepts every request. On other paths, the API or a proxy in front of it answers 401, with or without a
    /// challenge.
    fn mixed(challenge: Option<&'static str>) -> Script {
        Script::new(move |arrived, _| match (arrived.url().path(), challenge) {
            ("/ok", _) => status(200),
            (_, Some(challenge)) => challenged_with(challenge),
            (_, None) => status(401),
        })
    }

    #[tokio::test]
    async fn a_401_deletes_no_token_and_no_password_that_a_user_typed() {
        for challenge in [None, Some("Basic realm=\"proxy\""), Some("Bearer error=\"invalid_token\"")] {
            for login in logins() {
                let store = MemoryStore::new();
                another_saves(&store, "typed").await;
                let before = stored(&store).await;
                let login = login
                    .command("tool login")
                    .environment(Environment::from_variables(false, |_| false))
                    .build()
                    .unwrap();
                let server = mixed(challenge);
                let (run, _) = client(&server, Stored::new(login, store.clone(), key()));
                assert_eq!(run.get(format!("{API}/ok")).send().await.unwrap().status(), 200);
                for path in ["not-mine", "not-mine", "another"] {
                    let error = run.get(format!("{API}/{path}")).send().await.unwrap_err();
                    let kind = why(&error).kind().clone();
                    assert!(matches!(kind, RefreshErrorKind::LoginRequired { .. }), "{error:?}");
                    assert_eq!(exit_code(&error), 4);
                }
                assert_eq!(stored(&store).await, before, "{challenge:?}");
                // The next process starts with the stored secret.
                let (run, _) = client(&server, Stored::new(gives("never"), store.clone(), key()));
                assert_eq!(run.get(format!("{API}/ok")).send().await.unwrap().status(), 200);
            }
        }
    }

    #[tokio::test]
    async fn a_secret_that_a_user_types_after_a_401_replaces_the_stored_one() {
        let store = MemoryStore::new();
        another_saves(&store, "typed").await;
        let login = Login::token("https://example.com/tokens").prompting().output(std::io::sink());
        let login =
            login.environment(Environment::from_variables(true, |_| false)).prompt(|_, _| Ok("newer".to_owned()));
        let (run, _) = client(&takes("newer"), Stored::new(login.build().unwrap(), store.clone(), key()));
        assert_eq!(run.get(API).send().await.unwrap().status(), 200);
        assert!(stored(&store).await.unwrap().contains("newer"));
    }
}

#[tokio::test]
async fn a_failed_login_deletes_no_stored_login() {
    let store = MemoryStore::new();
    another_saves(&store, "t1").await;
    let before = stored(&store).await;
    let ours = RecordingRefresher::answering(|_, context| match context.reason() {
        RefreshReason::Login => Err(RefreshError::credential_revoked("invalid_grant")),
        _ => Ok(Some(Credential::bearer("t2"))),
    });
    let (_, session) = client(&takes("t1"), Stored::new(ours, store.clone(), key()));
    assert!(session.login().await.is_err());
    assert_eq!(
        stored(&store).await,
        before,
        "`invalid_grant` may mean the code of the login, not the stored credential"
    );
}

#[tokio::test]
async fn an_invalid_grant_of_a_renewal_deletes_the_login() {
    let store = MemoryStore::new();
    another_saves(&store, "t1").await;
    let ours = RecordingRefresher::failing(RefreshError::credential_revoked("invalid_grant"));
    let (run, _) = client(&takes("t9"), Stored::new(ours, store.clone(), key()));
    let error = run.get(API).send().await.unwrap_err();
    let kind = RefreshError::find(&error).unwrap().kind().clone();
    assert_eq!(
        (kind, stored(&store).await),
        (RefreshErrorKind::CredentialRevoked { code: "invalid_grant".to_owned() }, None)
    );
}

#[tokio::test]
async fn a_new_refresh_token_with_an_access_token_that_cannot_be_sent_is_kept() {
    for (is_stored, scopes) in [(true, None), (true, Some("read")), (false, Some("read"))] {
        let (store, server) = (MemoryStore::new(), takes("t3"));
        if is_stored {
            another_saves(&store, "t1").await;
        }
        // Each refresh token is valid once.
        let ours = RecordingRefresher::answering(move |call, _| {
            let new = Credential::bearer(["not\u{1}sendable", "t3"][call - 1]);
            Ok(Some(
                scopes
                    .into_iter()
                    .fold(new, |new, scope| new.with_scopes([scope]))
                    .with_attachment(["renews t2", "renews t3"][call - 1]),
            ))
        });
        let (run, _) = client(&server, Stored::new(ours.clone(), store.clone(), key()));
        let error = run.get(API).send().await.unwrap_err();
        assert!(!format!("{error:?} {error:#}").contains("sendable"), "{error:?}");
        let kept = stored(&store).await.unwrap();
        assert!(kept.contains("renews t2") && !kept.contains("renews t1") && !kept.contains("sendable"), "{kept}");
        // Another process renews with it before it sends a request. This process renews with it too.
        let theirs = gives("t3");
        let other = MemoryStore::new();
        let saved = Store::load(&store, &key()).await.unwrap().unwrap();
        assert!(other.replace(&key(), None, &saved).await.unwrap());
        let (again, _) = client(&takes("t3"), Stored::new(theirs.clone(), other, key()));
        assert_eq!(again.get(API).send().await.unwrap().status(), 200);
        assert_eq!(theirs.reasons(), [RefreshReason::Expired]);
        let held = theirs.contexts()[0].credential().unwrap().clone();
        assert_eq!(held.attachment().unwrap().expose(), "renews t2");
        assert_eq!(held.scopes().map(|scopes| scopes.join(" ")).as_deref(), scopes);
        assert_eq!(run.get(API).send().await.unwrap().status(), 200);
        assert_eq!(ours.contexts()[1].credential().unwrap().attachment().unwrap().expose(), "renews t2");
    }
}

#[tokio::test]
async fn a_login_with_an_access_token_that_cannot_be_sent_keeps_its_refresh_token_and_drops_the_old_login() {
    let store = MemoryStore::new();
    another_saves(&store, "alices").await;
    let ours = RecordingRefresher::answering(|call, _| {
        Ok(Some(Credential::bearer(["not\u{1}sendable", "bobs"][call - 1]).with_attachment("renews bob")))
    });
    let (run, session) = client(&takes("bobs"), Stored::new(ours, store.clone(), key()));
    assert!(session.login().await.is_err());
    let kept = stored(&store).await.unwrap();
    assert!(kept.contains("renews bob") && !kept.contains("alices"), "{kept}");
    assert_eq!(run.get(API).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_revoked_login_is_deleted_even_if_its_error_is_wrapped() {
    use std::sync::Arc;
    type Any = Box<dyn std::error::Error + Send + Sync>;
    #[derive(Debug, thiserror::Error)]
    #[allow(clippy::redundant_allocation, reason = "a caller may nest pointers")]
    enum Mine {
        #[error("no token")]
        Boxed(#[source] Box<RefreshError>),
        #[error("no token")]
        Shared(#[source] Arc<RefreshError>),
        #[error("no token")]
        BoxInArc(#[source] Arc<Box<RefreshError>>),
        #[error(transparent)]
        Transparent(RefreshError),
    }
    let revoked = || RefreshError::credential_revoked("invalid_grant");
    let wraps: [fn(RefreshError) -> Any; 7] = [
        |error| Box::new(Mine::Boxed(Box::new(error))),
        |error| Box::new(Mine::Shared(Arc::new(error))),
        |error| Box::new(Mine::BoxInArc(Arc::new(Box::new(error)))),
        |error| Box::new(Mine::Transparent(error)),
        |error| Box::new(Arc::new(error)),
        |error| anyhow::Error::new(Mine::Shared(Arc::new(error))).context("asking").into(),
        |error| std::io::Error::other(Arc::new(error)).into(),
    ];
    for (number, wrap) in wraps.into_iter().enumerate() {
        let store = MemoryStore::new();
        another_saves(&store, "t1").await;
        let ours = RecordingRefresher::failing(RefreshError::from(wrap(revoked())));
        let (run, _) = client(&takes("never"), Stored::new(ours, store.clone(), key()));
        run.get(API).send().await.unwrap_err();
        assert_eq!(stored(&store).await, None, "{number}");
    }
}
