//! A response that may mean an expired credential.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::HeaderMap;
use http::{Method, StatusCode};
use reqwest::Url;

use super::facts::Facts;
use super::forbidden::{Forbidden, Inner};
use super::problem::Problem;
use super::refusal_getters::refusal_getters;
use super::report::AuthReport;
use crate::challenge::Challenges;

/// A response that may mean an expired credential, as the function of
/// [`Builder::expired_when`](crate::Builder::expired_when) gets it: a 403, or a 200 or 400 whose body
/// [`Builder::inspect_bodies`](crate::Builder::inspect_bodies) allows to read.
///
/// `Debug` shows no values.
#[derive(Clone)]
pub struct Refusal(Arc<Inner>);

impl Refusal {
    refusal_getters!();

    /// Returns how long the server asks the client to wait, counted from the arrival of the response (RFC 9110 §10.2.3). The
    /// value is at most a year.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.problem().retry_after
    }
}

impl Facts {
    /// The facts of a response whose error is not made, for the function of the caller.
    pub(crate) fn into_refusal(self) -> Refusal {
        Refusal(Arc::new(Inner { facts: self }))
    }
}

impl Forbidden {
    /// This 403 as a [`Refusal`], for the function of the caller.
    pub(crate) fn to_refusal(&self) -> Refusal {
        Refusal(self.0.clone())
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.facts.debug("Refusal", f)
    }
}
