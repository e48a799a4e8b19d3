//! What the server says about a refusal.

use std::time::Duration;

use super::read::is_generic;
use crate::credential::Masker;

/// What a server says about a refusal. It is read from a problem (RFC 9457) or another common format: JSON, XML, HTML, plain
/// text or header fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The error code, for programs. A number that repeats the status, and `about:blank`, are not codes.
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
    /// Masks the credentials that the server's text repeats.
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
        let adds_text = |title: &&String| !is_generic(title) && !detail.contains(&**title);
        let Some(title) = self.title.as_ref().filter(adds_text) else { return Some(detail.clone()) };
        if is_generic(detail) || title.contains(&**detail) {
            return Some(title.clone());
        }
        let separator = if title.ends_with(['.', '!', '?', ':']) { " " } else { ": " };
        Some(format!("{title}{separator}{detail}"))
    }
}
