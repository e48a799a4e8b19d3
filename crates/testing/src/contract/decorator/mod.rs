//! The contract of a decorator of a refresher.
//!
//! `inside` is the refresher that the suite puts into the decorator: it records what it sees, and returns what the
//! check says. `place` makes decorators around it, and calls them. The checks are in `forwarding` (what passes
//! through), `keeping` (what the decorator keeps, and when it returns it) and `locking` (renewals at the same time).
//! `decorator_contract` runs them.

mod inside;
mod place;
mod forwarding;
mod keeping;
mod locking;
mod decorator_contract;

pub use decorator_contract::{DecoratorContract, decorator_contract};
