//! A process is stopped during a renewal: logins and logouts of other processes do not wait for it.

use std::time::Duration;

use reqwest_challenge::{Credential, Forbidden, RefreshErrorKind};
use reqwest_challenge_login::store::{MemoryStore, Stored};
use reqwest_challenge_testing::{Gate, RecordingRefresher};
use tokio::time::Instant;

use crate::stores::{another_saves, client, gives, stored, takes};
use crate::support::folder::key;
use crate::support::script::{API, Script, respond};

/// A renewal from `t1` to `t2` that holds the store's lock until the gate opens, and its outcome.
async fn renews(
    store: &MemoryStore,
    gate: &Gate,
) -> (RecordingRefresher, tokio::task::JoinHandle<Result<u16, reqwest_middleware::Error>>) {
    let ours = gives("t2").hold_until(gate);
    let (run, _) = client(&takes("n1"), Stored::new(ours.clone(), store.clone(), key()));
    let renewing = tokio::spawn(async move { run.get(API).send().await.map(|answer| answer.status().as_u16()) });
    gate.reached_by(1).await;
    (ours, renewing)
}

/// Longer than a user waits for a command.
const LONG: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn a_login_does_not_wait_for_a_stopped_process_and_stays_after_that_process_continues() {
    let (store, gate) = (MemoryStore::new(), Gate::closed());
    another_saves(&store, "t1").await;
    let (_, renewing) = renews(&store, &gate).await;
    let began = Instant::now();
    let (_, session) = client(&takes("n1"), Stored::new(gives("n1"), store.clone(), key()));
    session.login().await.unwrap();
    assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
    assert!(stored(&store).await.unwrap().contains("renews n1"));
    gate.open();
    assert_eq!(renewing.await.unwrap().unwrap(), 200, "the renewal uses the credential of the login");
    assert!(stored(&store).await.unwrap().contains("renews n1"));
}

#[tokio::test(start_paused = true)]
async fn a_step_up_does_not_wait_for_a_stopped_process_and_stays_after_that_process_continues() {
    let (store, gate) = (MemoryStore::new(), Gate::closed());
    another_saves(&store, "t1").await;
    let (_, renewing) = renews(&store, &gate).await;
    let wants_more = Script::new(|_, _| {
        respond(403, &[("www-authenticate", "Bearer error=\"insufficient_scope\", scope=\"write\"")], "")
    });
    let asks = RecordingRefresher::answering(|_, _| {
        Ok(Some(Credential::bearer("n1").with_scopes(["write"]).with_attachment("renews n1")))
    });
    let (run, session) = client(&wants_more, Stored::new(asks, store.clone(), key()));
    let error = run.get(API).send().await.unwrap_err();
    let began = Instant::now();
    session.step_up(Forbidden::find(&error).unwrap()).await.unwrap();
    assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
    assert!(stored(&store).await.unwrap().contains("renews n1"));
    gate.open();
    let _ = renewing.await.unwrap();
    assert!(stored(&store).await.unwrap().contains("renews n1"));
}

#[tokio::test(start_paused = true)]
async fn a_logout_does_not_wait_for_a_stopped_process_and_stays_after_that_process_continues() {
    let (store, gate) = (MemoryStore::new(), Gate::closed());
    another_saves(&store, "t1").await;
    let (theirs, renewing) = renews(&store, &gate).await;
    let began = Instant::now();
    let ours = gives("never");
    let (run, session) = client(&takes("t1"), Stored::new(ours.clone(), store.clone(), key()));
    run.get(API).send().await.unwrap();
    session.logout().await.unwrap();
    assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
    assert_eq!((stored(&store).await, ours.forgotten().len(), ours.calls()), (None, 1, 0));
    gate.open();
    let error = renewing.await.unwrap().unwrap_err();
    let kind = reqwest_challenge::RefreshError::find(&error).unwrap().kind().clone();
    assert!(matches!(kind, RefreshErrorKind::LoginRequired { .. }), "{error:?}");
    let forgotten: Vec<_> = theirs.forgotten().into_iter().flatten().collect();
    assert_eq!((stored(&store).await, forgotten), (None, vec![Credential::bearer("t2")]), "its new token is revoked");
}

#[cfg(all(unix, feature = "oauth"))]
mod processes {
    use std::process::Command;

    use reqwest_challenge_login::store::FileStore;
    use reqwest_challenge_testing::Failure;

    use super::*;
    use crate::store_full_disks::{FREE_DISK, World};

    fn signal(name: &str, process: u32) {
        assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_process_that_is_stopped_with_sigstop_during_a_renewal_blocks_no_logout_and_no_login() {
        for logs_in in [false, true] {
            let (world, gate) = (World::new().await, Gate::closed());
            world.api.tokens().expire_all();
            world.provider.fail_next(Failure::Hang(gate.clone()));
            let mut tool = world.tool(FREE_DISK);
            tool.say("get");
            gate.reached_by(1).await;
            signal("-STOP", tool.child.id());
            assert_eq!(world.does(FREE_DISK, "logout"), "logged out");
            let store = FileStore::new(world.folder.file());
            if logs_in {
                let login = Stored::new(gives("n1"), store.clone(), key());
                let (_, session) = client(&takes("n1"), login);
                session.login().await.unwrap();
            }
            gate.open();
            signal("-CONT", tool.child.id());
            let said = tool.hear();
            assert!(said.starts_with("401"), "{said}");
            assert_eq!(stored(&store).await.is_some(), logs_in, "{said}");
            assert!(!world.text().contains("refresh_token"), "nothing of the renewal is stored");
        }
    }
}
