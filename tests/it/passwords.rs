//! `Password`: Basic and Digest, and which of several challenges it answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest_challenge::{
    BoxError, ChallengeMiddleware, Challenges, DeniedReason, Error, Password, RefreshContext, RefreshErrorKind,
    Strength, Unauthorized, UnauthorizedReason, UserPassword,
};
use reqwest_challenge_testing::{Answer, ReceivedRequest, Script};

use crate::support::script::{API, status};

/// A server that refuses requests without a credential, with these challenges.
pub(crate) fn refusing(lines: &'static [&'static str]) -> Script {
    Script::new(move |arrived, _| match arrived.credential() {
        Some(_) => status(200),
        None => Answer::unauthorized(lines.iter().copied()),
    })
}

pub(crate) fn auth(password: Password) -> ChallengeMiddleware {
    ChallengeMiddleware::new(API, password).unwrap()
}

/// The parameters of an answer, by name.
pub(crate) fn param(arrived: &ReceivedRequest, name: &str) -> Option<String> {
    let read = Challenges::parse(arrived.credential().unwrap());
    let answer = read.iter().next().unwrap();
    answer.param(name).map(|value| value.into_owned())
}

pub(crate) const SHA256: &str = "Digest realm=\"a\", nonce=\"n1\", qop=\"auth\", algorithm=sha-256";

#[tokio::test]
async fn basic_is_utf_8_and_a_colon_in_the_user_name_is_an_error() {
    let server = refusing(&["Basic realm=\"a\", charset=\"UTF-8\""]);
    let client = server.client(&auth(Password::new("Aladdin", "open sesame \u{e9}")));
    client.get(API).send().await.unwrap();
    assert_eq!(server.requests()[1].credential(), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZSDDqQ=="));
    let error = server.client(&auth(Password::new("a:b", "hunter2"))).get(API).send().await.unwrap_err();
    let shown = format!("{:#} {error:?}", anyhow::anyhow!("{:?}", Error::find(&error)));
    assert!(shown.contains("the user name has a colon") && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_password_declines_challenges_that_it_cannot_answer() {
    for lines in [&["Bearer realm=\"a\""][..], &[], &["Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=SHA-1"]]
    {
        let server = refusing(lines);
        let error = server.client(&auth(Password::new("u", "p"))).get(API).send().await.unwrap_err();
        assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::Declined, "{lines:?}");
    }
}

#[tokio::test]
async fn a_password_is_asked_for_once_and_only_after_a_challenge() {
    let prompts = Arc::new(AtomicUsize::new(0));
    let count = prompts.clone();
    let ask = move |context: RefreshContext| {
        count.fetch_add(1, Ordering::SeqCst);
        let realm = context.realm().map(|realm| realm.into_owned());
        async move { Ok::<_, BoxError>(realm.map(|realm| UserPassword::new(realm, "p"))) }
    };
    let server = refusing(&["Basic realm=\"alice\""]);
    let client = server.client(&auth(Password::from_fn(ask)));
    for _ in 0..3 {
        client.get(API).send().await.unwrap();
    }
    assert_eq!((prompts.load(Ordering::SeqCst), server.sends()), (1, 4));
    assert_eq!(server.requests()[1].credential(), Some("Basic YWxpY2U6cA=="));
}

#[tokio::test]
async fn a_challenge_below_the_minimum_strength_is_declined() {
    let server = refusing(&["Basic realm=\"a\""]);
    let password = Password::new("u", "p").at_least(Strength::DigestMd5);
    let error = server.client(&auth(password)).get(API).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::Declined);
    let shown = format!("{:?}", Password::new("hunter2", "hunter2"));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn the_strongest_digest_is_answered_and_a_later_downgrade_to_basic_is_denied() {
    let md5 = "Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=MD5";
    let sha = "Digest realm=\"a\", nonce=\"n\", qop=\"auth-int, auth\", algorithm=SHA-512-256";
    let downgrade = Script::new(move |arrived, number| match (number, arrived.credential()) {
        (0, None) => Answer::unauthorized(["Basic realm=\"a\"", md5, SHA256, sha, SHA256]),
        (1, Some(_)) => status(200),
        _ => Answer::unauthorized(["Basic realm=\"a\""]),
    });
    let client = downgrade.client(&auth(Password::new("u", "hunter2")));
    client.get(API).send().await.unwrap();
    assert_eq!(param(&downgrade.requests()[1], "algorithm").as_deref(), Some("SHA-512-256"));
    assert_eq!(param(&downgrade.requests()[1], "qop").as_deref(), Some("auth"));
    let error = client.get(API).send().await.unwrap_err();
    let refused = Unauthorized::find(&error).unwrap();
    let kind = RefreshErrorKind::Denied { reason: DeniedReason::Other, code: "downgrade".to_owned() };
    assert_eq!(refused.refresh_error().unwrap().kind(), &kind);
    assert!(downgrade.requests().iter().all(|arrived| !arrived.credential().unwrap_or("").starts_with("Basic")));
}

#[tokio::test]
async fn an_invalidated_password_is_not_sent_before_the_next_challenge() {
    let server = refusing(&["Basic realm=\"a\""]);
    let auth = auth(Password::new("u", "p"));
    let client = server.client(&auth);
    let response = client.get(API).send().await.unwrap();
    assert!(auth.session().invalidate(&reqwest_challenge::AuthReport::of(&response)));
    assert_eq!(client.get(API).send().await.unwrap().status(), 200);
    assert_eq!(server.sends(), 4);
}
