//! Reads `Authorization: Basic`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;

use crate::message::ReceivedRequest;

/// The `user:password` of a request with `Authorization: Basic` (RFC 7617 §2). Empty if it cannot be decoded.
pub(crate) fn basic_pair(request: &ReceivedRequest) -> Option<String> {
    let (scheme, encoded) = request.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let pair = || String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok();
    scheme.eq_ignore_ascii_case("basic").then(|| pair().unwrap_or_default())
}
