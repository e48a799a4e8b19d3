//! Finds one secret in a text, in time that is linear in both (Knuth, Morris and Pratt).

use std::ops::Range;

use zeroize::Zeroizing;

use super::pieces::Pieces;
use super::views::View;

/// A secret that is looked for.
#[derive(PartialEq, Eq)]
pub(super) struct Needle {
    octets: Zeroizing<Vec<u8>>,
    /// For each octet, how many before it are also the first ones.
    table: Vec<usize>,
    /// Whether it is found wherever it stands; else only where it stands alone.
    pub(super) certain: bool,
    /// The shortest beginning that counts where a text was cut.
    least: usize,
    pieces: Option<Pieces>,
}

/// How long the beginning of a secret is that is shown by nobody.
const BEGINNING: usize = 8;

impl Needle {
    /// Of a secret, whose first octets may be public.
    pub(super) fn new(secret: &str, certain: bool, public: usize) -> Self {
        // The padding of base64 may be left out.
        let trimmed = secret.trim_end_matches('=');
        let secret = if certain && trimmed.len() > 4 { trimmed } else { secret };
        let mut octets = Zeroizing::new(secret.as_bytes().to_vec());
        if certain {
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
        let pieces = if certain { Pieces::of(&octets) } else { None };
        Self { octets, table, certain, least: public + BEGINNING, pieces }
    }

    pub(super) fn has_blank(&self) -> bool {
        self.octets.contains(&b' ')
    }

    /// Whether it is long enough to be told from noise that was decoded.
    pub(super) fn is_long(&self) -> bool {
        self.octets.len() >= 4
    }

    /// Whether the text is the secret.
    pub(super) fn is(&self, text: &str) -> bool {
        *self.octets == text.as_bytes()
    }

    /// Adds the places where it stands in the text of the view.
    pub(super) fn find(&self, view: &View, found: &mut Vec<Range<usize>>) {
        let mut length = 0;
        for (at, &octet) in view.octets.iter().enumerate() {
            if self.is_cut(length) && view.is_cut_at(at) {
                found.push(view.place(at - length..at));
            }
            let octet = if self.certain { octet.to_ascii_lowercase() } else { octet };
            while length > 0 && (length == self.octets.len() || self.octets[length] != octet) {
                length = self.table[length - 1];
            }
            length += usize::from(self.octets[length] == octet);
            if length == self.octets.len() {
                let range = at + 1 - length..at + 1;
                if self.certain {
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

    /// Whether so much of its beginning is masked where the text ends.
    fn is_cut(&self, length: usize) -> bool {
        self.certain && length >= self.least && length < self.octets.len()
    }
}
