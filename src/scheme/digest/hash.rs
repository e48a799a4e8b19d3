//! The hashes of Digest. They are computed over pieces that are joined by colons.

use std::sync::Arc;

use md5::Md5;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512_256};
use zeroize::Zeroize;

/// A hash of Digest, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hash {
    Md5,
    Sha256,
    Sha512_256,
}

impl Hash {
    /// Its name in challenges and answers.
    pub(super) fn name(self, sess: bool) -> &'static str {
        match (self, sess) {
            (Self::Md5, false) => "MD5",
            (Self::Md5, true) => "MD5-sess",
            (Self::Sha256, false) => "SHA-256",
            (Self::Sha256, true) => "SHA-256-sess",
            (Self::Sha512_256, false) => "SHA-512-256",
            (Self::Sha512_256, true) => "SHA-512-256-sess",
        }
    }

    /// The hash of the pieces, joined by colons. The first piece may be a secret, so it is not copied. The others are copied.
    pub(super) fn of(self, first: &[u8], others: &[&[u8]]) -> Hex {
        match self {
            Self::Md5 => hash::<Md5>(first, others),
            Self::Sha256 => hash::<Sha256>(first, others),
            Self::Sha512_256 => hash::<Sha512_256>(first, others),
        }
    }
}

fn hash<D: Digest>(first: &[u8], others: &[&[u8]]) -> Hex {
    let mut hasher = Joining { hasher: D::new_with_prefix(first), buffer: [0; 256], length: 0 };
    for piece in others {
        hasher.add(b":");
        hasher.add(piece);
    }
    hasher.flush();
    Hex::of(&hasher.hasher.finalize())
}

/// A hasher that joins short pieces, because each update of a hasher has a cost.
struct Joining<D> {
    hasher: D,
    buffer: [u8; 256],
    length: usize,
}

impl<D: Digest> Joining<D> {
    #[inline]
    fn add(&mut self, piece: &[u8]) {
        if piece.len() > self.buffer.len() - self.length {
            self.flush();
        }
        match self.buffer.get_mut(self.length..self.length + piece.len()) {
            Some(free) => {
                free.copy_from_slice(piece);
                self.length += piece.len();
            }
            None => self.hasher.update(piece),
        }
    }

    fn flush(&mut self) {
        self.hasher.update(&self.buffer[..self.length]);
        self.length = 0;
    }
}

/// At most 32 octets in lower-case hexadecimal. It is not allocated.
pub(super) struct Hex {
    digits: [u8; 64],
    length: usize,
}

impl Hex {
    /// The digits of these octets. Octets after the 32nd are left out.
    pub(super) fn of(octets: &[u8]) -> Self {
        let mut digits = [0; 64];
        let (pairs, _) = digits.as_chunks_mut::<2>();
        for (pair, octet) in pairs.iter_mut().zip(octets) {
            *pair = PAIRS[usize::from(*octet)];
        }
        Self { digits, length: (2 * octets.len()).min(64) }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.digits[..self.length]
    }

    pub(super) fn to_text(&self) -> Arc<str> {
        // The digits are ASCII, so this cannot fail.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default().into()
    }
}

/// A hash of a password can replace the password.
impl Zeroize for Hex {
    fn zeroize(&mut self) {
        self.digits.zeroize();
    }
}

/// The two digits of each octet.
static PAIRS: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut octet = 0;
    while octet < 256 {
        pairs[octet] = [DIGITS[octet >> 4], DIGITS[octet & 15]];
        octet += 1;
    }
    pairs
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_length_are_hashed_like_one_text() {
        let text = "x".repeat(600);
        for lengths in [[0, 0, 0], [1, 2, 3], [254, 1, 0], [255, 255, 256], [256, 300, 5], [40, 600, 40]] {
            let pieces = lengths.map(|length| &text.as_bytes()[..length]);
            let joined = pieces.join(&b':');
            for hash in [Hash::Md5, Hash::Sha256, Hash::Sha512_256] {
                let [first, others @ ..] = &pieces;
                assert_eq!(hash.of(first, others).as_bytes(), hash.of(&joined, &[]).as_bytes(), "{lengths:?}");
            }
        }
    }
}
