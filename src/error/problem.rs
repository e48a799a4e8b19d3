//! What a refusal says, and the caller's own reader of refusals.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use http::header::HeaderMap;

use crate::challenge::Challenges;
use crate::credential::Masker;
use crate::error::read;

/// What a server says about a refusal: a problem (RFC 9457) or another common shape, in JSON, XML, HTML, plain text or
/// header fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The error code, for programs. A number that repeats the status and `about:blank` do not count.
    pub code: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// The text for users.
    pub detail: Option<String>,
    /// An `http` or `https` URL with more information.
    pub help_url: Option<String>,
    /// The missing scopes that the body, or a field such as `X-Accepted-OAuth-Scopes`, names. The scopes of the
    /// challenges are not included.
    pub required_scopes: Vec<String>,
    /// How long the server asks the client to wait, counted from the arrival of the response.
    pub retry_after: Option<Duration>,
}

impl Problem {
    /// Masks the text of the server.
    pub(super) fn mask(&mut self, masker: &Masker) {
        self.code = self.code.take().map(|code| masker.mask_word(code));
        self.title = self.title.take().map(|text| masker.mask(text));
        self.detail = self.detail.take().map(|text| masker.mask(text));
        self.help_url = self.help_url.take().map(|url| masker.mask_certain(url));
        for scope in &mut self.required_scopes {
            *scope = masker.mask_word(std::mem::take(scope));
        }
    }

    /// The title and the text as one line, without repetition.
    pub(super) fn text(&self) -> Option<String> {
        let Some(detail) = &self.detail else { return self.title.clone() };
        let has_own = |title: &&String| !read::is_generic(title) && !detail.contains(&**title);
        let Some(title) = self.title.as_ref().filter(has_own) else { return Some(detail.clone()) };
        if read::is_generic(detail) || title.contains(&**detail) {
            return Some(title.clone());
        }
        let separator = if title.ends_with(['.', '!', '?', ':']) { " " } else { ": " };
        Some(format!("{title}{separator}{detail}"))
    }
}

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
