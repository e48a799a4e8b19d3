//! `FirstOf`: several refreshers. The one for the strongest challenge is called.

use std::time::Duration;

use reqwest_challenge::{
    ChallengeMiddleware, Credential, FirstOf, Refresh, RefreshContext, RefreshContextBuilder, RefreshError,
    RefreshErrorKind, RefreshReason, Unauthorized, UnauthorizedReason,
};
use reqwest_challenge_testing::{Answer, RecordingRefresher, Script};

use crate::support::script::API;

/// A refresher that returns a token of that name.
fn gives(name: &'static str) -> RecordingRefresher {
    RecordingRefresher::answering(move |_, _| Ok(Some(Credential::bearer(name))))
}

/// The context of a call to `initial` or `forget`.
fn context_for(reason: RefreshReason, credential: Option<Credential>) -> RefreshContext {
    let context = RefreshContext::builder(API).reason(reason);
    credential.into_iter().fold(context, RefreshContextBuilder::credential).build().unwrap()
}

fn context(lines: &[&str]) -> RefreshContext {
    lines.iter().fold(RefreshContext::builder(API), |all, line| all.challenge(line)).build().unwrap()
}

async fn chosen(first: &FirstOf, lines: &[&str]) -> Option<Credential> {
    first.refresh(context(lines)).await.unwrap()
}

const MD5: &str = "Digest realm=\"a\", nonce=\"n\", qop=\"auth\"";
const SHA: &str = "Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=sha-256-sess";

#[tokio::test]
async fn the_strongest_challenge_is_answered_at_any_position() {
    let first = FirstOf::new().answering(["Basic"], gives("basic")).answering(["digest"], gives("digest"));
    let first = first.answering(["Bearer"], gives("bearer")).answering(["DPoP"], gives("dpop"));
    for (lines, wanted) in [
        (&["Basic realm=\"a\"", "Bearer realm=\"a\"", "DPoP algs=\"ES256\""][..], "dpop"),
        (&["Negotiate, Basic realm=\"a\", bearer realm=\"b\""], "bearer"),
        (&["Basic realm=\"a\"", MD5], "digest"),
        (&["Basic realm=\"a\""], "basic"),
        // There is no challenge, so all refreshers are called in order.
        (&[], "basic"),
    ] {
        assert_eq!(chosen(&first, lines).await, Some(Credential::bearer(wanted)), "{lines:?}");
    }
    assert_eq!(chosen(&first, &["Negotiate"]).await, None);
}

#[tokio::test]
async fn in_order_changes_the_order_and_distinguishes_algorithms() {
    let first = FirstOf::new().answering(["Bearer"], gives("bearer")).answering(["Digest"], gives("digest"));
    let first = first.in_order(["Digest SHA-256", "Bearer", "Digest MD5"]);
    assert_eq!(chosen(&first, &["Bearer realm=\"a\"", SHA]).await, Some(Credential::bearer("digest")));
    assert_eq!(chosen(&first, &[MD5, "Bearer realm=\"a\""]).await, Some(Credential::bearer("bearer")));
}

#[tokio::test]
async fn a_refresher_that_declines_passes_on_and_the_error_of_one_that_fails_names_its_challenge() {
    let lines = &["Bearer realm=\"a\", Basic realm=\"b\""];
    let declines = RecordingRefresher::declining();
    let first = FirstOf::new().answering(["Bearer"], declines.clone()).answering(["Basic"], gives("basic"));
    assert_eq!(chosen(&first, lines).await, Some(Credential::bearer("basic")));
    assert_eq!(declines.calls(), 1);

    let (down, other) =
        (RecordingRefresher::failing(RefreshError::credential_revoked("invalid_grant")), gives("basic"));
    let first = FirstOf::new().answering(["Bearer"], down).answering(["Basic"], other.clone());
    let server = Script::always(Answer::unauthorized(lines.iter().copied()));
    let auth = ChallengeMiddleware::new(API, first).unwrap();
    let error = server.client(&auth).get(API).send().await.unwrap_err();
    let refused = Unauthorized::find(&error).unwrap();
    assert_eq!((refused.reason(), other.calls()), (UnauthorizedReason::RefreshFailed, 0));
    let kind = RefreshErrorKind::CredentialRevoked { code: "invalid_grant".to_owned() };
    assert_eq!(refused.refresh_error().unwrap().kind(), &kind);
    let shown = format!("{:#}", anyhow::Error::from(error));
    assert!(shown.contains("for the Bearer scheme"), "{shown}");
}

#[tokio::test]
async fn all_refreshers_forget_and_only_the_source_receives_the_credential() {
    let (one, two) = (gives("one").with_timeout(Duration::from_secs(300)), gives("two"));
    let first = FirstOf::new().answering(["Bearer"], one.clone()).answering(["Basic"], two.clone());
    assert_eq!(first.timeout(), Duration::from_secs(300));
    assert_eq!(first.initial(context_for(RefreshReason::Initial, None)).await, Ok(None));
    let credential = chosen(&first, &["Basic realm=\"a\""]).await;
    first.forget(context_for(RefreshReason::Logout, credential.clone())).await.unwrap();
    assert_eq!((one.forgotten(), two.forgotten()), (vec![None], vec![credential]));
    let stored = FirstOf::new()
        .answering(["Bearer"], gives("one"))
        .answering(["Basic"], gives("two").with_initial(Ok(Some(Credential::bearer("kept")))));
    assert_eq!(stored.initial(context_for(RefreshReason::Initial, None)).await, Ok(Some(Credential::bearer("kept"))));
}

#[tokio::test]
async fn first_of_passes_the_refresher_contract() {
    let make = || FirstOf::new().answering(["Bearer"], RecordingRefresher::new());
    reqwest_challenge_testing::refresher_contract(make).run().await.assert_passed();
}

#[tokio::test]
async fn a_refresher_receives_only_the_challenges_of_its_schemes() {
    let seen = gives("digest");
    let first = FirstOf::new().answering(["Digest"], seen.clone());
    chosen(&first, &["Basic realm=\"a\", bearer realm=\"b\"", MD5]).await;
    let contexts = seen.contexts();
    let schemes: Vec<_> = contexts[0].challenges().iter().map(|challenge| challenge.scheme().to_owned()).collect();
    assert_eq!((schemes, contexts[0].realm().as_deref()), (vec!["Digest".to_owned()], Some("a")));
}

#[tokio::test]
async fn a_credential_that_was_not_refused_is_renewed_by_its_source() {
    let (one, two) = (gives("one"), gives("two"));
    let first = FirstOf::new().answering(["Bearer"], one.clone()).answering(["Basic"], two.clone());
    let held = chosen(&first, &["Basic realm=\"a\""]).await.unwrap();
    first.refresh(RefreshContext::builder(API).credential(held).build().unwrap()).await.unwrap();
    assert_eq!((one.calls(), two.calls()), (0, 2));
}
