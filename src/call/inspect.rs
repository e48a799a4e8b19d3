//! Chooses the bodies that are read although the caller gets them, because they may say that the credential has expired.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use http::{Method, StatusCode};
use reqwest::Response;

use super::call::{Call, End};
use super::peek::peek;
use crate::error::Body;

/// What was seen in the body of a response that is passed on.
#[derive(Default)]
pub(super) struct Seen {
    /// The whole body. Empty if it was not read.
    pub(super) body: Bytes,
    /// Whether it means that the credential has expired.
    pub(super) is_expired: bool,
}

impl Call<'_> {
    /// Passes on a response that is neither a 401 nor a 403. If the caller allows it, the body is read first, and put back.
    pub(super) async fn inspect_and_pass(&mut self, response: &mut Response) -> End {
        let seen = match self.inspect_limit(response) {
            // Boxed, because nearly no client inspects bodies, and each call would need memory for it.
            Some(limit) => Box::pin(self.inspect(response, limit)).await,
            None => Seen::default(),
        };
        self.pass(response, &seen)
    }

    /// How many bytes of the body are read before the response is passed on. `None` if the body is not read: nothing in it can
    /// mean that the credential of this middleware has expired, or its length is not suitable.
    pub(super) fn inspect_limit(&self, response: &Response) -> Option<usize> {
        let settings = &self.shared.settings;
        let limit = settings.verdicts.as_ref()?.inspect_limit.filter(|_| settings.expired_when.is_some())?;
        let carried_credential = self.report.signed.is_some_and(|signed| signed.generation > 0);
        let has_body = !matches!(*self.sent.method(), Method::HEAD | Method::CONNECT);
        let is_inspected = carried_credential
            && has_body
            && matches!(response.status(), StatusCode::OK | StatusCode::BAD_REQUEST)
            && !self.target().is_foreign(response)
            && response.content_length().is_none_or(|length| (1..=limit as u64).contains(&length))
            && is_readable(response.headers());
        is_inspected.then_some(limit)
    }

    async fn inspect(&self, response: &mut Response, limit: usize) -> Seen {
        let read = peek(response, limit, self.shared.settings.body_timeout).await;
        let Some(body) = read else { return Seen::default() };
        let is_expired = self.means_expired(response, || {
            let body = Body { bytes: body.clone(), whole: true };
            self.facts_of(response, response.headers().clone(), body, self.masking_report()).into_refusal()
        });
        Seen { body, is_expired }
    }
}

/// Whether the body can be read as a text, and is not an endless stream of events. A body without a `Content-Type`
/// can be a text.
fn is_readable(headers: &HeaderMap) -> bool {
    // reqwest removes `Content-Encoding` if it decompresses the body.
    if headers.get_all(CONTENT_ENCODING).iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return false;
    }
    let Some(media) = headers.get(CONTENT_TYPE) else { return true };
    let media = media.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    let media = media.trim().to_ascii_lowercase();
    match media.split_once('/') {
        Some(("text", kind)) => kind != "event-stream",
        Some(("application", kind)) => {
            matches!(kind, "json" | "xml" | "x-www-form-urlencoded")
                || kind.ends_with("+json")
                || kind.ends_with("+xml")
        }
        _ => false,
    }
}
