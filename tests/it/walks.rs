//! All sequences of responses on two paths. No sequence causes more refreshes than the budget allows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest_challenge::{ChallengeMiddleware, Credential, RefreshContext};

use crate::support::fake::{Fake, ManualClock};
use crate::support::script::{API, Answer, Script, challenged, challenged_with, respond, status};

const ANSWERS: [fn() -> Answer; 7] = [
    || status(200),
    challenged,
    || status(401),
    || challenged_with("Bearer error=\"insufficient_claims\", claims=\"e30=\""),
    || challenged_with("Bearer error=\"insufficient_scope\", scope=\"x\""),
    || respond(403, &[("www-authenticate", "Bearer scope=\"x\"")], ""),
    || status(500),
];

/// Whether the response shows that the server accepted the credential.
fn accepts(answer: usize) -> bool {
    matches!(answer, 0 | 5)
}

/// The number of calls for each pair of sequences.
const CALLS: usize = 12;

/// Calls two paths, each with a repeating sequence of responses. Returns the largest number of consecutive refreshes without
/// an accepted credential between them.
async fn walk(first: [usize; 3], second: [usize; 2], partitioned: bool) -> usize {
    let calls = Arc::new(AtomicUsize::new(0));
    let (since, worst) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = (calls.clone(), since.clone(), worst.clone());
    let fake = Fake::answering(move |number, _: &RefreshContext| {
        counted.0.fetch_add(1, Ordering::SeqCst);
        let without = counted.1.fetch_add(1, Ordering::SeqCst) + 1;
        counted.2.fetch_max(without, Ordering::SeqCst);
        Ok(Some(Credential::bearer(format!("t{number}"))))
    });
    let counts = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let reset = since.clone();
    let server = Script::new(move |arrived, _| {
        let on_first = arrived.path() == "/first";
        let count = counts[usize::from(!on_first)].fetch_add(1, Ordering::SeqCst);
        let answer = if on_first { first[count % 3] } else { second[count % 2] };
        if accepts(answer) && !arrived.token().is_empty() {
            reset.store(0, Ordering::SeqCst);
        }
        ANSWERS[answer]()
    });
    let auth = ChallengeMiddleware::builder(API, fake).clock(ManualClock::new());
    let auth = if partitioned { auth.partition_by(|_, url| url.path().to_owned()) } else { auth }.build().unwrap();
    let client = server.client(&auth);
    for call in 0..CALLS {
        let before = server.sends();
        drop(client.get(format!("{API}/{}", ["first", "second"][call % 2])).send().await);
        assert!(server.sends() - before <= 2, "a third send: {first:?} {second:?}");
    }
    worst.load(Ordering::SeqCst)
}

#[tokio::test]
async fn no_pair_of_sequences_costs_more_refreshes_than_the_budget() {
    let mut walked = 0;
    for number in 0..7_usize.pow(4) {
        let digit = |place: u32| number / 7_usize.pow(place) % 7;
        // The first path gets all sequences of three. The second path gets a different sequence for each of them.
        let (first, second) = ([digit(0), digit(1), digit(2)], [digit(3), (digit(2) + digit(3)) % 7]);
        let worst = walk(first, second, false).await;
        assert!(worst <= 3, "{worst} refreshes: {first:?} {second:?}");
        walked += 1;
    }
    assert_eq!(walked, 2_401);
}

#[tokio::test]
async fn two_partitions_cost_at_most_one_budget_each() {
    for number in 0..7_usize.pow(3) {
        let digit = |place: u32| number / 7_usize.pow(place) % 7;
        let sequence = [digit(0), digit(1), digit(2)];
        let worst = walk(sequence, [digit(0), digit(1)], true).await;
        assert!(worst <= 6, "{worst} refreshes: {sequence:?}");
    }
}
