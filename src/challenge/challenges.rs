//! The challenges of a response.

use std::fmt;

use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

use super::challenge::Challenge;
use super::defect::{Defect, DefectKind, StoredDefect};
use super::parsed::{Line, Parsed};
use super::{grammar, parse, parsed};

/// The challenges of one response, in order, and the defects of the lines (RFC 9110 §11.6.1).
///
/// Parsing never fails: text that breaks the grammar gives a [`Defect`]. The challenges share the buffers of the header
/// values. The constants below bound their size. If a bound is reached, a defect says so.
///
/// `Debug` prints the names of known schemes and parameters and no values, because a server may repeat a secret. `Display`
/// prints everything.
#[derive(Clone, Default)]
pub struct Challenges(Parsed);

impl Challenges {
    /// The number of header lines of one response that are read. hyper accepts 100 header lines in all.
    pub const MAX_LINES: usize = parsed::MAX_LINES;
    /// The number of octets of one line that are read: 1 MiB, which is more than HTTP stacks accept.
    pub const MAX_LINE_LENGTH: usize = parsed::MAX_LINE_LENGTH;
    /// The number of challenges of one response that are read. Real servers send at most five.
    pub const MAX_CHALLENGES: usize = parsed::MAX_CHALLENGES;
    /// The number of parameters of one response that are read, in all challenges together.
    pub const MAX_PARAMS: usize = parsed::MAX_PARAMS;
    /// The number of defects of one response that are noted. The last one says that there are more.
    pub const MAX_DEFECTS: usize = parsed::MAX_DEFECTS;

    /// The challenges of all `WWW-Authenticate` lines.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        Self::from_values(headers.get_all(WWW_AUTHENTICATE))
    }

    /// The challenges of these field lines. Use this for a field with another name, such as `Proxy-Authenticate`.
    #[must_use]
    pub fn from_values<'v>(values: impl IntoIterator<Item = &'v HeaderValue>) -> Self {
        let mut read = Self::default();
        read.values(values);
        read
    }

    /// The challenges of one field line of raw bytes.
    ///
    /// Raw bytes can have control characters, unlike a `HeaderValue`. NUL, CR, LF and obs-fold are read as a space.
    #[must_use]
    pub fn parse(value: impl AsRef<[u8]>) -> Self {
        let mut read = Self::default();
        read.raw_line(value.as_ref());
        read
    }

    /// The challenges of several field lines of raw bytes.
    #[must_use]
    pub fn parse_lines<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Self {
        let mut read = Self::default();
        for value in values {
            read.raw_line(value.as_ref());
        }
        read.join();
        read
    }

    /// The challenges, in the order in which the server sent them.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter { challenges: self, next: 0 }
    }

    /// The first challenge of this scheme. The case of the name does not matter.
    #[must_use]
    pub fn get(&self, scheme: &str) -> Option<Challenge<'_>> {
        self.iter().find(|challenge| challenge.is(scheme))
    }

    /// The number of challenges.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.found.challenges.len()
    }

    /// Whether there is no challenge: there is no header line, or none in which a challenge can be read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.found.challenges.is_empty()
    }

    /// The defects of the lines, in the order in which the parser found them.
    pub fn defects(&self) -> impl ExactSizeIterator<Item = Defect<'_>> + Clone {
        self.0.found.defects.iter().map(|stored| Defect { stored, text: self.text_of(stored) })
    }

    /// Whether all lines follow the grammar of RFC 9110: there is no defect.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.0.found.defects.is_empty()
    }

    fn text_of(&self, defect: &StoredDefect) -> &[u8] {
        self.0.lines.get(usize::from(defect.line)).map_or(&[], Line::octets)
    }

    fn values<'v>(&mut self, values: impl IntoIterator<Item = &'v HeaderValue>) {
        for value in values {
            if value.len() > Self::MAX_LINE_LENGTH {
                self.long_line(value.as_bytes());
            } else {
                self.line(Line::Value(value.clone()));
            }
        }
        self.join();
    }

    #[inline]
    fn raw_line(&mut self, octets: &[u8]) {
        match grammar::without_forbidden(octets) {
            Some((clean, at)) => {
                self.note(DefectKind::ControlCharacter, at);
                self.long_line(&clean);
            }
            None if octets.len() > Self::MAX_LINE_LENGTH => self.long_line(octets),
            None => self.line(Line::Raw(octets.into())),
        }
    }

    #[inline]
    fn line(&mut self, line: Line) {
        if self.0.found.is_full || self.0.lines.len() >= Self::MAX_LINES {
            return self.refuse_line();
        }
        self.0.lines.push(line);
        self.0.found.is_cut |= parse::read_last(&self.0.lines, &mut self.0.found);
    }

    #[cold]
    fn refuse_line(&mut self) {
        if !self.0.found.is_full {
            self.note(DefectKind::TooManyLines, 0);
            self.0.found.is_full = true;
        }
    }

    /// Reads a line, up to the largest length that is read.
    #[cold]
    fn long_line(&mut self, line: &[u8]) {
        let mut end = line.len();
        if end > Self::MAX_LINE_LENGTH {
            self.note(DefectKind::LineTooLong, Self::MAX_LINE_LENGTH);
            // Cut at a comma, so that no value is cut. If the comma is inside of quotes, the parser notes a quote without an end.
            end = line[..Self::MAX_LINE_LENGTH].iter().rposition(|&octet| octet == b',').unwrap_or(0);
        }
        self.line(Line::Raw(line[..end].into()));
    }

    /// Notes a defect of the line that is read next.
    fn note(&mut self, kind: DefectKind, byte: usize) {
        let byte = byte.min(Self::MAX_LINE_LENGTH) as u32;
        self.0.found.note(StoredDefect { kind, line: self.0.lines.len() as u16, byte });
    }

    /// Reads the lines as one joined value (RFC 9110 §5.3) if a line ends inside of quotes. The result is used only if the
    /// joined value has no defect, because an open quote is far more often a mistake of the server than a split value.
    #[inline]
    fn join(&mut self) {
        if self.0.found.is_cut && self.0.lines.len() > 1 {
            self.reread_joined();
        }
    }

    #[cold]
    fn reread_joined(&mut self) {
        let joined = self.0.lines.iter().map(Line::octets).collect::<Vec<_>>().join(&b", "[..]);
        let mut whole = Self::default();
        whole.long_line(&joined);
        if whole.is_strict() {
            *self = whole;
        }
    }
}

impl<'a> IntoIterator for &'a Challenges {
    type Item = Challenge<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Prints all challenges as one field value, in canonical form.
impl fmt::Display for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, challenge) in self.iter().enumerate() {
            write!(f, "{}{challenge}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenges")
            .field("challenges", &self.iter().collect::<Vec<_>>())
            .field("defects", &self.defects().collect::<Vec<_>>())
            .finish()
    }
}

/// The challenges of a [`Challenges`], in order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    challenges: &'a Challenges,
    next: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Challenge<'a>;

    fn next(&mut self) -> Option<Challenge<'a>> {
        let number = self.next;
        self.next += usize::from(number < self.challenges.len());
        (number < self.next).then_some(Challenge { parsed: &self.challenges.0, number })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.challenges.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Iter<'_> {}
