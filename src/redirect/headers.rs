//! Which header fields of a request go along with a redirect.

use http::header::{self, HeaderMap, HeaderName};

/// What goes along to another origin: fields that describe the content, what the client accepts, and conditions. They
/// carry no credential. A condition that is lost would make an unsafe request unconditional.
const SAFE: [HeaderName; 13] = [
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

/// What describes a body and goes along with it.
const OF_THE_BODY: [HeaderName; 4] =
    [header::CONTENT_ENCODING, header::CONTENT_LANGUAGE, header::CONTENT_LENGTH, header::CONTENT_TYPE];

/// Leaves what may go to another origin: no field outside the list, and no value that is marked as sensitive.
pub(super) fn keep_safe(headers: &mut HeaderMap) {
    retain(headers, |name| SAFE.contains(name) || OF_THE_BODY.contains(name));
    let sensitive: Vec<_> =
        headers.iter().filter(|(_, value)| value.is_sensitive()).map(|(name, _)| name.clone()).collect();
    for name in sensitive {
        headers.remove(name);
    }
}

/// Removes what describes a body that is not sent any more.
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
