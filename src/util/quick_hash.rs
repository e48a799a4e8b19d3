//! A hash of a short text that costs less than the hash of the standard library.

/// A hash of the octets, with a key. It reads eight octets at a time. Use a random key if a server chooses the octets, and only
/// where two texts with the same hash do no harm.
#[inline]
pub(crate) fn quick_hash(key: u64, octets: &[u8]) -> u64 {
    let (eights, rest) = octets.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    // An odd number without a pattern in its bits: the golden ratio.
    let mix = |hash: u64, eight: &[u8; 8]| {
        (hash.rotate_left(5) ^ u64::from_le_bytes(*eight)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    };
    let hash = mix(eights.iter().fold(key ^ octets.len() as u64, mix), &last);
    // The high bits depend on all octets.
    hash ^ (hash >> 32)
}
