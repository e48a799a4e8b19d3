//! The scenarios. Each one runs once per schedule, and its assertions must hold in every schedule.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use shuttle::future::{block_on, spawn};

use crate::harness::{Session, at_login, callers, dropped_caller};
use crate::session::flight_request::{FlightRequest, NoCredential, Purpose};
use crate::session::slot::{Held, RenewalTimes, Stage};
use crate::session::state::State;

/// Three callers of one generation.
pub(crate) fn shared_refresh() {
    block_on(async {
        let session = Session::new(false);
        let callers = callers(&session, [0; 3].map(|demand| session.request(demand)));
        for caller in callers {
            assert!(caller.await.expect("it ends").is_ok());
        }
        session.wait_until_saved().await;
        assert_eq!(session.refreshes.load(Ordering::SeqCst), 1);
    });
}

/// Three callers, of which one is dropped.
pub(crate) fn dropped() {
    block_on(async {
        let session = Session::new(false);
        let request = session.request(0);
        let (dropped, others) =
            (dropped_caller(&session, request.clone()), callers(&session, [request.clone(), request]));
        for caller in others {
            assert!(caller.await.expect("it ends").is_ok());
        }
        dropped.await.expect("it ends");
        session.wait_until_saved().await;
        assert_eq!(session.refreshes.load(Ordering::SeqCst), 1);
    });
}

/// Three callers that were signed before a failure get the same failure.
pub(crate) fn failure() {
    block_on(async {
        let session = Session::new(true);
        let callers = callers(&session, [0; 3].map(|demand| session.request(demand)));
        for caller in callers {
            assert_eq!(caller.await.expect("it ends").err(), Some(NoCredential::Failed("down")));
        }
        session.wait_until_saved().await;
        assert_eq!(session.refreshes.load(Ordering::SeqCst), 1);
    });
}

/// A caller without a demand, and two callers with the same demand. There is one refresh at a time, and at most two in all.
pub(crate) fn demands() {
    block_on(async {
        let session = Session::new(false);
        let callers = callers(&session, [0, 1, 1].map(|demand| session.request(demand)));
        for caller in callers {
            assert!(caller.await.expect("it ends").is_ok());
        }
        session.wait_until_saved().await;
        assert!(session.refreshes.load(Ordering::SeqCst) <= 2);
    });
}

/// Three callers and a logout. A caller after the logout gets an error, and no credential is held after the logout.
pub(crate) fn logout() {
    block_on(async {
        let session = Session::new(false);
        let callers = callers(&session, [0; 3].map(|demand| session.request(demand)));
        let leaves = session.clone();
        let logout = spawn(async move { leaves.change(State::logout) });
        let mut held = 0;
        for caller in callers {
            match caller.await.expect("it ends") {
                Ok(_) => held += 1,
                Err(ended) => assert_eq!(ended, NoCredential::LoggedOut),
            }
        }
        session.wait_until_saved().await;
        let forgotten =
            logout.await.expect("it ends").is_some_and(|held| held.iter().any(|(_, credential)| credential.is_some()));
        assert_eq!((session.held().credential, session.held().stage), (None, Stage::LoggedOut));
        assert!(session.refreshes.load(Ordering::SeqCst) <= 1);
        assert!(held == 0 || forgotten, "the logout forgets a credential that a caller had");
    });
}

/// Callers of two partitions. Each partition has its own flight and does not wait for the other.
pub(crate) fn partitions() {
    block_on(async {
        let session = Session::new(false);
        let requests = [session.request_in(1, 0), session.request_in(1, 0), session.request_in(2, 0)];
        let mut credentials = Vec::new();
        for caller in callers(&session, requests) {
            let held = caller.await.expect("it ends").expect("there is one");
            credentials.push(held.credential);
        }
        session.wait_until_saved().await;
        assert_eq!(credentials[0], credentials[1]);
        assert_ne!(credentials[0], credentials[2]);
        assert_eq!(session.refreshes.load(Ordering::SeqCst), 2);
    });
}

/// A login beside a renewal of the held identity. The callers of the renewal get the old identity's credential, or
/// learn that the session changed. No call of the old epoch gets the new identity's credential.
pub(crate) fn login() {
    block_on(async {
        let session = Session::new(false);
        session.change(|state| state.begin(100, RenewalTimes::default()));
        let requests = [session.request(0), session.request(0)];
        let old = session.held().epoch;
        let callers = callers(&session, requests);
        let logs_in = session.clone();
        let login = spawn(async move { logs_in.login().await });
        for caller in callers {
            match caller.await.expect("it ends") {
                Ok(held) => assert_eq!(held.epoch, old),
                Err(ended) => assert_eq!(ended, NoCredential::SessionChanged),
            }
        }
        let new = login.await.expect("it ends").expect("it is logged in");
        session.wait_until_saved().await;
        assert_eq!((new.epoch, session.held().generation), (old + 1, new.generation));
    });
}

/// A login without a held credential, beside the first credential of another identity. A call that was signed for one identity
/// never gets the credential of the other.
pub(crate) fn beginning() {
    block_on(async {
        let session = Session::new(false);
        let logs_in = session.clone();
        let login = spawn(async move { logs_in.login().await });
        let begins = session.clone();
        let call = spawn(async move {
            let first = FlightRequest { purpose: Purpose::Initial, is_unsigned: false, ..begins.request(0) };
            // Otherwise the request is sent without a credential, and belongs to no identity.
            let Ok(signed) = begins.renew(&first).await else { return };
            let refused = FlightRequest {
                epoch: signed.epoch,
                generation: signed.generation,
                is_unsigned: false,
                ..begins.request(0)
            };
            if let Ok(again) = begins.renew(&refused).await {
                let logged_in = |held: &Held<u64, u8>| held.obtained_at == Some(at_login());
                assert!(logged_in(&signed) || !logged_in(&again), "{signed:?} {again:?}");
            }
        });
        assert!(login.await.expect("it ends").is_ok());
        call.await.expect("it ends");
        session.wait_until_saved().await;
    });
}

/// Callers that are refused with each new credential. No more refreshes start than the budget allows.
pub(crate) fn budget() {
    block_on(async {
        let session = Session::new(false);
        let calls = [(); 3].map(|()| {
            let session = session.clone();
            spawn(async move {
                for _ in 0..2 {
                    if let Ok(held) = session.renew(&session.request(0)).await {
                        let (epoch, generation) = (held.epoch, held.generation);
                        let _ = session.change(|state| state.refused(epoch, generation, SystemTime::UNIX_EPOCH));
                    }
                }
            })
        });
        for call in calls {
            call.await.expect("it ends");
        }
        session.wait_until_saved().await;
        assert!(
            session.refreshes.load(Ordering::SeqCst) <= 3 + 1,
            "a refusal can be reported after the next refresh starts"
        );
    });
}

/// A failure, a dropped caller and a logout at once.
pub(crate) fn everything() {
    block_on(async {
        let session = Session::new(true);
        let (dropped, others) =
            (dropped_caller(&session, session.request(0)), callers(&session, [session.request(0), session.request(1)]));
        let other = session.clone();
        let logout = spawn(async move { other.change(State::logout) });
        for caller in others {
            let _ = caller.await.expect("it ends");
        }
        let _ = (logout.await.expect("it ends"), dropped.await.expect("it ends"));
        session.wait_until_saved().await;
        assert_eq!((session.held().credential, session.held().stage), (None, Stage::LoggedOut));
    });
}
