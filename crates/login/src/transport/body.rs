//! Reads responses and writes forms that may contain secrets, in memory that is wiped.

use bytes::Bytes;
use reqwest::Response;
use reqwest_challenge::support::{BodyEnd, read_chunks};
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// The longest body that is read. Tokens and metadata have a few kilobytes.
const MAX_BODY: usize = 1 << 20;

/// Reads the body into memory that is wiped. Returns `Ok(None)` if it has more than 1 MiB.
///
/// # Errors
/// Returns the error of the network.
pub(crate) async fn read_body(response: &mut Response) -> reqwest::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut body = Zeroizing::new(Vec::new());
    let end = read_chunks(response, MAX_BODY, |chunk| {
        reserve(&mut body, chunk.len());
        body.extend_from_slice(&chunk);
    });
    Ok((end.await? == BodyEnd::Whole).then_some(body))
}

/// Grows the buffer without leaving a copy of the old one.
fn reserve(body: &mut Zeroizing<Vec<u8>>, more: usize) {
    if body.capacity() - body.len() < more {
        let mut larger = Zeroizing::new(Vec::with_capacity((2 * body.capacity()).max(body.len() + more).max(4 << 10)));
        larger.extend_from_slice(body);
        *body = larger;
    }
}

/// Writes `name=value&…` (RFC 6749 appendix B).
pub(crate) fn encode_form<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)> + Clone) -> Bytes {
    // Reserves space for every octet as `%XX`, so that growing leaves no copy.
    let capacity = pairs.clone().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let mut text = Zeroizing::new(String::with_capacity(capacity));
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.extend(byte_serialize(name.as_bytes()));
        text.push('=');
        text.extend(byte_serialize(value.as_bytes()));
    }
    Bytes::from_owner(WipedText(text))
}

/// Text that is wiped after the request has been sent.
struct WipedText(Zeroizing<String>);

impl AsRef<[u8]> for WipedText {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
