//! A refusal as it arrived, and the caller's function that reads refusals.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::StatusCode;
use http::header::HeaderMap;

use super::problem::Problem;
use super::read;
use crate::challenge::Challenges;

/// A 401, a 403, or another [`Refusal`](crate::Refusal) as it arrived. The function of [`Builder::read_refusals`](crate::Builder::read_refusals) gets it.
pub struct RawRefusal<'r> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) challenges: &'r Challenges,
    pub(crate) body: &'r [u8],
    pub(crate) now: SystemTime,
}

impl RawRefusal<'_> {
    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.headers
    }

    /// Returns the challenges.
    #[must_use]
    pub fn challenges(&self) -> &Challenges {
        self.challenges
    }

    /// Returns the body, up to the limits that the middleware reads.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body
    }

    /// Returns what this crate reads in the refusal.
    #[must_use]
    pub fn problem(&self) -> Problem {
        read::read(self.status, self.headers, self.challenges, self.body, self.now)
    }
}

impl fmt::Debug for RawRefusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRefusal")
            .field("status", &self.status)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The caller's function that reads refusals.
pub(crate) type ReadRefusals = dyn Fn(&RawRefusal<'_>) -> Option<Problem> + Send + Sync;

/// The reader and the time with which a refusal is read.
pub(crate) struct Reading {
    pub(crate) of_caller: Option<Arc<ReadRefusals>>,
    pub(crate) now: SystemTime,
}

impl Reading {
    /// What the refusal says, and whether the caller's function read it.
    pub(super) fn read(&self, raw: &RawRefusal<'_>) -> (Problem, bool) {
        match self.of_caller.as_ref().and_then(|read| read(raw)) {
            Some(problem) => (problem, true),
            None => (raw.problem(), false),
        }
    }
}
