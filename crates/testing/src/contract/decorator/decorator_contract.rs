//! The contract of a decorator.

use std::fmt;
use std::sync::Arc;

use reqwest_challenge::Refresh;

use super::place::Places;
use crate::contract::outcome::{Outcome, verdict};
use crate::contract::report::{Check, Report};

/// The contract of a decorator, made by [`decorator_contract`].
pub struct DecoratorContract {
    places: Places,
    has_lock: bool,
}

/// The contract of a decorator: a [`Refresh`] around another `Refresh`, such as a store. The function makes a decorator around
/// the refresher that it receives. Decorators with the same place, the second argument, share what they keep, as processes
/// share a store. The suite uses new places in each check.
///
/// The refresher inside belongs to the suite. It records its calls, and returns what each check needs. The checks
/// are:
///
/// - the timeout is not shorter than that of the refresher inside
/// - `needs_challenge` is that of the refresher inside
/// - `holds_unsaved` is true if the refresher inside holds an unsaved credential
/// - the refresher inside sees the reason, the request, the challenges and the demand
/// - the refresher inside sees the refused credential with its attachment
/// - a new credential is returned with its attachment, its scopes and its expiry
/// - `initial` is that of the refresher inside if nothing is kept
/// - `forget` reaches the refresher inside with its reason and the whole credential
/// - an error keeps its kind, and a declined refresh stays declined
/// - a kept credential has its attachment, its scopes and its expiry
/// - a kept credential is forgotten by a logout
/// - a kept credential is returned only if it was not refused, has not expired and meets the demand
/// - a kept credential is not returned for a login
/// - a kept credential is not returned for a partition or another resource
///
/// These checks concern the [renewal lock](reqwest_challenge::RenewalLock):
///
/// - two decorators of one place do not renew at the same time
/// - the lock is released before the user is asked
/// - an attachment that the refresher inside keeps is not lost if the refresh fails
///
/// With [`without_lock`](DecoratorContract::without_lock), one check replaces these three:
///
/// - the lock of the context reaches the refresher inside
///
/// A decorator that keeps nothing passes the checks of a kept credential.
///
/// ```
/// # #[cfg(feature = "store")]
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use reqwest_challenge_login::store::{Key, MemoryStore, Stored};
/// use reqwest_challenge_testing::decorator_contract;
///
/// let store = MemoryStore::new();
/// let make = move |inside, place: &str| {
///     Stored::new(inside, store.clone(), Key::new("https://auth.example.com").account(place))
/// };
/// decorator_contract(make).run().await.assert_passed();
/// # }
/// # #[cfg(not(feature = "store"))] fn main() {}
/// ```
#[must_use]
pub fn decorator_contract<D: Refresh>(
    make: impl Fn(Arc<dyn Refresh>, &str) -> D + Send + Sync + 'static,
) -> DecoratorContract {
    DecoratorContract { places: Places::new(make), has_lock: true }
}

impl DecoratorContract {
    /// Checks a decorator that has no lock, because it keeps nothing that other processes renew. An example is a decorator
    /// that writes a log.
    #[must_use]
    pub fn without_lock(mut self) -> Self {
        self.has_lock = false;
        self
    }

    /// Runs all checks. It takes about a third of a second, because a check waits to see whether a second renewal
    /// begins.
    pub async fn run(&self) -> Report {
        let places = &self.places;
        let mut checks = Vec::new();
        let mut add = |name, outcome: Outcome| checks.push(Check::new(name, verdict(outcome)));
        add("the timeout is not shorter than that of the refresher inside", places.forwards_timeout());
        add("`needs_challenge` is that of the refresher inside", places.forwards_needs_challenge());
        let unsaved = places.forwards_holds_unsaved();
        add("`holds_unsaved` is true if the refresher inside holds an unsaved credential", unsaved);
        add(
            "the refresher inside sees the reason, the request, the challenges and the demand",
            places.forwards_context().await,
        );
        add("the refresher inside sees the refused credential with its attachment", places.forwards_credential().await);
        add(
            "a new credential is returned with its attachment, its scopes and its expiry",
            places.returns_whole_credential().await,
        );
        add("`initial` is that of the refresher inside if nothing is kept", places.forwards_initial().await);
        add(
            "`forget` reaches the refresher inside with its reason and the whole credential",
            places.forwards_forget().await,
        );
        add("an error keeps its kind, and a declined refresh stays declined", places.forwards_errors().await);
        add("a kept credential has its attachment, its scopes and its expiry", places.keeps_whole_credential().await);
        add("a kept credential is forgotten by a logout", places.forgets_kept_credential().await);
        add(
            "a kept credential is returned only if it was not refused, has not expired and meets the demand",
            places.answers_only_what_it_may().await,
        );
        add("a kept credential is not returned for a login", places.logs_in_anew().await);
        add("a kept credential is not returned for a partition or another resource", places.separates_slots().await);
        if !self.has_lock {
            add("the lock of the context reaches the refresher inside", places.forwards_lock().await);
            return Report::new(checks);
        }
        add("two decorators of one place do not renew at the same time", places.renews_one_at_a_time().await);
        add("the lock is released before the user is asked", places.releases_lock_for_prompt().await);
        add(
            "an attachment that the refresher inside keeps is not lost if the refresh fails",
            places.keeps_new_attachment().await,
        );
        Report::new(checks)
    }
}

impl fmt::Debug for DecoratorContract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecoratorContract").field("has_lock", &self.has_lock).finish_non_exhaustive()
    }
}
