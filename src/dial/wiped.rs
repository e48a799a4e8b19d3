//! Reads answers, and writes forms, that may have secrets in them: in memory that is wiped.

use bytes::Bytes;
use reqwest::Response;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// How much of an answer is read: tokens and metadata have some kilobytes.
const LONGEST: usize = 1 << 20;

/// The body, in memory that is wiped; `Ok(None)` is one that has more than 1 MiB.
///
/// # Errors
/// The network's.
pub(crate) async fn read(response: &mut Response) -> reqwest::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LONGEST {
            return Ok(None);
        }
        grow(&mut body, chunk.len());
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// Makes room without leaving a copy behind.
fn grow(body: &mut Zeroizing<Vec<u8>>, more: usize) {
    if body.capacity() - body.len() < more {
        let mut larger = Zeroizing::new(Vec::with_capacity((2 * body.capacity()).max(body.len() + more).max(4 << 10)));
        larger.extend_from_slice(body);
        *body = larger;
    }
}

/// `name=value&…` (RFC 6749 appendix B).
pub(crate) fn encoded<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)> + Clone) -> Bytes {
    // Room for every octet as `%XX`, so that nothing is left behind by growing.
    let room = pairs.clone().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let mut text = Zeroizing::new(String::with_capacity(room));
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.extend(byte_serialize(name.as_bytes()));
        text.push('=');
        text.extend(byte_serialize(value.as_bytes()));
    }
    Bytes::from_owner(Wiped(text))
}

struct Wiped(Zeroizing<String>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
