//! The state of the parser in one line, and its smallest steps.

use super::defect::{DefectKind, StoredDefect};
use super::grammar::run_token;
use super::parsed::{Found, Line, Span};

/// The parser of one line.
pub(super) struct Parser<'a> {
    pub(super) lines: &'a [Line],
    /// The octets of the line.
    pub(super) line: &'a [u8],
    /// The next octet to read.
    pub(super) at: usize,
    /// The number of the line.
    pub(super) number: u16,
    pub(super) found: &'a mut Found,
    /// Whether the line ends inside of a quoted-string.
    pub(super) ends_in_quote: bool,
    /// How many octets were searched for the end of a quote that has none.
    pub(super) skipped: usize,
}

impl Parser<'_> {
    /// `token`, or nothing.
    #[inline]
    pub(super) fn name(&mut self) -> Span {
        let start = self.at;
        self.at = run_token(self.line, start);
        Span::new(start, self.at)
    }

    #[inline]
    pub(super) fn byte(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    #[inline]
    pub(super) fn defect(&mut self, kind: DefectKind, byte: usize) {
        // A hostile line has a defect in each of its octets.
        if !self.found.has_all_defects() {
            self.note(kind, byte);
        }
    }

    #[cold]
    pub(super) fn note(&mut self, kind: DefectKind, byte: usize) {
        self.found.note(StoredDefect { kind, line: self.number, byte: byte as u32 });
    }
}
