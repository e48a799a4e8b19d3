//! A refusal as it arrived, and the caller's reader of refusals.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::StatusCode;
use http::header::HeaderMap;

use super::problem::Problem;
use super::read;
use crate::challenge::Challenges;

/// A 401 or 403 as it arrived, for [`Builder::read_refusals`](crate::Builder::read_refusals).
pub struct RawRefusal<'r> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) challenges: &'r Challenges,
    pub(crate) body: &'r [u8],
    pub(crate) now: SystemTime,
}

impl RawRefusal<'_> {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The header.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.headers
    }

    /// The challenges.
    #[must_use]
    pub fn challenges(&self) -> &Challenges {
        self.challenges
    }

    /// The body, up to the limit that was read.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body
    }

    /// What this crate reads in the refusal.
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

/// The caller's own reader.
pub(crate) type ReadRefusals = dyn Fn(&RawRefusal<'_>) -> Option<Problem> + Send + Sync;

/// The reader and the time with which a refusal is read.
pub(crate) struct Reading {
    pub(crate) callers: Option<Arc<ReadRefusals>>,
    pub(crate) now: SystemTime,
}

impl Reading {
    /// What the refusal says, and whether the caller's reader said it.
    pub(super) fn read(&self, raw: &RawRefusal<'_>) -> (Problem, bool) {
        match self.callers.as_ref().and_then(|read| read(raw)) {
            Some(problem) => (problem, true),
            None => (raw.problem(), false),
        }
    }
}
