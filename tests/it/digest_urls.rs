//! Digest: servers that bind a nonce to the URL of its 401. At another URL they refuse it without `stale`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest_challenge::{
    AuthReport, BoxError, ChallengeMiddleware, Password, RefreshContext, Renewed, Unauthorized, UnauthorizedReason,
    UserPassword,
};
use reqwest_challenge_testing::{Answer, Gate, Script, until};

use crate::passwords::{auth, param};
use crate::support::script::{API, status};

/// How the server of a camera issues nonces.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Nonces {
    /// One nonce for each URL.
    OnePerUrl,
    /// A new nonce with each 401, valid for its URL from then on.
    OneEach,
    /// A new nonce with each 401, valid for one request to its URL.
    Once,
}

/// A server that accepts a nonce only at the URL whose 401 brought it.
fn camera(nonces: Nonces) -> Script {
    let issued: Mutex<HashMap<String, (String, bool)>> = Mutex::default();
    Script::new(move |arrived, number| {
        let mut issued = issued.lock().unwrap();
        let target = arrived.url()[url::Position::BeforePath..].to_owned();
        if arrived.credential().is_some() {
            let known = issued
                .get_mut(&param(arrived, "nonce").unwrap())
                .filter(|(place, used)| *place == target && !(*used && nonces == Nonces::Once));
            if let Some((_, used)) = known {
                *used = true;
                return status(200);
            }
        }
        let nonce = if nonces == Nonces::OnePerUrl { format!("n{target}") } else { format!("n{number}") };
        issued.insert(nonce.clone(), (target, false));
        Answer::unauthorized([&*format!("Digest realm=\"camera\", qop=\"auth\", nonce=\"{nonce}\"")])
    })
}

/// A password whose prompt is answered after `sends` requests have arrived, and a counter of the prompts.
fn counting(server: &Script, sends: usize) -> (ChallengeMiddleware, Arc<AtomicUsize>) {
    let prompts = Arc::new(AtomicUsize::new(0));
    let (count, server) = (prompts.clone(), server.clone());
    let ask = move |_: RefreshContext| {
        count.fetch_add(1, Ordering::SeqCst);
        let server = server.clone();
        async move {
            until(|| server.sends() >= sends).await;
            Ok::<_, BoxError>(Some(UserPassword::new("u", "p")))
        }
    };
    (auth(Password::from_fn(ask)), prompts)
}

#[tokio::test]
async fn twenty_concurrent_requests_to_five_urls_succeed_with_one_refresh() {
    for nonces in [Nonces::OnePerUrl, Nonces::OneEach, Nonces::Once] {
        let server = camera(nonces);
        let (auth, prompts) = counting(&server, 20);
        let client = server.client(&auth);
        let calls: Vec<_> =
            (0..20).map(|number| tokio::spawn(client.get(format!("{API}/{}?x", number % 5)).send())).collect();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap().status(), 200, "{nonces:?}");
        }
        assert_eq!((prompts.load(Ordering::SeqCst), server.sends()), (1, 40), "{nonces:?}");
    }
}

#[tokio::test]
async fn a_new_url_is_answered_with_its_own_nonce_without_a_refresh() {
    for nonces in [Nonces::OnePerUrl, Nonces::OneEach] {
        let server = camera(nonces);
        let (auth, prompts) = counting(&server, 0);
        let client = server.client(&auth);
        client.get(format!("{API}/first")).send().await.unwrap();
        // All of these requests are sent with the nonce of the first URL.
        let calls: Vec<_> =
            (0..20).map(|number| tokio::spawn(client.get(format!("{API}/{}", number % 5)).send())).collect();
        for call in calls {
            let response = call.await.unwrap().unwrap();
            let report = AuthReport::of(&response);
            assert_eq!((response.status().as_u16(), report.renewed()), (200, Some(Renewed::ByScheme)), "{nonces:?}");
        }
        assert_eq!((prompts.load(Ordering::SeqCst), server.sends()), (1, 42), "{nonces:?}");
        // Now each URL has its own nonce.
        for number in 0..20 {
            client.get(format!("{API}/{}", number % 5)).send().await.unwrap();
        }
        assert_eq!(server.sends(), 62, "{nonces:?}");
    }
}

