//! The initial call: the middleware asks the refresher for a first credential once in each epoch.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use reqwest_challenge::{
    ChallengeMiddleware, Credential, Error, Refresh, RefreshContext, RefreshError, RefreshErrorKind,
};

use crate::sessions::{auth, refresh_kind, with_t0};
use crate::support::fake::Fake;
use crate::support::script::{API, Script};

#[tokio::test]
async fn the_first_requests_share_one_initial_call() {
    let (server, fake) = (Script::accepting("t0"), with_t0());
    let client = server.client(&auth(&fake));
    let calls: Vec<_> = (0..50).map(|_| tokio::spawn(client.get(API).send())).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!((server.sends(), fake.initial_calls(), fake.calls()), (50, 1, 0));
}

#[tokio::test]
async fn a_failed_initial_call_is_an_error_and_nothing_is_sent() {
    let (server, fake) = (Script::accepting("t0"), Fake::new().with_initial(Err("the store is locked".into())));
    let client = server.client(&auth(&fake));
    let error = client.get(API).send().await.unwrap_err();
    assert!(matches!(Error::find(&error), Some(Error::Refresh(_))));
    assert!(format!("{:#}", anyhow::Error::from(error)).contains("the store is locked"));
    assert_eq!((server.sends(), fake.initial_calls()), (0, 1));
}

/// A refresher whose first initial call hangs or panics.
struct FailsOnce {
    panics: bool,
    calls: AtomicUsize,
}

#[async_trait]
impl Refresh for FailsOnce {
    async fn refresh(&self, _: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        Ok(None)
    }

    async fn initial(&self, _context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        // Lets all callers arrive.
        tokio::task::yield_now().await;
        match (self.calls.fetch_add(1, Ordering::SeqCst), self.panics) {
            (0, true) => panic!("the store panics"),
            (0, false) => std::future::pending().await,
            _ => Ok(Some(Credential::bearer("t0"))),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_initial_call_that_hangs_or_panics_is_an_error_and_the_next_request_repeats_it() {
    for (panics, wanted) in [(true, RefreshErrorKind::Panicked), (false, RefreshErrorKind::TimedOut)] {
        let server = Script::accepting("t0");
        let auth = ChallengeMiddleware::new(API, FailsOnce { panics, calls: Default::default() }).unwrap();
        let client = server.client(&auth);
        let calls: Vec<_> = (0..5).map(|_| tokio::spawn(client.get(API).send())).collect();
        for call in calls {
            let error = call.await.unwrap().unwrap_err();
            assert_eq!(refresh_kind(Error::find(&error).unwrap()), wanted);
        }
        assert_eq!(server.sends(), 0);
        assert_eq!(client.get(API).send().await.unwrap().status(), 200);
    }
}
