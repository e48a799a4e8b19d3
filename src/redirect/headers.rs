//! Which header fields of a request are sent along with a redirect.

use http::header::{self, HeaderMap, HeaderName};

/// The fields that are sent to another origin: what the client accepts, and conditions. They carry no credential. Without
/// its condition, an unsafe request would become unconditional.
const SAFE_FIELDS: [HeaderName; 13] = [
    header::ACCEPT,
    header::ACCEPT_CHARSET,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CACHE_CONTROL,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::PRAGMA,
    header::RANGE,
    header::USER_AGENT,
];

/// The fields that describe a body and are removed with it.
const BODY_FIELDS: [HeaderName; 4] =
    [header::CONTENT_ENCODING, header::CONTENT_LANGUAGE, header::CONTENT_LENGTH, header::CONTENT_TYPE];

/// Removes every field that must not go to another origin: fields outside the list, and values that are marked as
/// sensitive.
pub(super) fn keep_safe(headers: &mut HeaderMap) {
    retain(headers, |name| SAFE_FIELDS.contains(name) || BODY_FIELDS.contains(name));
    let sensitive: Vec<_> =
        headers.iter().filter(|(_, value)| value.is_sensitive()).map(|(name, _)| name.clone()).collect();
    for name in sensitive {
        headers.remove(name);
    }
}

/// Removes the fields that describe a body that is no longer sent.
pub(super) fn drop_body(headers: &mut HeaderMap) {
    const OTHERS: [&str; 6] = ["digest", "expect", "repr-digest", "trailer", "transfer-encoding", "want-digest"];
    retain(headers, |name| !name.as_str().starts_with("content-") && !OTHERS.contains(&name.as_str()));
}

fn retain(headers: &mut HeaderMap, keeps: impl Fn(&HeaderName) -> bool) {
    let dropped: Vec<_> = headers.keys().filter(|name| !keeps(name)).cloned().collect();
    for name in dropped {
        headers.remove(name);
    }
}
