//! The configuration of a path.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::message::{Answer, ReceivedRequest};
use crate::protection::{Protection, Tokens};
use crate::timing::Gate;
use crate::util::lock;

/// The state of an API, which all requests share.
pub(super) struct State {
    routes: Mutex<BTreeMap<String, Route>>,
    pub(super) tokens: Tokens,
}

pub(super) type Answers = dyn Fn(&ReceivedRequest) -> Answer + Send + Sync;

/// The configuration of a path.
#[derive(Clone, Default)]
pub(super) struct Route {
    /// `None` inherits the protection of the path above.
    pub(super) protection: Option<Access>,
    pub(super) scope: Option<String>,
    pub(super) challenges: Option<Vec<String>>,
    /// Whether the API answers 403 to an expired, revoked or unknown token.
    pub(super) forbids_invalid_tokens: bool,
    pub(super) answers: Option<Arc<Answers>>,
    pub(super) delay: Option<Duration>,
    pub(super) gate: Option<Gate>,
    /// Whether each answer repeats the header fields of the request.
    pub(super) echoes: bool,
}

/// Whether a path requires a credential.
#[derive(Clone)]
pub(super) enum Access {
    Open,
    Protected(Protection),
}

impl State {
    pub(super) fn new(tokens: Tokens) -> Self {
        Self { routes: Mutex::default(), tokens }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Route>> {
        lock(&self.routes)
    }

    /// The configuration of a path, merged with those of the paths above it.
    pub(super) fn route(&self, path: &str) -> Route {
        let routes = self.lock();
        let is_above =
            |other: &str| path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        // The map sorts the paths, so a path comes after those above it.
        let all = routes.iter().filter(|(path, _)| is_above(path)).map(|(_, route)| route.clone());
        all.fold(Route::default(), Route::merge)
    }
}

impl Route {
    /// This configuration, overridden by that of a path below it.
    fn merge(self, below: Self) -> Self {
        // The scope belongs to the protection. Another protection does not inherit it.
        let scope = if below.protection.is_some() { below.scope } else { below.scope.or(self.scope) };
        Self {
            protection: below.protection.or(self.protection),
            scope,
            challenges: below.challenges.or(self.challenges),
            forbids_invalid_tokens: below.forbids_invalid_tokens || self.forbids_invalid_tokens,
            answers: below.answers.or(self.answers),
            delay: below.delay.or(self.delay),
            gate: below.gate.or(self.gate),
            echoes: below.echoes || self.echoes,
        }
    }

    /// The protection, if the path is not open.
    pub(super) fn protection(&self) -> Option<&Protection> {
        match &self.protection {
            Some(Access::Protected(protection)) => Some(protection),
            Some(Access::Open) | None => None,
        }
    }
}
