//! The crate's own entries of a pool, and the scenarios in which sessions are made and evicted.

#[path = "../../../src/pool/entries.rs"]
mod entries;
mod harness;

use std::sync::atomic::Ordering;

use shuttle::future::block_on;

use harness::{Pool, ends};

/// Callers of two new keys, in a pool for one session. An eviction runs beside the first uses.
pub(crate) fn first_uses() {
    block_on(async {
        let pool = Pool::new(1, false);
        let callers = [1, 2, 1].map(|key| pool.caller(key));
        for caller in callers {
            assert!(ends(caller).await);
        }
        pool.check_the_end().await;
    });
}

/// A caller leaves while the refresh of its session runs. Other callers, a removal and an eviction use the same key.
pub(crate) fn evictions() {
    block_on(async {
        let pool = Pool::new(1, false);
        let leaves = pool.leaving_caller(1);
        let others = [2, 1].map(|key| pool.caller(key));
        let removes = pool.remover(1);
        for caller in others {
            assert!(ends(caller).await);
        }
        leaves.await.expect("it ends");
        removes.await.expect("it ends");
        pool.check_the_end().await;
    });
}

/// The first call of the factory fails. The callers that wait get its failure, and the next use of the key calls it again.
pub(crate) fn factory_failure() {
    block_on(async {
        let pool = Pool::new(1, true);
        let (leaves, callers) = (pool.leaving_caller(1), [1, 1].map(|key| pool.caller(key)));
        for caller in callers {
            let _ = ends(caller).await;
        }
        leaves.await.expect("it ends");
        pool.check_the_end().await;
        let before = pool.made.load(Ordering::SeqCst);
        assert!(ends(pool.caller(1)).await, "the failure is not kept");
        assert!(pool.made.load(Ordering::SeqCst) - before <= 1);
        pool.check_the_end().await;
    });
}
