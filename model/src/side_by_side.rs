//! The scenarios in which several operations of one session run side by side: logins, logouts, partitions, and the credentials
//! that clients other than the middleware request.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use shuttle::future::{JoinHandle, block_on, spawn};
use shuttle::sync::Arc;

use crate::harness::{AT_LOGIN, Name, Session, at_login, callers, slot_of};
use crate::session::flight_request::{FlightRequest, NoCredential};
use crate::session::slot::{Held, RenewalTimes, Stage};
use crate::session::state::State;
use crate::session::step::Outcome;

/// A session that holds the credential of an identity.
fn logged_in(fails: bool) -> Arc<Session> {
    let session = Session::new(fails);
    session.change(|state| state.begin(100 << 8, RenewalTimes::default()));
    session
}

/// Logs out, and returns how many credentials the logout forgets.
fn logout(session: &Arc<Session>) -> JoinHandle<usize> {
    let session = session.clone();
    spawn(async move {
        let former = session.change(State::logout).unwrap_or_default();
        former.iter().filter(|(_, credential)| credential.is_some()).count()
    })
}

fn login(session: &Arc<Session>) -> JoinHandle<Outcome<u64, &'static str, u8>> {
    let session = session.clone();
    spawn(async move { session.login().await })
}

fn is_of_login(held: &Held<u64, u8>) -> bool {
    held.obtained_at == Some(at_login())
}

/// A login beside renewals of the main slot and of a partition. No call of the old identity gets a credential of the new one,
/// and no partition keeps a credential of the old one.
pub(crate) fn login_beside_partitions() {
    block_on(async {
        let session = logged_in(false);
        let old = session.held().epoch;
        let requests = [session.request(0), session.request_in(1, 0), session.request_in(1, 0)];
        let callers = callers(&session, requests);
        let login = login(&session);
        for caller in callers {
            match caller.await.expect("it ends") {
                Ok(held) => assert!(held.epoch == old && !is_of_login(&held), "{held:?}"),
                Err(ended) => assert_eq!(ended, NoCredential::SessionChanged),
            }
        }
        let new = login.await.expect("it ends").expect("it is logged in");
        session.wait_until_saved().await;
        assert!(is_of_login(&new) && new.epoch > old);
        for slot in [0, 1] {
            let held = session.request_in(slot, 0);
            assert_eq!((held.epoch, held.generation), (new.epoch, new.generation), "slot {slot}");
        }
    });
}

/// Two logins share one refresh. A renewal beside them does not end the login.
pub(crate) fn two_logins() {
    block_on(async {
        let session = logged_in(false);
        let [renewal] = callers(&session, [session.request(0)]);
        let logins = [login(&session), login(&session)];
        let mut generations = Vec::new();
        for login in logins {
            generations.push(login.await.expect("it ends").expect("it is logged in").generation);
        }
        let _ = renewal.await.expect("it ends");
        session.wait_until_saved().await;
        let held = session.held();
        assert!(is_of_login(&held));
        // The second login joins the first one, or begins after its end.
        assert!(generations.contains(&held.generation));
        let is_shared = generations[0] == generations[1];
        assert!(session.refreshes.load(Ordering::SeqCst) <= if is_shared { 2 } else { 3 });
    });
}

/// A failed login beside a renewal changes nothing: the renewal gets a credential of the identity that is held.
pub(crate) fn failed_login() {
    block_on(async {
        let session = logged_in(true);
        let old = session.held();
        // The refresher fails once, so the renewal begins after the login has failed.
        assert_eq!(session.login().await.err(), Some(NoCredential::Failed("down")));
        let requests = [session.request(0), session.request(0)];
        let again = login(&session);
        for caller in callers(&session, requests) {
            match caller.await.expect("it ends") {
                Ok(held) => assert!(held.epoch == old.epoch && held.generation > old.generation),
                Err(ended) => assert_eq!(ended, NoCredential::SessionChanged),
            }
        }
        assert!(is_of_login(&again.await.expect("it ends").expect("it is logged in")));
        session.wait_until_saved().await;
        assert_eq!(session.held().epoch, old.epoch + 1);
    });
}

/// A login beside a logout. Whichever is last wins, and no credential of an earlier epoch is held afterwards.
pub(crate) fn login_beside_logout() {
    block_on(async {
        let session = logged_in(false);
        let (login, logout) = (login(&session), logout(&session));
        let outcome = login.await.expect("it ends");
        let forgotten = logout.await.expect("it ends");
        session.wait_until_saved().await;
        let held = session.held();
        match outcome {
            Err(ended) => {
                assert_eq!(ended, NoCredential::LoggedOut);
                assert_eq!((held.stage, held.credential), (Stage::LoggedOut, None));
                assert_eq!(session.forgotten.load(Ordering::SeqCst), 1, "the credential arrives after the logout");
            }
            Ok(new) if held.stage == Stage::LoggedOut => {
                assert!(is_of_login(&new) && held.credential.is_none() && held.epoch > new.epoch);
            }
            Ok(new) => assert_eq!((held.generation, held.credential), (new.generation, new.credential)),
        }
        assert_eq!(forgotten, 1, "the logout forgets what was held");
    });
}

