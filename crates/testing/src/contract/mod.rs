//! Contract suites: named checks that each implementation of a trait must pass.
//!
//! A suite makes a new implementation for each check, runs the check, and adds its [`Verdict`] to the [`Report`].
//! [`refresher_contract`] checks a `Refresh`, and [`decorator_contract`] a `Refresh` around another one. With the feature `store`, `store_contract` checks a `Store`. A check that
//! needs something from the test, for example a way to begin an outage, is skipped if the test does not provide it.

mod report;
mod outcome;
mod calls;
mod refresher_contract;
mod decorator;
#[cfg(feature = "store")]
mod store_contract;

pub use decorator::{DecoratorContract, decorator_contract};
pub use refresher_contract::{RefresherContract, refresher_contract};
pub use report::{Check, Report, Verdict};
#[cfg(feature = "store")]
pub use store_contract::{StoreContract, store_contract};
