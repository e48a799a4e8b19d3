//! Finds one secret in a text, in linear time (Knuth, Morris and Pratt).

use std::ops::Range;

use zeroize::Zeroizing;

use super::pieces::Pieces;
use super::views::View;

/// A secret to search for.
#[derive(PartialEq, Eq)]
pub(super) struct Needle {
    octets: Zeroizing<Vec<u8>>,
    /// The failure table: for each octet, the length of the longest prefix of the secret that ends there.
    table: Vec<usize>,
    /// Whether the secret is found wherever it occurs, and not only where it stands alone.
    pub(super) is_certain: bool,
    /// The length of the shortest prefix that is masked at the end of a truncated text.
    min_prefix: usize,
    pieces: Option<Pieces>,
}

/// The shortest prefix of a secret that is masked at the end of a truncated text, in octets.
const MIN_PREFIX: usize = 8;

/// The shortest secret that is searched in decoded octets. A shorter one occurs there by chance.
const MIN_DECODED: usize = 4;

impl Needle {
    /// Prepares the search for a secret whose first `public` octets are not secret.
    pub(super) fn new(secret: &str, is_certain: bool, public: usize) -> Self {
        // A server may repeat the secret without the padding of base64.
        let trimmed = secret.trim_end_matches('=');
        let secret = if is_certain && trimmed.len() > 4 { trimmed } else { secret };
        let mut octets = Zeroizing::new(secret.as_bytes().to_vec());
        if is_certain {
            octets.make_ascii_lowercase();
        }
        let mut table = vec![0; octets.len()];
        let mut length = 0;
        for at in 1..octets.len() {
            while length > 0 && octets[length] != octets[at] {
                length = table[length - 1];
            }
            length += usize::from(octets[length] == octets[at]);
            table[at] = length;
        }
        let pieces = if is_certain { Pieces::of(&octets) } else { None };
        Self { octets, table, is_certain, min_prefix: public + MIN_PREFIX, pieces }
    }

    /// Whether the secret contains a space. A form encodes it as `+`.
    pub(super) fn has_blank(&self) -> bool {
        self.octets.contains(&b' ')
    }

    /// Whether the secret is long enough not to occur by chance in decoded octets.
    pub(super) fn is_long(&self) -> bool {
        self.octets.len() >= MIN_DECODED
    }

    /// Whether the text equals the secret.
    pub(super) fn is(&self, text: &str) -> bool {
        *self.octets == text.as_bytes()
    }

    /// Adds the places of the secret in the view to `found`.
    pub(super) fn find(&self, view: &View, found: &mut Vec<Range<usize>>) {
        let mut length = 0;
        for (at, &octet) in view.octets.iter().enumerate() {
            if self.is_cut(length) && view.is_cut_at(at) {
                found.push(view.place(at - length..at));
            }
            let octet = if self.is_certain { octet.to_ascii_lowercase() } else { octet };
            while length > 0 && (length == self.octets.len() || self.octets[length] != octet) {
                length = self.table[length - 1];
            }
            length += usize::from(self.octets[length] == octet);
            if length == self.octets.len() {
                let range = at + 1 - length..at + 1;
                if self.is_certain {
                    found.push(view.place(view.with_padding(range)));
                } else if view.stands_alone(&range) {
                    found.push(view.place(range));
                }
            }
        }
        let end = view.octets.len();
        if self.is_cut(length) && view.is_cut_at(end) {
            found.push(view.place(end - length..end));
        }
        if let Some(pieces) = &self.pieces {
            pieces.find(view, found);
        }
    }

    /// Whether a prefix of this length is masked where the text is truncated.
    fn is_cut(&self, length: usize) -> bool {
        self.is_certain && length >= self.min_prefix && length < self.octets.len()
    }
}
