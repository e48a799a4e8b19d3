//! Prompts for a login while other processes with the same store need a credential.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{
    Credential, Refresh, RefreshContext, RefreshError, RefreshErrorKind, RefreshReason, Session, Unauthorized,
};
use reqwest_challenge_login::store::{Key, MemoryStore, Saved, Store, StoreError, StoreLock, Stored};
use reqwest_challenge_testing::{Gate, RecordingRefresher, until};
use reqwest_middleware::ClientWithMiddleware;
use tokio::time::Instant;

use crate::stores::{another_saves, client, gives, stored, takes};
use crate::support::folder::key;
use crate::support::script::API;

/// How long a process waits for another process.
const PATIENCE: Duration = Duration::from_secs(30);

/// A refresher that prompts. The user answers when the gate opens.
#[derive(Clone)]
struct Prompter {
    gate: Gate,
    token: &'static str,
    asked: Arc<AtomicUsize>,
}

/// An open gate: the user answers at once.
fn open() -> Gate {
    let gate = Gate::closed();
    gate.open();
    gate
}

impl Prompter {
    fn at(gate: &Gate, token: &'static str) -> Self {
        Self { gate: gate.clone(), token, asked: Arc::default() }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Refresh for Prompter {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        if let Some(credential) = context.before_prompt().await? {
            return Ok(Some(credential));
        }
        // A second call of the hook does no harm.
        assert_eq!(context.before_prompt().await?, None);
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.gate.pass().await;
        Ok(Some(Credential::bearer(self.token).with_attachment(format!("renews {}", self.token))))
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(300)
    }
}

/// For the store, each client is a process.
fn process(store: &MemoryStore, refresher: impl Refresh) -> (ClientWithMiddleware, Session) {
    client(&takes("typed"), Stored::new(refresher, store.clone(), key()))
}

/// A process that prompts after a 401. Its user has not answered.
async fn asks(store: &MemoryStore, gate: &Gate) -> tokio::task::JoinHandle<u16> {
    let (run, _) = process(store, Prompter::at(gate, "typed"));
    let asking = tokio::spawn(async move { run.get(API).send().await.unwrap().status().as_u16() });
    gate.reached_by(1).await;
    asking
}

#[tokio::test(start_paused = true)]
async fn a_process_without_a_user_fails_at_once_while_another_process_prompts() {
    let (store, gate) = (MemoryStore::new(), Gate::closed());
    let asking = asks(&store, &gate).await;
    let (run, _) = process(&store, RecordingRefresher::failing(RefreshError::login_required("run `tool login`")));
    let began = Instant::now();
    let error = run.get(API).send().await.unwrap_err();
    let kind = Unauthorized::find(&error).unwrap().refresh_error().unwrap().kind().clone();
    assert!(matches!(kind, RefreshErrorKind::LoginRequired { .. }), "{error:?}");
    assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
    gate.open();
    assert_eq!(asking.await.unwrap(), 200);
    // After the next 401, the process uses the other process's login.
    assert_eq!(run.get(API).send().await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn two_processes_prompt_the_user_once() {
    let (store, gate, heard) = (MemoryStore::new(), Gate::closed(), Arc::new(AtomicUsize::new(0)));
    let asking = asks(&store, &gate).await;
    let (other, hears) = (Prompter::at(&open(), "never"), heard.clone());
    let refresher = Stored::new(other.clone(), store.clone(), key()).on_waiting(move || {
        hears.fetch_add(1, Ordering::SeqCst);
    });
    let (run, session) = client(&takes("typed"), refresher);
    let waiting = tokio::spawn(async move { run.get(API).send().await.unwrap().status().as_u16() });
    until(|| heard.load(Ordering::SeqCst) == 1).await;
    // Neither process blocks a renewal.
    drop(store.lock(&key(), Duration::ZERO).await.unwrap());
    gate.open();
    assert_eq!((asking.await.unwrap(), waiting.await.unwrap(), other.asked()), (200, 200, 0));
    let held = session.credential().unwrap();
    assert_eq!((held.source(), held.attachment().unwrap().expose()), (Some("memory"), "renews typed"));
    assert!(stored(&store).await.unwrap().contains("renews typed"));
}

/// A refresher that gets the login of another process, which logs out at once.
struct Late(MemoryStore, Saved);

#[async_trait]
impl Refresh for Late {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        assert!(self.0.replace(&key(), None, &self.1).await.unwrap());
        let theirs = context.before_prompt().await?;
        assert!(theirs.is_some() && self.0.clear(&key(), &self.1).await.unwrap());
        Ok(theirs)
    }
}

#[tokio::test(start_paused = true)]
async fn the_login_of_another_process_is_not_saved_again() {
    let (store, other) = (MemoryStore::new(), MemoryStore::new());
    another_saves(&other, "typed").await;
    let theirs = other.load(&key()).await.unwrap().unwrap();
    let (run, _) = process(&store, Late(store.clone(), theirs));
    assert_eq!(run.get(API).send().await.unwrap().status(), 200);
    assert_eq!(stored(&store).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_has_waited_thirty_seconds_for_another_prompt_shows_its_own() {
    let (store, never) = (MemoryStore::new(), Gate::closed());
    let asking = asks(&store, &never).await;
    let other = Prompter::at(&open(), "typed");
    let (run, _) = process(&store, other.clone());
    let began = Instant::now();
    assert_eq!(run.get(API).send().await.unwrap().status(), 200);
    assert!(other.asked() == 1 && began.elapsed() >= PATIENCE && began.elapsed() < PATIENCE * 2);
    asking.abort();
}

#[tokio::test(start_paused = true)]
async fn an_explicit_login_prompts_at_once_while_another_process_prompts() {
    let (store, never) = (MemoryStore::new(), Gate::closed());
    let asking = asks(&store, &never).await;
    let (_, session) = process(&store, Prompter::at(&open(), "typed"));
    let began = Instant::now();
    session.login().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    asking.abort();
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_request_stops_waiting_for_another_prompt_and_shows_none() {
    let (store, never, heard) = (MemoryStore::new(), Gate::closed(), Gate::closed());
    let asking = asks(&store, &never).await;
    let (other, hears) = (Prompter::at(&never, "never"), heard.clone());
    let refresher = Stored::new(other.clone(), store.clone(), key()).on_waiting(move || hears.open());
    let (run, session) = client(&takes("typed"), refresher);
    let waiting = tokio::spawn(async move { run.get(API).send().await });
    heard.pass().await;
    waiting.abort();
    let began = Instant::now();
    assert!(session.wait_until_saved(PATIENCE).await);
    assert!(other.asked() == 0 && began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    asking.abort();
}

#[tokio::test(start_paused = true)]
async fn a_login_is_saved_even_if_another_process_logs_out_during_the_prompt() {
    for cause in [RefreshReason::Login, RefreshReason::Challenged] {
        let (store, gate) = (MemoryStore::new(), Gate::closed());
        another_saves(&store, "t1").await;
        let (run, session) = process(&store, Prompter::at(&gate, "typed"));
        let login = tokio::spawn(async move {
            match cause {
                RefreshReason::Login => session.login().await.map(drop).map_err(|error| error.to_string()),
                _ => run.get(API).send().await.map(drop).map_err(|error| error.to_string()),
            }
        });
        gate.reached_by(1).await;
        // The prompt blocks no other process, so another process logs out. The login is newer, and is saved.
        drop(store.lock(&key(), Duration::ZERO).await.unwrap());
        let before = store.load(&key()).await.unwrap().unwrap();
        assert!(store.clear(&key(), &before).await.unwrap());
        gate.open();
        login.await.unwrap().unwrap();
        assert!(stored(&store).await.unwrap().contains("renews typed"), "{cause:?}");
    }
}

/// A store that cannot be written and cannot be locked.
struct ReadOnly(MemoryStore);

#[async_trait]
impl Store for ReadOnly {
    fn name(&self) -> String {
        "read-only".to_owned()
    }

    async fn load(&self, key: &Key) -> Result<Option<Saved>, StoreError> {
        self.0.load(key).await
    }

    async fn replace(&self, _: &Key, _: Option<&Saved>, _: &Saved) -> Result<bool, StoreError> {
        Err(StoreError::TooLarge { size: 9, limit: 8 })
    }

    async fn clear(&self, _: &Key, _: &Saved) -> Result<bool, StoreError> {
        Err(StoreError::TooLarge { size: 9, limit: 8 })
    }

    async fn lock(&self, _: &Key, _: Duration) -> Result<StoreLock, StoreError> {
        Err(StoreError::TooLarge { size: 9, limit: 8 })
    }
}

async fn fails(refresher: impl Refresh) -> RefreshError {
    let (run, _) = client(&takes("t9"), refresher);
    let error = run.get(API).send().await.unwrap_err();
    Unauthorized::find(&error).unwrap().refresh_error().unwrap().clone()
}

fn is_of_store(error: &RefreshError) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(StoreError::TooLarge { .. }))
}

#[tokio::test]
async fn with_a_read_only_store_no_prompt_is_shown_and_no_stored_refresh_token_is_spent() {
    let store = MemoryStore::new();
    let requires = RecordingRefresher::failing(RefreshError::login_required("run `tool login`"));
    let why = fails(Stored::new(requires, ReadOnly(store.clone()), key())).await;
    assert!(matches!(why.kind(), RefreshErrorKind::LoginRequired { .. }), "{why:?}");
    let prompter = Prompter::at(&open(), "t9");
    let why = fails(Stored::new(prompter.clone(), ReadOnly(store.clone()), key())).await;
    assert!(prompter.asked() == 0 && is_of_store(&why), "{why:?}");
    // A credential that was obtained without a prompt is used, and the failed save is reported.
    let refresher = Arc::new(Stored::new(gives("t9"), ReadOnly(store.clone()), key()));
    let (run, _) = client(&takes("t9"), refresher.clone());
    assert_eq!(run.get(API).send().await.unwrap().status(), 200);
    assert!(refresher.save_error().is_some());
    // A stored refresh token is not presented: if it is valid only once, all processes would lose the login.
    another_saves(&store, "t1").await;
    let renews = gives("t9");
    let why = fails(Stored::new(renews.clone(), ReadOnly(store.clone()), key())).await;
    assert!(renews.calls() == 0 && is_of_store(&why), "{why:?}");
}
