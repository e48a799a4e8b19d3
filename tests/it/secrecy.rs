//! Errors, `Debug` output and traces print no secret, even if a server echoes it.

use reqwest_challenge::support::Masker;
use reqwest_challenge::{ChallengeMiddleware, Credential, RefreshContext, RefreshReason, Secret, UserPassword};

use crate::support::fake::Fake;
use crate::support::script::{API, Script, respond};
use crate::support::traced;

const SECRETS: [&str; 4] = ["hunter2-first", "hunter2-second", "hunter2-attached", "hunter2-query"];

fn fake() -> Fake {
    Fake::answering(|_, _| Ok(Some(Credential::bearer(SECRETS[1]).with_attachment(Secret::new(SECRETS[2])))))
        .with_initial(Ok(Some(Credential::bearer(SECRETS[0]).with_attachment(SECRETS[2]))))
}

/// A server that echoes the credential in its challenge and in its body.
fn echo(code: u16) -> Script {
    Script::new(move |arrived, _| {
        let sent = arrived.header("authorization").unwrap_or_default().to_owned();
        let challenge = format!(
            "Bearer realm=\"{sent}\", error_description=\"bad: {sent}\", error=\"{sent}\", x={sent}:, {sent} a=b"
        );
        let body =
            serde_json::json!({ "error": sent, "detail": format!("you sent {sent}"), "title": sent }).to_string();
        respond(
            code,
            &[("www-authenticate", &challenge), ("content-type", "application/problem+json"), ("x-echo", &sent)],
            &body,
        )
    })
}

#[tokio::test]
async fn an_echoed_credential_is_masked_in_errors_and_traces() {
    traced::capture();
    for (code, own) in [(401, false), (401, true), (403, false), (403, true)] {
        let (server, fake) = (echo(code), fake());
        let auth = ChallengeMiddleware::new(API, fake.clone()).unwrap();
        let url = format!("https://api.example.com/?token={}", SECRETS[3]);
        let request = server.client(&auth).get(url);
        let request = if own { request.bearer_auth(SECRETS[0]) } else { request };
        let error = request.send().await.unwrap_err();
        let mut shown = format!("{error} {error:?} {error:#?} {auth:?} {:#?} {:?}", auth.session(), fake.contexts());
        if let Some(found) = reqwest_challenge::Error::find(&error) {
            shown += &format!("{found} {found:?}");
        }
        if let Some(refused) = reqwest_challenge::Unauthorized::find(&error) {
            shown += &format!(
                "{:?} {:?} {:?} {:?}",
                refused.message(),
                refused.error_code(),
                refused.report(),
                refused.problem()
            );
        }
        if let Some(denied) = reqwest_challenge::Forbidden::find(&error) {
            shown += &format!(
                "{:?} {:?} {:?} {:?}",
                denied.message(),
                denied.error_code(),
                denied.report(),
                denied.problem()
            );
        }
        shown += &format!("{:#}", anyhow::Error::from(error));
        assert!(shown.contains("you sent ***"), "{shown}");
        for secret in SECRETS {
            assert!(!shown.contains(secret), "{code}: {secret} in {shown}");
        }
    }
    let traced = traced::text();
    assert!(traced.contains("refresh"), "{traced}");
    for secret in SECRETS {
        assert!(!traced.contains(secret), "{secret} in {traced}");
    }
}

#[tokio::test]
async fn the_span_of_a_refresh_is_a_child_of_the_span_of_its_caller() {
    use tracing::Instrument;

    traced::capture();
    let server = Script::accepting(SECRETS[1]);
    let auth = ChallengeMiddleware::new(API, fake()).unwrap();
    let call = server.client(&auth).get(API).send();
    call.instrument(tracing::info_span!("my_command", run = 7)).await.unwrap();
    let traced = traced::text();
    let line = traced.lines().find(|line| line.contains("refreshed") && line.contains("Challenged")).expect(&traced);
    assert!(line.contains("my_command{run=7}:refresh{reason=Challenged"), "{line}");
    let closed = traced.lines().find(|line| line.contains("close") && line.contains("Challenged")).unwrap();
    for field in ["outcome=\"renewed\"", "duration_ms=", "waiters=1", "generation=2"] {
        assert!(closed.contains(field), "{field} in {closed}");
    }
    assert!(traced.contains("401 method=GET url=\"https://api.example.com/\" schemes=\"Bearer\""), "{traced}");
}

