//! The context that `forget` receives.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest_challenge::{
    ChallengeMiddleware, Credential, Refresh, RefreshContext, RefreshError, RefreshErrorKind, RefreshReason, Session,
    async_trait,
};

use crate::support::fake::until;
use crate::support::script::{API, Gate, Script, challenged, challenged_with, status};

/// What a refresher sees when it forgets a credential.
#[derive(Debug, PartialEq)]
struct Forgotten {
    reason: RefreshReason,
    token: Option<String>,
    slot: Option<String>,
    has_client: bool,
    is_awaited: bool,
}

/// A refresher whose tokens are the paths of the requests, and whose `forget` waits for the gate.
struct Recorder {
    gate: Gate,
    forgotten: Mutex<Vec<Forgotten>>,
}

impl Recorder {
    fn new(gate: Gate) -> Arc<Self> {
        Arc::new(Self { gate, forgotten: Mutex::default() })
    }

    fn forgotten(&self) -> Vec<Forgotten> {
        let mut all = std::mem::take(&mut *self.forgotten.lock().unwrap());
        all.sort_by(|one, other| one.token.cmp(&other.token));
        all
    }
}

#[async_trait]
impl Refresh for Recorder {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        Ok(Some(Credential::bearer(context.url().map_or("login", |url| &url.path()[1..]))))
    }

    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        self.gate.pass().await;
        let token = context.credential().and_then(Credential::token).map(|token| token.expose().to_owned());
        self.forgotten.lock().unwrap().push(Forgotten {
            reason: context.reason(),
            token,
            slot: context.partition().or(context.resource()).map(str::to_owned),
            has_client: context.http_client().is_ok(),
            is_awaited: context.is_awaited(),
        });
        Ok(())
    }
}

fn at_logout(token: Option<&str>, slot: Option<&str>) -> Forgotten {
    let (token, slot) = (token.map(str::to_owned), slot.map(str::to_owned));
    Forgotten { reason: RefreshReason::Logout, token, slot, has_client: true, is_awaited: true }
}

fn open() -> Gate {
    let gate = Gate::closed();
    gate.open();
    gate
}

async fn log_out_soon(session: Session) {
    let _ = tokio::time::timeout(Duration::ZERO, session.logout()).await;
}

#[tokio::test]
async fn the_context_of_a_logout_names_the_partition_of_each_credential() {
    let server = Script::new(|arrived, _| if arrived.token().is_empty() { challenged() } else { status(200) });
    let recorder = Recorder::new(open());
    let auth = ChallengeMiddleware::builder(API, recorder.clone());
    let auth = auth.partition_by(|_, url| url.path()[1..].to_owned()).build().unwrap();
    for partition in ["a", "b"] {
        server.client(&auth).get(format!("{API}/{partition}")).send().await.unwrap();
    }
    auth.session().logout().await.unwrap();
    let expected = [at_logout(None, None), at_logout(Some("a"), Some("a")), at_logout(Some("b"), Some("b"))];
    assert_eq!(recorder.forgotten(), expected);
}

#[tokio::test]
async fn the_context_of_a_logout_names_the_resource_of_each_credential() {
    let metadata = |path: &str| format!("{API}/.well-known/oauth-protected-resource/{path}");
    let server = Script::new(move |arrived, _| {
        let path = arrived.path()[1..].to_owned();
        let challenge = format!("Bearer resource_metadata=\"{}\"", metadata(&path));
        if arrived.token() == path { status(200) } else { challenged_with(&challenge) }
    });
    let recorder = Recorder::new(open());
    let auth = ChallengeMiddleware::new(API, recorder.clone()).unwrap();
    for path in ["one", "two"] {
        server.client(&auth).get(format!("{API}/{path}")).send().await.unwrap();
    }
    auth.session().logout().await.unwrap();
    let expected = [at_logout(Some("one"), None), at_logout(Some("two"), Some(&*metadata("two")))];
    assert_eq!(recorder.forgotten(), expected);
}

#[tokio::test]
async fn a_context_that_is_kept_does_not_keep_its_session() {
    let kept = Arc::new(Mutex::new(None));
    let keep = kept.clone();
    let auth = ChallengeMiddleware::new(API, move |context: RefreshContext| {
        *keep.lock().unwrap() = Some(context);
        std::future::ready(Ok::<_, std::io::Error>(Credential::bearer("t1")))
    });
    let auth = auth.unwrap();
    auth.session().login().await.unwrap();
    let context: RefreshContext = kept.lock().unwrap().take().unwrap();
    assert!(context.http_client().is_ok() && !context.is_awaited());
    drop(auth);
    assert_eq!(context.http_client().unwrap_err().kind(), &RefreshErrorKind::Gone);
    assert!(!context.is_awaited());
    context.abandoned().await;
}

#[tokio::test]
async fn a_logout_that_outlives_the_middleware_still_has_its_http_client() {
    let gate = Gate::closed();
    let recorder = Recorder::new(gate.clone());
    let auth = ChallengeMiddleware::builder(API, recorder.clone());
    let auth = auth.initial_credential(Credential::bearer("t0")).build().unwrap();
    log_out_soon(auth.session()).await;
    drop(auth);
    gate.open();
    until(|| !recorder.forgotten.lock().unwrap().is_empty()).await;
    // The caller of the logout has stopped waiting.
    assert_eq!(recorder.forgotten(), [Forgotten { is_awaited: false, ..at_logout(Some("t0"), None) }]);
}