/// Renewals of three slots beside a logout. Each credential that was obtained is forgotten once: by the logout, or on its
/// arrival.
pub(crate) fn logout_forgets_all() {
    block_on(async {
        let session = Session::new(false);
        let requests = [session.request(0), session.request_in(1, 0), session.request_in(2, 0)];
        let callers = callers(&session, requests);
        let logout = logout(&session);
        for caller in callers {
            if let Err(ended) = caller.await.expect("it ends") {
                assert_eq!(ended, NoCredential::LoggedOut);
            }
        }
        let forgotten = logout.await.expect("it ends");
        session.wait_until_saved().await;
        let late = session.forgotten.load(Ordering::SeqCst);
        assert_eq!(forgotten + late, session.refreshes.load(Ordering::SeqCst));
        for slot in 0..3 {
            assert_eq!(session.request_in(slot, 0).generation, 0, "slot {slot}");
        }
    });
}

/// Three partitions in a session with room for one. Each caller gets a credential of the caller's partition, and a partition with
/// a flight stays.
pub(crate) fn partitions_without_room() {
    block_on(async {
        let session = Session::with_slots(1, false);
        let slots = [1, 1, 2, AT_LOGIN.0];
        for (caller, slot) in callers(&session, slots.map(|slot| session.request_in(slot, 0))).into_iter().zip(slots) {
            let held = caller.await.expect("it ends").expect("there is one");
            assert_eq!(held.credential.map(slot_of), Some(slot));
        }
        session.wait_until_saved().await;
        // The second caller of the first partition may find that its slot was removed.
        assert!((3..=4).contains(&session.refreshes.load(Ordering::SeqCst)));
    });
}

/// The request of a client other than the middleware, for a credential that is newer than this one.
fn newer_than(held: &Held<u64, u8>, session: &Session) -> FlightRequest<u8, Name> {
    FlightRequest { epoch: held.epoch, generation: held.generation, failures: held.failures, ..session.request(0) }
}

/// As `Session::fresh_after`: reports the refusal, and requests a newer credential.
async fn fresh_after(session: &Arc<Session>, refused: &Held<u64, u8>) -> Outcome<u64, &'static str, u8> {
    let _ = session.change(|state| state.refused(refused.epoch, refused.generation, SystemTime::UNIX_EPOCH));
    session.renew(&newer_than(refused, session)).await
}

/// Two clients whose credential was refused, and a renewal before a send of the same credential, as `Session::fresh` requests
/// it when it is due. They share one refresh, and no one gets the refused credential.
pub(crate) fn fresh() {
    block_on(async {
        let session = logged_in(false);
        let held = session.held();
        let after = [(); 2].map(|()| {
            let (session, held) = (session.clone(), held.clone());
            spawn(async move { fresh_after(&session, &held).await })
        });
        let due = FlightRequest { is_early: true, ..newer_than(&held, &session) };
        for caller in after.into_iter().chain(callers(&session, [due])) {
            assert!(caller.await.expect("it ends").expect("there is one").generation > held.generation);
        }
        session.wait_until_saved().await;
        assert_eq!(session.refreshes.load(Ordering::SeqCst), 1);
    });
}

/// Two clients and a logout. After the logout no client gets a credential, and no refresh begins.
pub(crate) fn fresh_beside_logout() {
    block_on(async {
        let session = logged_in(false);
        let held = session.held();
        let clients = [(); 2].map(|()| {
            let (session, held) = (session.clone(), held.clone());
            spawn(async move {
                let first = fresh_after(&session, &held).await?;
                fresh_after(&session, &first).await
            })
        });
        let logout = logout(&session);
        for client in clients {
            match client.await.expect("it ends") {
                Ok(newer) => assert_eq!(newer.epoch, held.epoch),
                Err(ended) => assert_eq!(ended, NoCredential::LoggedOut),
            }
        }
        logout.await.expect("it ends");
        session.wait_until_saved().await;
        assert_eq!((session.held().credential, session.held().stage), (None, Stage::LoggedOut));
        assert!(session.refreshes.load(Ordering::SeqCst) <= 2);
    });
}

/// Three clients in a loop against a server that refuses each credential. A refresh begins only after the credential that it
/// replaces was counted, so the budget holds exactly.
pub(crate) fn fresh_in_a_loop() {
    block_on(async {
        let session = logged_in(false);
        let clients = [(); 3].map(|()| {
            let session = session.clone();
            spawn(async move {
                let mut held = session.held();
                for _ in 0..5 {
                    match fresh_after(&session, &held).await {
                        Ok(newer) => held = newer,
                        Err(ended) => return assert_eq!(ended, NoCredential::BudgetExhausted),
                    }
                }
                panic!("the loop has no end");
            })
        });
        for client in clients {
            client.await.expect("it ends");
        }
        session.wait_until_saved().await;
        assert_eq!(session.refreshes.load(Ordering::SeqCst), 3);
    });
}