#[test]
fn types_that_hold_a_secret_do_not_print_it() {
    let header = Credential::header("x-api-key".parse().unwrap(), SECRETS[0]);
    let all = [Credential::bearer(SECRETS[0]).with_attachment(SECRETS[2]), Credential::basic("me", SECRETS[0]), header];
    let shown = format!("{all:?} {all:#?} {:?}", reqwest_challenge::CallOptions::new().identity(all[0].clone()));
    assert!(SECRETS.iter().all(|secret| !shown.contains(secret)), "{shown}");
}

#[test]
fn types_of_a_refresher_do_not_print_its_secrets() {
    let url = format!("https://{}:{0}@api.example.com/?token={}#{2}", SECRETS[0], SECRETS[1], SECRETS[2]);
    let credential = Credential::bearer(SECRETS[0]).with_scopes([SECRETS[0]]).with_attachment(SECRETS[3]);
    let builder = RefreshContext::builder(url).challenge("Bearer scope=\"read\"").credential(credential.clone());
    let mut masker = Masker::default();
    masker.add_credential(&credential);
    let mut shown = format!("{builder:?} {masker:?} {:?}", UserPassword::new("ann", SECRETS[1]));
    let context = builder.build().unwrap();
    shown +=
        &format!("{context:?} {context:#?} {:?}", context.clone().to_forget(RefreshReason::Logout, Some(credential)));
    assert!(SECRETS.iter().all(|secret| !shown.contains(secret)), "{shown}");
}

#[test]
fn the_error_for_an_invalid_header_text_names_its_position() {
    for (credential, wanted) in [
        (
            Credential::bearer("hunter2\nx"),
            "the token has a blank, a control character or a non-ASCII character (byte 7)",
        ),
        (Credential::bearer(""), "the token is empty"),
        (
            Credential::basic("a:b", "hunter2"),
            "the user name has a colon, but `Basic` ends a user name at its first colon (byte 1)",
        ),
        (Credential::basic("a", "hunter2\0"), "the password has a control character (byte 7)"),
        (
            Credential::header("x-api-key".parse().unwrap(), "hunter2é"),
            "the value has a control character or a non-ASCII character (byte 7)",
        ),
    ] {
        let error = credential.check().unwrap_err();
        assert_eq!(error.to_string(), wanted);
        assert!(!format!("{error:?} {credential:?}").contains("hunter2"));
    }
}

#[test]
fn the_error_for_a_token_with_its_scheme_says_to_leave_the_scheme_out() {
    for token in ["Bearer hunter2", "bearer hunter2", "BEARER hunter2\n"] {
        let error = Credential::bearer(token).check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the token has a blank, a control character or a non-ASCII character (byte 6): \
             do not write `Bearer ` in front of the token"
        );
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    for token in ["Basic hunter2", "Bearer\u{e9}hunter2", "Beare\u{e9} hunter2", " Bearer"] {
        assert!(!Credential::bearer(token).check().unwrap_err().to_string().contains("do not write"), "{token}");
    }
    assert_eq!(Credential::bearer("Bearerhunter2").check(), Ok(()));
}

#[test]
fn a_credential_error_has_a_kind() {
    use reqwest_challenge::CredentialErrorKind as Kind;
    let header = |value: &str| Credential::header("x-api-key".parse().unwrap(), value);
    for (credential, kind, byte) in [
        (Credential::bearer(""), Kind::EmptyToken, None),
        (Credential::bearer("a b"), Kind::TokenCharacter, Some(1)),
        (Credential::basic("a:b", "c"), Kind::UserNameColon, Some(1)),
        (Credential::basic("\n", "c"), Kind::UserNameCharacter, Some(0)),
        (Credential::basic("a", "c\0"), Kind::PasswordCharacter, Some(1)),
        (header("a\n"), Kind::HeaderCharacter, Some(1)),
    ] {
        let error = credential.check().unwrap_err();
        assert_eq!((error.kind(), error.byte()), (kind, byte));
        assert_eq!(error.is_token(), matches!(kind, Kind::EmptyToken | Kind::TokenCharacter));
        assert_eq!(error.is_user_name(), matches!(kind, Kind::UserNameColon | Kind::UserNameCharacter));
        assert_eq!(
            (error.is_password(), error.is_header()),
            (kind == Kind::PasswordCharacter, kind == Kind::HeaderCharacter)
        );
    }
}
