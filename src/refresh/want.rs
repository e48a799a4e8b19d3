//! What a request wants of a session, and how it got it.

use std::sync::Arc;

use super::rejection::{Cause, Demand, Occasion};
use super::session::Current;
use super::state::{Ask, Purpose};

/// What a request wants of a session.
pub(crate) struct Want {
    pub(crate) cause: Cause,
    pub(crate) epoch: u64,
    pub(crate) generation: u64,
    pub(crate) failures: u64,
    pub(crate) demand: Demand,
    pub(crate) occasion: Option<Arc<Occasion>>,
}

impl Want {
    /// Of somebody who has seen that much, without a request.
    pub(super) fn nobodys(cause: Cause, seen: &Current) -> Self {
        Self {
            cause,
            epoch: seen.epoch,
            generation: seen.generation,
            failures: seen.failures,
            demand: Demand::default(),
            occasion: None,
        }
    }

    pub(super) fn ask(&self, purpose: Purpose) -> Ask<Demand> {
        let Self { epoch, generation, failures, .. } = *self;
        Ask { purpose, epoch, generation, failures, demand: self.demand.clone() }
    }
}

/// How a request came to its second credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// It started the flight.
    ByUs,
    /// It waited for a flight that another had started.
    Joined,
    /// Another had renewed already.
    TakenOver,
}

#[derive(Debug)]
pub(crate) struct Renewal {
    pub(crate) held: Arc<Current>,
    pub(crate) how: How,
}
