//! All sequences of three responses, on two paths, in two partitions and in two sessions. No sequence causes more refreshes
//! than the budget allows, or more than two sends in a call.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use crate::support::walk::{ANSWERS, Place, Walk, Worst, sequences};

/// How many new credentials a server can cause in a row, as `DESIGN.md` says.
const BUDGET: Worst = Worst { in_slot: 3, in_session: 32 };

/// How many paths, partitions and sessions the calls of a walk use.
#[derive(Clone, Copy, Debug)]
struct Spread {
    paths: usize,
    partitions: usize,
    sessions: usize,
}

impl Spread {
    /// One or two of each.
    fn all() -> impl Iterator<Item = Self> {
        let one_or_two = |number: usize, bit: usize| 1 + (number >> bit & 1);
        (0..8).map(move |number| Self {
            paths: one_or_two(number, 0),
            partitions: one_or_two(number, 1),
            sessions: one_or_two(number, 2),
        })
    }

    /// Calls to all places in turn. The sequence of the server has three responses, so each place gets all of them.
    fn calls(self) -> impl Iterator<Item = Place> {
        let Self { paths, partitions, sessions } = self;
        (0..).map(move |call| Place {
            session: call % sessions,
            partition: call / sessions % partitions,
            path: call / sessions / partitions % paths,
        })
    }
}

/// The number of calls of a walk in each slot, and the time between two of them. It is long enough for a path to leave its
/// first cooldown, and together they are shorter than the first pause of the budget.
const CALLS: usize = 9;
const STEP: Duration = Duration::from_secs(3);

/// Walks over all sequences. Returns the largest costs and the number of walks.
fn walk_all(limit: Worst, spreads: &[Spread], calls: usize, is_partitioned: bool, is_stuck: bool) -> (Worst, usize) {
    const THREADS: usize = 2;
    let run = |remainder: usize| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let http = reqwest::Client::new();
        let (mut worst, mut walked) = (Worst::default(), 0);
        for answers in sequences().skip(remainder).step_by(THREADS) {
            for &spread in spreads {
                let slots = spread.sessions * if is_partitioned { spread.partitions } else { 1 };
                let step = STEP / u32::try_from(slots).unwrap();
                let walk = Walk::new(&http, answers, is_partitioned, is_stuck);
                let walking = walk.call(spread.calls().take(calls * slots), step);
                let cost = std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(walking)));
                let name = || format!("{:?} {spread:?}", answers.map(|answer| ANSWERS[answer]));
                let cost = cost.unwrap_or_else(|_| panic!("{}", name()));
                let is_within = cost.in_slot <= limit.in_slot && cost.in_session <= limit.in_session;
                assert!(is_within, "{cost:?}: {}", name());
                (worst, walked) = (worst.or(cost), walked + 1);
            }
        }
        (worst, walked)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|remainder| scope.spawn(move || run(remainder))).collect();
        let results = threads.into_iter().map(|thread| thread.join().unwrap());
        results.fold((Worst::default(), 0), |(worst, walked), (other, more)| (worst.or(other), walked + more))
    })
}

/// The number of sequences.
fn sequence_count() -> usize {
    ANSWERS.len().pow(3)
}

#[test]
fn no_sequence_costs_more_refreshes_than_the_budget_of_the_main_slot() {
    let limit = Worst { in_session: BUDGET.in_slot, ..BUDGET };
    let spreads: Vec<_> = Spread::all().filter(|spread| spread.partitions == 1).collect();
    // Some sequence uses the whole budget, so the bound is not met by chance.
    assert_eq!(walk_all(limit, &spreads, CALLS, false, false), (limit, sequence_count() * 4));
}

#[test]
fn no_sequence_costs_more_refreshes_than_one_budget_in_each_partition() {
    let limit = Worst { in_session: 2 * BUDGET.in_slot, ..BUDGET };
    let spreads: Vec<_> = Spread::all().collect();
    assert_eq!(walk_all(limit, &spreads, CALLS, true, false), (limit, sequence_count() * 8));
}

#[test]
fn no_sequence_costs_more_refreshes_if_the_refresher_returns_the_refused_credential() {
    let limit = Worst { in_session: 2 * BUDGET.in_slot, ..BUDGET };
    let spreads: Vec<_> = Spread::all().collect();
    let (worst, walked) = walk_all(limit, &spreads, CALLS, true, true);
    assert_eq!((worst.in_slot, walked), (BUDGET.in_slot, sequence_count() * 8));
}

#[test]
fn no_sequence_costs_more_refreshes_in_forty_partitions_than_the_budget_of_a_session() {
    // Three calls in each partition, so that the server can refuse the credentials in another order than that of the refreshes. Together they are shorter than the first pause of the budget.
    let spread = Spread { paths: 2, partitions: 40, sessions: 1 };
    let (worst, walked) = walk_all(BUDGET, &[spread], 3, true, false);
    assert_eq!((worst.in_session, walked), (BUDGET.in_session, sequence_count()));
}
