//! The contract of a store: named checks that a store of one's own must pass.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::report::{Check, Report, Verdict};
use reqwest_challenge_login::store::{Key, Saved, Store, StoreError};

/// The contract of a store.
pub struct StoreContract {
    make: Box<dyn Fn() -> Arc<dyn Store> + Send + Sync>,
    reopen: Option<Box<dyn Fn() -> Arc<dyn Store> + Send + Sync>>,
}

impl fmt::Debug for StoreContract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreContract").finish_non_exhaustive()
    }
}

/// The contract of a store: what [`Stored`](reqwest_challenge_login::store::Stored) relies on. Each check is made with an empty store of its own.
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

/// How a check came out.
type Outcome = Result<(), String>;

/// How long a check waits for a lock that is not held.
const SOON: Duration = Duration::from_secs(5);

fn one() -> Key {
    Key::new("https://auth.example.com").client("tool").account("alice")
}

fn other() -> Key {
    one().scopes(["read"])
}

fn must(so: bool, or: &str) -> Outcome {
    if so { Ok(()) } else { Err(or.to_owned()) }
}

fn told(error: StoreError) -> String {
    format!("{error} ({error:?})")
}

impl StoreContract {
    /// Opens the last store again, as another process does. Without it, the check that entries last is skipped.
    #[must_use]
    pub fn reopen_with<S: Store>(mut self, reopen: impl Fn() -> S + Send + Sync + 'static) -> Self {
        self.reopen = Some(Box::new(move || Arc::new(reopen())));
        self
    }

    /// Runs all checks.
    pub async fn run(&self) -> Report {
        let mut checks = Vec::new();
        let mut add = |name, outcome: Outcome| {
            checks.push(Check { name, verdict: outcome.map_or_else(Verdict::Failed, |()| Verdict::Passed) });
        };
        add("an empty store has nothing, and no name that is empty", self.is_empty().await);
        add("what is put there is there, octet for octet", self.keeps().await);
        add("16 KiB are kept whole, or refused with size and limit before anything is lost", self.keeps_much().await);
        add("what is put in the place of something else than what is there is not put there", self.compares().await);
        add("what is cleared must be what is there", self.clears().await);
        add("a key does not see what is under another", self.tells_keys_apart().await);
        add("of twenty who replace the same, one does", self.has_one_winner().await);
        add("a lock keeps others out until its deadline, and no longer than it is held", self.locks().await);
        add("who waits for a lock gets it when it is given back", self.hands_over().await);
        add("reads wait for no lock", self.reads_on().await);
        let name = "it is there when it is opened again";
        let verdict = match &self.reopen {
            None => Verdict::Skipped("pass what opens it again: `reopen_with(…)`"),
            Some(reopen) => self.lasts(reopen).await.map_or_else(Verdict::Failed, |()| Verdict::Passed),
        };
        checks.push(Check { name, verdict });
        Report { checks }
    }

    async fn is_empty(&self) -> Outcome {
        let store = (self.make)();
        must(!store.name().is_empty(), "it has no name")?;
        must(store.load(&one()).await.map_err(told)?.is_none(), "an empty store has something")
    }

    async fn with(&self, saved: &Saved) -> Result<Arc<dyn Store>, String> {
        let store = (self.make)();
        must(store.replace(&one(), None, saved).await.map_err(told)?, "nothing could be put into an empty store")?;
        Ok(store)
    }

    async fn keeps(&self) -> Outcome {
        for text in ["{}", " \u{0}\"\\\n\u{1f600}é ", ""] {
            let store = self.with(&Saved::new(text)).await?;
            let found = store.load(&one()).await.map_err(told)?;
            must(found == Some(Saved::new(text)), "what is loaded is not what was put there")?;
        }
        Ok(())
    }

    async fn keeps_much(&self) -> Outcome {
        let (small, much) = (Saved::new("small"), Saved::new("0123456789abcdef".repeat(1024)));
        let store = self.with(&small).await?;
        let (expected, verdict) = match store.replace(&one(), Some(&small), &much).await {
            Ok(true) => (much, Ok(())),
            Ok(false) => return Err("it could not be replaced".to_owned()),
            Err(StoreError::TooLarge { size, limit } | StoreError::FileTooLarge { size, limit, .. }) => {
                (small, must(size > limit && size >= 16 << 10, "the size is not more than the limit"))
            }
            Err(error) => return Err(told(error)),
        };
        must(store.load(&one()).await.map_err(told)? == Some(expected), "what is loaded is not what was put there")?;
        verdict
    }

