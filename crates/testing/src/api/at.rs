//! Configures one path of a mock API.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest_challenge::support::is_scope_token;

use super::route::{Access, Route, State};
use crate::message::{Answer, ReceivedRequest};
use crate::protection::Protection;
use crate::timing::Gate;

/// Configures one path of a [`MockApi`](crate::MockApi) and all paths below it. Each method takes effect at once, also
/// while requests are open.
#[derive(Clone)]
pub struct At<'a> {
    state: &'a State,
    path: String,
}

impl<'a> At<'a> {
    pub(super) fn new(state: &'a State, path: String) -> Self {
        Self { state, path }
    }

    fn change(self, change: impl FnOnce(&mut Route)) -> Self {
        change(self.state.lock().entry(self.path.clone()).or_default());
        self
    }

    /// Requires a credential of this kind. The answer to a request without one is 401.
    pub fn accepts(self, protection: Protection) -> Self {
        self.change(|route| route.protection = Some(Access::Protected(protection)))
    }

    /// Requires no credential.
    pub fn open(self) -> Self {
        self.change(|route| (route.protection, route.scope) = (Some(Access::Open), None))
    }

    /// Requires this scope. The answer to a credential without it is 403 `insufficient_scope`. If the path has no
    /// protection yet, it requires bearer tokens.
    ///
    /// # Panics
    /// If the text is not a scope: one word of printable ASCII without quotes and backslashes (RFC 6749 §3.3).
    #[track_caller]
    pub fn requires(self, scope: &str) -> Self {
        assert!(is_scope_token(scope), "`{}` is not a scope: write one word, such as `read`", scope.escape_debug());
        self.protected().change(|route| route.scope = Some(scope.to_owned()))
    }

    /// Requires bearer tokens, if the path has no protection yet.
    fn protected(self) -> Self {
        match self.state.route(&self.path).protection {
            None => self.accepts(Protection::bearer()),
            Some(_) => self,
        }
    }

    /// Sets the `WWW-Authenticate` fields of each 401, byte for byte: several challenges in one field, several fields, or
    /// malformed ones. If the path has no protection yet, it requires bearer tokens.
    pub fn challenges_with<'c>(self, lines: impl IntoIterator<Item = &'c str>) -> Self {
        let lines = lines.into_iter().map(str::to_owned).collect();
        self.protected().change(|route| route.challenges = Some(lines))
    }

    /// Removes the challenge from each 401. Some servers do this, although RFC 9110 requires a challenge.
    pub fn challenges_with_nothing(self) -> Self {
        self.challenges_with([])
    }

    /// Answers 403 to an expired, revoked or unknown token. Some servers do this, although 401 is the right status.
    pub fn forbids_invalid_tokens(self) -> Self {
        self.change(|route| route.forbids_invalid_tokens = true)
    }

    /// Sets the answer to an accepted request.
    pub fn answers(self, answer: Answer) -> Self {
        self.answers_with(move |_| answer.clone())
    }

    /// Sets a function that makes the answer to an accepted request.
    pub fn answers_with(self, answer: impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static) -> Self {
        self.change(|route| route.answers = Some(Arc::new(answer)))
    }

    /// Redirects an accepted request to this URL with 307.
    pub fn redirects_to(self, url: impl AsRef<str>) -> Self {
        self.answers(Answer::redirect(url))
    }

    /// Delays each answer by this span, including refusals.
    pub fn delay(self, span: Duration) -> Self {
        self.change(|route| route.delay = Some(span))
    }

    /// Holds each answer back until the gate lets it pass, including refusals.
    pub fn hold_until(self, gate: &Gate) -> Self {
        self.change(|route| route.gate = Some(gate.clone()))
    }

    /// Sends the header fields of the request as the body of each answer, including refusals. Such a server repeats the
    /// credential.
    pub fn echoes(self) -> Self {
        self.change(|route| route.echoes = true)
    }
}

impl fmt::Debug for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("At").field("path", &self.path).finish_non_exhaustive()
    }
}
