//! The contract of a store.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest_challenge_login::store::{Key, Saved, Store, StoreError};

use super::outcome::{Outcome, check, verdict};
use super::report::{Check, Report, Verdict};

/// The longest wait for a lock that is free.
const MAX_LOCK_WAIT: Duration = Duration::from_secs(5);

type MakeStore = Box<dyn Fn() -> Arc<dyn Store> + Send + Sync>;

/// The contract of a store, made by [`store_contract`].
pub struct StoreContract {
    make: MakeStore,
    reopen: Option<MakeStore>,
}

/// The contract of a store: what [`Stored`](reqwest_challenge_login::store::Stored) relies on. The function makes a new,
/// empty store for each check.
///
/// The checks are:
///
/// - an empty store has no entry, and its name is not empty
/// - an entry is returned byte for byte
/// - an entry of 16 KiB is stored, or the store names its size and the limit and changes nothing
/// - replace changes nothing if the entry is not the expected one
/// - clear changes nothing if the entry is not the expected one
/// - entries of different keys do not affect each other
/// - one of twenty concurrent replacements succeeds
/// - a second task waits for the lock until the lock is released or its own deadline has passed
/// - a waiter gets the lock when it is released
/// - a read does not wait for the lock
/// - an entry survives when the store is opened again
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use reqwest_challenge_login::store::MemoryStore;
/// use reqwest_challenge_testing::store_contract;
///
/// store_contract(MemoryStore::new).run().await.assert_passed();
/// # }
/// ```
#[must_use]
pub fn store_contract<S: Store>(make: impl Fn() -> S + Send + Sync + 'static) -> StoreContract {
    StoreContract { make: Box::new(move || Arc::new(make())), reopen: None }
}

impl StoreContract {
    /// Sets how the last store is opened again, as another process does. Without it, the check that entries survive is
    /// skipped.
    #[must_use]
    pub fn reopen_with<S: Store>(mut self, reopen: impl Fn() -> S + Send + Sync + 'static) -> Self {
        self.reopen = Some(Box::new(move || Arc::new(reopen())));
        self
    }

    /// Runs all checks.
    pub async fn run(&self) -> Report {
        let mut checks = Vec::new();
        let mut add = |name, outcome: Outcome| checks.push(Check::new(name, verdict(outcome)));
        add("an empty store has no entry, and its name is not empty", self.is_empty().await);
        add("an entry is returned byte for byte", self.keeps_bytes().await);
        add(
            "an entry of 16 KiB is stored, or the store names its size and the limit and changes nothing",
            self.keeps_large_entry().await,
        );
        add("replace changes nothing if the entry is not the expected one", self.compares_on_replace().await);
        add("clear changes nothing if the entry is not the expected one", self.compares_on_clear().await);
        add("entries of different keys do not affect each other", self.separates_keys().await);
        add("one of twenty concurrent replacements succeeds", self.has_one_winner().await);
        add(
            "a second task waits for the lock until the lock is released or its own deadline has passed",
            self.locks().await,
        );
        add("a waiter gets the lock when it is released", self.hands_over_lock().await);
        add("a read does not wait for the lock", self.reads_during_lock().await);
        let name = "an entry survives when the store is opened again";
        checks.push(match &self.reopen {
            None => Check::new(name, Verdict::Skipped("call `reopen_with(…)` on the contract")),
            Some(reopen) => Check::new(name, verdict(self.survives(reopen).await)),
        });
        Report::new(checks)
    }

    /// A new store with this entry.
    async fn with(&self, saved: &Saved) -> Result<Arc<dyn Store>, String> {
        let store = (self.make)();
        let is_put = store.replace(&first_key(), None, saved).await.map_err(text)?;
        check(is_put, "an entry cannot be put into an empty store")?;
        Ok(store)
    }

    async fn is_empty(&self) -> Outcome {
        let store = (self.make)();
        check(!store.name().is_empty(), "the name is empty")?;
        check(load(&*store).await?.is_none(), "an empty store has an entry")
    }

    async fn keeps_bytes(&self) -> Outcome {
        for text in ["{}", " \u{0}\"\\\n\u{1f600}é ", ""] {
            let store = self.with(&Saved::new(text)).await?;
            check(load(&*store).await? == Some(Saved::new(text)), "the store does not hold the expected entry")?;
        }
        Ok(())
    }

    async fn keeps_large_entry(&self) -> Outcome {
        let (small, large) = (Saved::new("small"), Saved::new("0123456789abcdef".repeat(1024)));
        let store = self.with(&small).await?;
        let (expected, outcome) = match store.replace(&first_key(), Some(&small), &large).await {
            Ok(true) => (large, Ok(())),
            Ok(false) => return Err("the entry cannot be replaced".to_owned()),
            Err(StoreError::TooLarge { size, limit } | StoreError::FileTooLarge { size, limit, .. }) => {
                (small, check(size > limit && size >= 16 << 10, "the reported size is not more than the limit"))
            }
            Err(error) => return Err(text(error)),
        };
        check(load(&*store).await? == Some(expected), "the store does not hold the expected entry")?;
        outcome
    }

