//! Finds a `RefreshError` inside an error that prints it but does not return it as its `source()`. An example is a variant
//! with `#[error("it failed: {0}")]` in an enum of `thiserror`.

use std::cell::RefCell;
use std::error::Error as StdError;
use std::fmt::{self, Write};
use std::sync::Arc;

use super::refresh_kind::RefreshErrorKind;
use crate::error::chain;

/// The cause of a `RefreshError`.
pub(super) type Source = Arc<dyn StdError + Send + Sync>;

/// The parts of a `RefreshError`.
pub(super) type Heard = (RefreshErrorKind, Option<Source>);

thread_local! {
    /// The first `RefreshError` that was printed while this thread listened.
    static HEARD: RefCell<Listening> = const { RefCell::new(Listening::No) };
}

enum Listening {
    No,
    Yes,
    Heard(Heard),
}

/// The `RefreshError` that is printed when the error or one of its causes is printed.
pub(super) fn that_prints(error: &(dyn StdError + 'static)) -> Option<Heard> {
    chain::each(error).find_map(|error| {
        HEARD.replace(Listening::Yes);
        let _ = write!(Nowhere, "{error}");
        match HEARD.replace(Listening::No) {
            Listening::Heard(found) => Some(found),
            Listening::No | Listening::Yes => None,
        }
    })
}

/// Records an error that is being printed.
pub(super) fn note(kind: &RefreshErrorKind, source: Option<&Source>) {
    // A thread that is ending has no such variable any more, and does not listen.
    let _ = HEARD.try_with(|heard| {
        let mut heard = heard.borrow_mut();
        if matches!(*heard, Listening::Yes) {
            *heard = Listening::Heard((kind.clone(), source.cloned()));
        }
    });
}

struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        Ok(())
    }
}
