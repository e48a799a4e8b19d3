//! The hashes of Digest. They are computed over pieces that are joined by colons.

use md5::Md5;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512_256};

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

    /// The hash of the pieces, joined by colons, in lower-case hexadecimal.
    pub(super) fn of(self, pieces: &[&[u8]]) -> String {
        match self {
            Self::Md5 => hex::<Md5>(pieces),
            Self::Sha256 => hex::<Sha256>(pieces),
            Self::Sha512_256 => hex::<Sha512_256>(pieces),
        }
    }
}

fn hex<D: Digest>(pieces: &[&[u8]]) -> String {
    let mut hasher = D::new();
    for (number, piece) in pieces.iter().enumerate() {
        if number > 0 {
            hasher.update(b":");
        }
        hasher.update(piece);
    }
    encode(&hasher.finalize())
}

/// Lower-case hexadecimal.
pub(super) fn encode(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = vec![0; octets.len() * 2];
    for (pair, octet) in text.chunks_exact_mut(2).zip(octets) {
        pair.copy_from_slice(&[DIGITS[usize::from(octet >> 4)], DIGITS[usize::from(octet & 15)]]);
    }
    // The digits are ASCII, so this cannot fail.
    String::from_utf8(text).unwrap_or_default()
}