    async fn compares_on_replace(&self) -> Outcome {
        let [first, second] = ["first", "second"].map(Saved::new);
        let store = self.with(&first).await?;
        for old in [None, Some(&second)] {
            let is_put = store.replace(&first_key(), old, &second).await.map_err(text)?;
            check(!is_put, "an entry is replaced although another entry was expected")?;
        }
        check(load(&*store).await? == Some(first.clone()), "the entry changes although `replace` returns `false`")?;
        let is_put = store.replace(&first_key(), Some(&first), &second).await.map_err(text)?;
        check(is_put, "the stored entry cannot be replaced")?;
        check(load(&*store).await? == Some(second), "the new entry is missing")
    }

    async fn compares_on_clear(&self) -> Outcome {
        let [first, second] = ["first", "second"].map(Saved::new);
        let store = self.with(&first).await?;
        check(
            !clear(&*store, &first_key(), &second).await?,
            "an entry is cleared although another entry was expected",
        )?;
        check(load(&*store).await? == Some(first.clone()), "the entry changes although `clear` returns `false`")?;
        check(clear(&*store, &first_key(), &first).await?, "the stored entry cannot be cleared")?;
        check(load(&*store).await?.is_none(), "a cleared entry is still present")?;
        check(!clear(&*store, &first_key(), &first).await?, "an entry can be cleared twice")
    }

    async fn separates_keys(&self) -> Outcome {
        let (first, second) = (Saved::new("first"), Saved::new("second"));
        let store = self.with(&first).await?;
        let load_second = async || store.load(&second_key()).await.map_err(text);
        check(load_second().await?.is_none(), "another key has the entry of the first")?;
        let is_put = store.replace(&second_key(), None, &second).await.map_err(text)?;
        check(is_put, "an entry cannot be put under a second key")?;
        check(clear(&*store, &first_key(), &first).await?, "the first entry cannot be cleared")?;
        check(load_second().await? == Some(second), "clearing the first entry removes the second one")
    }

    async fn has_one_winner(&self) -> Outcome {
        let first = Saved::new("first");
        let store = self.with(&first).await?;
        let replacements: Vec<_> = (0..20)
            .map(|number| {
                let (store, first) = (store.clone(), first.clone());
                let new = Saved::new(format!("of number {number}"));
                tokio::spawn(async move {
                    let is_put = store.replace(&first_key(), Some(&first), &new).await;
                    is_put.map(|is_put| is_put.then_some(new))
                })
            })
            .collect();
        let mut winners = Vec::new();
        for replacement in replacements {
            winners.extend(replacement.await.map_err(|error| error.to_string())?.map_err(text)?);
        }
        check(winners.len() == 1, format_args!("{} replacements succeed", winners.len()))?;
        check(load(&*store).await? == winners.pop(), "the entry is not that of the replacement that succeeded")
    }

    async fn locks(&self) -> Outcome {
        let store = (self.make)();
        let held = store.lock(&first_key(), MAX_LOCK_WAIT).await.map_err(text)?;
        let (start, deadline) = (Instant::now(), Duration::from_millis(50));
        match store.lock(&first_key(), deadline).await {
            Err(StoreError::Locked { .. }) => {}
            Err(error) => return Err(text(error)),
            Ok(_) => return Err("two tasks have the lock".to_owned()),
        }
        check(start.elapsed() >= deadline, "the second task does not wait until its deadline")?;
        drop(held);
        store.lock(&first_key(), MAX_LOCK_WAIT).await.map(drop).map_err(text)
    }

    async fn hands_over_lock(&self) -> Outcome {
        let store = (self.make)();
        let held = store.lock(&first_key(), MAX_LOCK_WAIT).await.map_err(text)?;
        let waiter = {
            let store = store.clone();
            tokio::spawn(async move { store.lock(&first_key(), MAX_LOCK_WAIT).await.map(drop) })
        };
        tokio::task::yield_now().await;
        drop(held);
        waiter.await.map_err(|error| error.to_string())?.map_err(text)
    }

    async fn reads_during_lock(&self) -> Outcome {
        let store = self.with(&Saved::new("first")).await?;
        let _held = store.lock(&first_key(), MAX_LOCK_WAIT).await.map_err(text)?;
        match tokio::time::timeout(MAX_LOCK_WAIT, load(&*store)).await {
            Ok(found) => check(found? == Some(Saved::new("first")), "the entry is missing"),
            Err(_) => Err("a read waits for the lock".to_owned()),
        }
    }

    async fn survives(&self, reopen: &MakeStore) -> Outcome {
        let saved = Saved::new("first");
        drop(self.with(&saved).await?);
        check(load(&*reopen()).await? == Some(saved), "the entry is missing")
    }
}

fn first_key() -> Key {
    Key::new("https://auth.example.com").client("tool").account("alice")
}

fn second_key() -> Key {
    first_key().scopes(["read"])
}

/// The entry of the first key.
async fn load(store: &dyn Store) -> Result<Option<Saved>, String> {
    store.load(&first_key()).await.map_err(text)
}

async fn clear(store: &dyn Store, key: &Key, expected: &Saved) -> Result<bool, String> {
    store.clear(key, expected).await.map_err(text)
}

fn text(error: StoreError) -> String {
    format!("{error} ({error:?})")
}

impl fmt::Debug for StoreContract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreContract").finish_non_exhaustive()
    }
}