    async fn compares(&self) -> Outcome {
        let [first, second] = ["first", "second"].map(Saved::new);
        let store = self.with(&first).await?;
        for old in [None, Some(&second)] {
            let is_put = store.replace(&one(), old, &second).await.map_err(told)?;
            must(!is_put, "somebody who came late has replaced what is there")?;
        }
        must(store.load(&one()).await.map_err(told)? == Some(first.clone()), "the loser has changed it")?;
        must(store.replace(&one(), Some(&first), &second).await.map_err(told)?, "what is there was not replaced")?;
        must(store.load(&one()).await.map_err(told)? == Some(second), "what was put there is not there")
    }

    async fn clears(&self) -> Outcome {
        let [first, second] = ["first", "second"].map(Saved::new);
        let store = self.with(&first).await?;
        must(!store.clear(&one(), &second).await.map_err(told)?, "somebody who came late has cleared what is there")?;
        must(store.load(&one()).await.map_err(told)? == Some(first.clone()), "the loser has changed it")?;
        must(store.clear(&one(), &first).await.map_err(told)?, "what is there was not cleared")?;
        must(store.load(&one()).await.map_err(told)?.is_none(), "what was cleared is there")?;
        must(!store.clear(&one(), &first).await.map_err(told)?, "it was cleared twice")
    }

    async fn tells_keys_apart(&self) -> Outcome {
        let store = self.with(&Saved::new("first")).await?;
        must(store.load(&other()).await.map_err(told)?.is_none(), "another key has what is under the first")?;
        must(store.replace(&other(), None, &Saved::new("second")).await.map_err(told)?, "a second key has no room")?;
        must(store.clear(&one(), &Saved::new("first")).await.map_err(told)?, "the first was not cleared")?;
        must(store.load(&other()).await.map_err(told)? == Some(Saved::new("second")), "the second went with the first")
    }

    async fn has_one_winner(&self) -> Outcome {
        let first = Saved::new("first");
        let store = self.with(&first).await?;
        let all: Vec<_> = (0..20)
            .map(|number| {
                let (store, first) = (store.clone(), first.clone());
                let new = Saved::new(format!("of number {number}"));
                tokio::spawn(
                    async move { store.replace(&one(), Some(&first), &new).await.map(|won| won.then_some(new)) },
                )
            })
            .collect();
        let mut winners = Vec::new();
        for one in all {
            winners.extend(one.await.map_err(|error| error.to_string())?.map_err(told)?);
        }
        must(winners.len() == 1, &format!("{} have replaced it", winners.len()))?;
        must(store.load(&one()).await.map_err(told)? == winners.pop(), "what is there is not the winner's")
    }

    async fn locks(&self) -> Outcome {
        let store = (self.make)();
        let held = store.lock(&one(), SOON).await.map_err(told)?;
        let (began, deadline) = (Instant::now(), Duration::from_millis(50));
        match store.lock(&one(), deadline).await {
            Err(StoreError::Locked { .. }) => {}
            Err(error) => return Err(told(error)),
            Ok(_) => return Err("two have the lock".to_owned()),
        }
        must(began.elapsed() >= deadline, "it has not waited")?;
        drop(held);
        store.lock(&one(), SOON).await.map(drop).map_err(told)
    }

    async fn hands_over(&self) -> Outcome {
        let store = (self.make)();
        let held = store.lock(&one(), SOON).await.map_err(told)?;
        let waits = {
            let store = store.clone();
            tokio::spawn(async move { store.lock(&one(), SOON).await.map(drop) })
        };
        tokio::task::yield_now().await;
        drop(held);
        waits.await.map_err(|error| error.to_string())?.map_err(told)
    }

    async fn reads_on(&self) -> Outcome {
        let store = self.with(&Saved::new("first")).await?;
        let _held = store.lock(&one(), SOON).await.map_err(told)?;
        match tokio::time::timeout(SOON, store.load(&one())).await {
            Ok(found) => must(found.map_err(told)? == Some(Saved::new("first")), "it is not there"),
            Err(_) => Err("a read waits for the lock".to_owned()),
        }
    }

    async fn lasts(&self, reopen: &(dyn Fn() -> Arc<dyn Store> + Send + Sync)) -> Outcome {
        let saved = Saved::new("first");
        drop(self.with(&saved).await?);
        must(reopen().load(&one()).await.map_err(told)? == Some(saved), "it is gone")
    }
}
