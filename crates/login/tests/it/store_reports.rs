//! A store reports to the session each save that fails, and each deletion that fails.

use std::sync::{Arc, Mutex};

use reqwest_challenge::{
    Authorize, BoxError, ChallengeMiddleware, Credential, Event, Refresh, RefreshError, RefreshReason, Session,
    async_trait, reqwest::Request,
};
use reqwest_challenge_login::store::{MemoryStore, Stored};
use reqwest_challenge_testing::RecordingRefresher;
use reqwest_middleware::ClientWithMiddleware;

use crate::store_failures::Disk;
use crate::stores::{another_saves, gives, takes};
use crate::support::folder::key;
use crate::support::script::{API, Script};

type Reports = Arc<Mutex<Vec<(RefreshReason, String)>>>;

/// A client, and the failed saves that its session reports.
fn reporting(server: &Script, refresher: impl Refresh) -> (ClientWithMiddleware, Session, Reports) {
    let reports = Reports::default();
    let seen = reports.clone();
    let auth = ChallengeMiddleware::builder(API, refresher).on_event(move |event| {
        if let Event::SaveFailed { reason, error, .. } = event {
            seen.lock().unwrap().push((*reason, error.clone()));
        }
    });
    let auth = auth.build().unwrap();
    (server.client(&auth), auth.session(), reports)
}

fn reasons(reports: &Reports) -> Vec<RefreshReason> {
    reports.lock().unwrap().drain(..).map(|(reason, _)| reason).collect()
}

#[tokio::test]
async fn each_credential_that_is_not_saved_is_reported_with_its_reason() {
    let (disk, server) = (Disk::default(), takes("t1"));
    let (run, session, reports) = reporting(&server, Stored::new(gives("t1"), disk.clone(), key()));
    disk.full(true);
    run.get(API).send().await.unwrap();
    assert_eq!(reports.lock().unwrap().len(), 1);
    let error = reports.lock().unwrap()[0].1.clone();
    assert!(error.contains("9 octets, but the limit of the store is 8"), "{error}");
    assert_eq!(reasons(&reports), [RefreshReason::Challenged]);
    // The next refresh first tries to save the old credential, and then the new one.
    session.login().await.unwrap();
    assert_eq!(reasons(&reports), [RefreshReason::Login; 2]);
    disk.full(false);
    session.login().await.unwrap();
    assert_eq!(reasons(&reports), []);
}

#[tokio::test]
async fn a_stored_credential_that_cannot_be_deleted_is_reported() {
    let (disk, server) = (Disk::default(), takes("never"));
    another_saves(&disk.inner, "t1").await;
    let revoked = RecordingRefresher::failing(RefreshError::credential_revoked("invalid_grant"));
    let (run, session, reports) = reporting(&server, Stored::new(revoked, disk.clone(), key()));
    disk.full(true);
    run.get(API).send().await.unwrap_err();
    assert_eq!(reasons(&reports), [RefreshReason::Challenged]);
    session.logout().await.unwrap_err();
    assert_eq!(reasons(&reports), [RefreshReason::Logout]);
}

/// A scheme whose credential has no text to store.
#[derive(Debug)]
struct Unstorable;

#[async_trait]
impl Authorize for Unstorable {
    fn scheme(&self) -> &str {
        "Odd"
    }

    async fn authorize(&self, request: &mut Request, _: std::time::SystemTime) -> Result<(), BoxError> {
        request.headers_mut().insert("authorization", "Bearer odd".parse()?);
        Ok(())
    }
}

#[tokio::test]
async fn a_credential_that_cannot_be_stored_is_reported() {
    let odd = RecordingRefresher::answering(|_, _| Ok(Some(Credential::custom(Unstorable))));
    let server = takes("odd");
    let (run, _, reports) = reporting(&server, Stored::new(odd, MemoryStore::new(), key()));
    run.get(API).send().await.unwrap();
    assert_eq!(reasons(&reports), [RefreshReason::Challenged]);
}
