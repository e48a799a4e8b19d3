//! Finds long pieces of a token, such as one part of a JWT, or the end of a token whose beginning was cut off.

use std::ops::Range;

use super::certain::is_certain;
use super::views::View;

/// The bounds of the shortest piece that is masked, in octets. Between them, it is half of the token.
const MIN_PIECE: usize = 8;
const MAX_PIECE: usize = 12;

/// The shortest piece without a digit that is masked. A shorter one may be an ordinary word.
const MIN_PIECE_WITHOUT_DIGIT: usize = 16;

/// The pieces of one length that a token contains. A text that contains one of them may contain a part of the token.
#[derive(PartialEq, Eq)]
pub(super) struct Pieces {
    length: usize,
    /// The hashes of all pieces of this length, sorted. If another piece of a text has the same hash, it is masked
    /// without need.
    known: Vec<u64>,
}

impl Pieces {
    /// The pieces of a secret in lower case. `None` if the secret is not a token: it has no digit, or a character that
    /// no token has, such as a blank or a quotation mark.
    pub(super) fn of(secret: &[u8]) -> Option<Self> {
        let is_token = |octet: &u8| octet.is_ascii_alphanumeric() || b"-._~+/=".contains(octet);
        let length = (secret.len() / 2).clamp(MIN_PIECE, MAX_PIECE);
        if secret.len() <= length || !secret.iter().all(is_token) || !secret.iter().any(u8::is_ascii_digit) {
            return None;
        }
        let mut known: Vec<_> = hashes(secret, length).collect();
        known.sort_unstable();
        Some(Self { length, known })
    }

    /// Adds the places of the pieces in the view to `found`. Pieces that overlap become one place.
    pub(super) fn find(&self, view: &View, found: &mut Vec<Range<usize>>) {
        let text = view.octets.to_ascii_lowercase();
        let mut run: Option<Range<usize>> = None;
        for (start, hash) in hashes(&text, self.length).enumerate() {
            if self.known.binary_search(&hash).is_err() {
                continue;
            }
            let end = start + self.length;
            run = match run {
                Some(run) if start <= run.end => Some(run.start..end),
                other => {
                    Self::keep(other, &text, view, found);
                    Some(start..end)
                }
            };
        }
        Self::keep(run, &text, view, found);
    }

    /// Adds the place of a run of overlapping pieces, unless the run may be ordinary words.
    fn keep(run: Option<Range<usize>>, text: &[u8], view: &View, found: &mut Vec<Range<usize>>) {
        let Some(run) = run else { return };
        let piece = &text[run.clone()];
        let is_unlike_words = piece.len() >= MIN_PIECE_WITHOUT_DIGIT || piece.iter().any(u8::is_ascii_digit);
        if is_unlike_words && std::str::from_utf8(piece).is_ok_and(is_certain) {
            found.push(view.place(run));
        }
    }
}

/// The hash of each piece of this length. Each hash is computed from the one before (Rabin and Karp).
fn hashes(text: &[u8], length: usize) -> impl Iterator<Item = u64> + '_ {
    const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
    let leaving = (0..length).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let mut hash = 0_u64;
    let rolled = text.iter().enumerate().map(move |(at, &octet)| {
        let left = at.checked_sub(length).map_or(0, |first| leaving.wrapping_mul(u64::from(text[first])));
        hash = hash.wrapping_mul(BASE).wrapping_add(u64::from(octet)).wrapping_sub(left);
        hash
    });
    rolled.skip(length - 1)
}
