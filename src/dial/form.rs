//! A form that has secrets in it, as a body (RFC 6749 appendix B).

use bytes::Bytes;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// `name=value&…`, in memory that is wiped.
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