#[tokio::test]
async fn a_new_url_is_answered_while_the_first_response_is_delayed() {
    let gate = Gate::closed();
    let held = gate.clone();
    // The response to the first URL is delayed.
    let server = Script::new(move |arrived, _| match (arrived.path(), arrived.credential()) {
        ("/a", Some(_)) => status(200).hold_until(&held),
        (path, sent) => {
            let good = sent.is_some_and(|_| param(arrived, "nonce").as_deref() == Some(path));
            let challenge = format!("Digest realm=\"camera\", qop=\"auth\", nonce=\"{path}\"");
            if good { status(200) } else { Answer::unauthorized([&*challenge]) }
        }
    });
    let (auth, prompts) = counting(&server, 0);
    let client = server.client(&auth);
    let first = tokio::spawn(client.get(format!("{API}/a")).send());
    gate.reached_by(1).await;
    for path in ["/b", "/c", "/b"] {
        assert_eq!(client.get(format!("{API}{path}")).send().await.unwrap().status(), 200);
    }
    gate.open();
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!((prompts.load(Ordering::SeqCst), server.sends()), (1, 7));
}

/// A password whose prompt returns another user name each time: `u1`, `u2`, …
fn new_user_each_time() -> (Password, Arc<AtomicUsize>) {
    let prompts = Arc::new(AtomicUsize::new(0));
    let count = prompts.clone();
    let ask = move |_: RefreshContext| {
        let user = format!("u{}", count.fetch_add(1, Ordering::SeqCst) + 1);
        async move { Ok::<_, BoxError>(Some(UserPassword::new(user, "p"))) }
    };
    (Password::from_fn(ask), prompts)
}

#[tokio::test]
async fn a_password_that_never_worked_is_not_tried_with_the_nonce_of_another_url() {
    let server =
        Script::new(|arrived, number| match arrived.credential().and_then(|_| param(arrived, "username")).as_deref() {
            Some("u2") => status(200),
            _ => Answer::unauthorized([&*format!("Digest realm=\"a\", qop=\"auth\", nonce=\"n{number}\"")]),
        });
    let (password, prompts) = new_user_each_time();
    let client = server.client(&auth(password));
    let error = client.get(format!("{API}/a")).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::StillRejected);
    // The second call asks for its own password and succeeds with it.
    assert_eq!(client.get(format!("{API}/b")).send().await.unwrap().status(), 200);
    assert_eq!((prompts.load(Ordering::SeqCst), server.sends()), (2, 4));
}

#[tokio::test]
async fn a_changed_password_is_asked_for_once_and_no_call_is_sent_three_times() {
    let changed = Arc::new(AtomicUsize::new(0));
    let now = changed.clone();
    // An ordinary server: a new nonce with each 401, valid everywhere.
    let server = Script::new(move |arrived, number| {
        let old = now.load(Ordering::SeqCst) == 1
            && arrived.credential().is_some_and(|_| param(arrived, "username").as_deref() == Some("u1"));
        match arrived.credential() {
            Some(_) if !old => status(200),
            _ => Answer::unauthorized([&*format!("Digest realm=\"a\", qop=\"auth\", nonce=\"n{number}\"")]),
        }
    });
    let (password, prompts) = new_user_each_time();
    let client = server.client(&auth(password));
    for path in ["/a", "/b"] {
        client.get(format!("{API}{path}")).send().await.unwrap();
    }
    changed.store(1, Ordering::SeqCst);
    for path in ["/c", "/a", "/b"] {
        assert_eq!(client.get(format!("{API}{path}")).send().await.unwrap().status(), 200, "{path}");
    }
    assert_eq!((prompts.load(Ordering::SeqCst), server.sends()), (2, 7));
}
