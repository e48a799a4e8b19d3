//! What a mock does at a path.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::answer::Answer;
use crate::api::{Route, State};
use crate::arrived::Arrived;
use crate::gate::Gate;
use crate::protection::Protection;
use reqwest_challenge::support::is_scope_token;

/// What a mock does at a path. Each method changes it at once, also while requests are open.
#[derive(Clone)]
pub struct At<'a> {
    pub(super) state: &'a State,
    pub(super) path: String,
}

impl At<'_> {
    fn change(&self, change: impl FnOnce(&mut Route)) {
        change(self.state.lock().entry(self.path.clone()).or_default());
    }

    fn changed(self, change: impl FnOnce(&mut Route)) -> Self {
        self.change(change);
        self
    }

    /// It takes such a credential, and refuses whoever has none.
    pub fn takes(self, protection: Protection) -> Self {
        self.changed(|route| route.protection = Some(Some(protection)))
    }

    /// Serves the path without a credential.
    pub fn open(self) -> Self {
        self.changed(|route| (route.protection, route.scope) = (Some(None), None))
    }

    /// It asks for that scope: 403 `insufficient_scope` for a credential that lacks it. It takes bearer tokens, unless it was
    /// said what it takes.
    ///
    /// # Panics
    /// If it is no scope (RFC 6749 §3.3): one word of printable ASCII without quotes and backslashes.
    #[track_caller]
    pub fn requires(self, scope: &str) -> Self {
        assert!(is_scope_token(scope), "`{}` is no scope", scope.escape_debug());
        self.protected().changed(|route| route.scope = Some(scope.to_owned()))
    }

    /// It takes bearer tokens, if it was not said what it takes.
    fn protected(self) -> Self {
        match self.state.route(&self.path).protection {
            None => self.takes(Protection::bearer()),
            Some(_) => self,
        }
    }

    /// Its 401s carry these lines as they are, in place of a proper challenge: several on one line, several lines, broken ones.
    /// It takes bearer tokens, unless it was said what it takes.
    pub fn challenges_with<'c>(self, lines: impl IntoIterator<Item = &'c str>) -> Self {
        let lines = lines.into_iter().map(str::to_owned).collect();
        self.protected().changed(|route| route.challenges = Some(lines))
    }

    /// Its 401s carry no challenge: a server's fault, and common.
    pub fn challenges_with_nothing(self) -> Self {
        self.challenges_with([])
    }

    /// It says 403 of a credential that is expired, revoked or unknown: a server's fault, and common.
    pub fn says_403_for_expired(self) -> Self {
        self.changed(|route| route.expired_is_forbidden = true)
    }

    /// It answers that to whoever is let in.
    pub fn answers(self, answer: Answer) -> Self {
        self.answers_by(move |_| answer.clone())
    }

    /// It answers that to whoever is let in, by the request.
    pub fn answers_by(self, answer: impl Fn(&Arrived) -> Answer + Send + Sync + 'static) -> Self {
        self.changed(|route| route.answers = Some(Arc::new(answer)))
    }

    /// It redirects whoever is let in to that URL, by 307.
    pub fn redirects_to(self, url: impl AsRef<str>) -> Self {
        self.answers(Answer::redirect(url))
    }

    /// Delays each answer by that span, refusals too.
    pub fn delay(self, span: Duration) -> Self {
        self.changed(|route| route.delay = Some(span))
    }

    /// Holds each answer until the gate lets it through, refusals too.
    pub fn hold_until(self, gate: &Gate) -> Self {
        self.changed(|route| route.gate = Some(gate.clone()))
    }

    /// The body of each of its answers, refusals too, is the header of the request: a server that echoes what it was sent.
    pub fn echoes(self) -> Self {
        self.changed(|route| route.echoes = true)
    }
}

impl fmt::Debug for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("At").field("path", &self.path).finish_non_exhaustive()
    }
}
