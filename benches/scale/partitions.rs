//! Many partitions, such as the repositories of a registry: each has a separate token.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest_challenge::{BoxError, Builder, ChallengeMiddleware, Credential, RefreshContext};
use tokio::runtime::{Builder as RuntimeBuilder, Runtime};

use super::server::{API, client};
use crate::callgrind::collected;
use crate::{allocator, row};

const DELAY: Duration = Duration::from_millis(200);
/// The repositories that are requested in turn.
const REPOSITORIES: usize = 10_000;

/// A middleware with a partition for each path. Its token server takes this time.
fn builder(tokens: &Arc<AtomicUsize>, delay: Duration) -> Builder {
    let tokens = tokens.clone();
    let refresh = move |context: RefreshContext| {
        tokens.fetch_add(1, Ordering::SeqCst);
        async move {
            if delay > Duration::ZERO {
                tokio::time::sleep(delay).await;
            } else {
                tokio::task::yield_now().await;
            }
            Ok::<_, BoxError>(Credential::bearer(context.url().unwrap().path()))
        }
    };
    ChallengeMiddleware::builder(API, refresh).partition_by(|_, url| url.path().to_owned())
}

fn runtime(threads: usize) -> Runtime {
    RuntimeBuilder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap()
}

/// Sends that many calls at once, over that many partitions. Returns the successes, the tokens and the time.
fn at_once(runtime: &Runtime, calls: usize, partitions: usize, delay: Duration) -> (usize, usize, Duration) {
    let tokens = Arc::default();
    let client = client(builder(&tokens, delay));
    let start = Instant::now();
    let good = runtime.block_on(async {
        let calls: Vec<_> =
            (0..calls).map(|call| tokio::spawn(client.get(format!("{API}/p{}", call % partitions)).send())).collect();
        let mut good = 0;
        for call in calls {
            good += usize::from(call.await.unwrap().is_ok_and(|response| response.status() == 200));
        }
        good
    });
    (good, tokens.load(Ordering::SeqCst), start.elapsed())
}

pub(crate) fn side_by_side() -> bool {
    let (good, tokens, mut time) = at_once(&runtime(2), 400, 400, DELAY);
    // Other processes can disturb only the time, so it is measured three times.
    for _ in 0..2 {
        time = time.min(at_once(&runtime(2), 400, 400, DELAY).2);
    }
    let mut within = row("400 calls over 400 partitions: calls that fail", 400.0 - good as f64, 0.0);
    within &= row("  tokens", tokens as f64, 400.0);
    within &= row("  time over the 200 ms of the token server", time.as_secs_f64() / DELAY.as_secs_f64(), 3.0);
    for threads in [1, 2] {
        let runs = (0..10).map(|_| at_once(&runtime(threads), 200, 10, Duration::from_millis(5)));
        let (good, tokens) = runs.fold((200, 0), |seen, run| (seen.0.min(run.0), seen.1.max(run.1)));
        within &= row(
            &format!("200 calls over 10 partitions, {threads} thread(s), ten runs: most tokens"),
            tokens as f64,
            10.0,
        ) && good == 200;
    }
    within
}

/// Calls each repository, one after the other, in three rounds. Returns the tokens, and the bytes that are held at the end.
fn in_turn(max_partitions: usize) -> (usize, f64) {
    let runtime = RuntimeBuilder::new_current_thread().enable_all().build().unwrap();
    let tokens = Arc::default();
    let client = client(builder(&tokens, Duration::ZERO).max_partitions(max_partitions));
    runtime.block_on(async {
        let call = async |number: usize| {
            assert_eq!(client.get(format!("{API}/repository/{number:05}")).send().await.unwrap().status(), 200);
        };
        call(0).await;
        let before = allocator::held();
        for _ in 0..3 {
            for number in 0..REPOSITORIES {
                call(number).await;
            }
        }
        (tokens.load(Ordering::SeqCst), (allocator::held() - before) as f64)
    })
}

pub(crate) fn repositories() -> bool {
    let (tokens, held) = in_turn(REPOSITORIES);
    let mut within = row("10,000 repositories in turn, three rounds: tokens", tokens as f64, REPOSITORIES as f64);
    within &= row("  bytes of a partition with its credential", held / REPOSITORIES as f64, 1_536.0);
    let (tokens, held) = in_turn(1_000);
    println!("{:<62} {tokens:>10}", "  with `max_partitions(1_000)`: tokens");
    within & row("  bytes of a partition with its credential", held / 1_000.0, 1_536.0)
}

/// The calls of the smaller run, each with a separate partition.
const FEW: usize = 20;
const MANY: usize = 2_000;

/// The work that callgrind counts: that many calls at once, each with a separate partition.
pub(crate) fn counted(partitions: usize) {
    let runtime = RuntimeBuilder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(at_once(&runtime, partitions, partitions, Duration::ZERO).0, partitions);
}

pub(crate) fn flights() -> bool {
    let count = |partitions: usize| collected(&["--partitions", &partitions.to_string()]) as f64;
    let (base, few, many) = (count(0), count(FEW), count(MANY));
    let [few, many] = [(few - base) / FEW as f64, (many - base) / MANY as f64];
    println!("{:<62} {many:>10.0}", "2,000 flights at once: instructions of a call");
    row("  ratio to 20 flights at once", many / few, 1.2)
}
