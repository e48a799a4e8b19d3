//! Reading `WWW-Authenticate`: challenges, their parameters, their defects (RFC 9110 §11).
//!
//! ```
//! use reqwest_challenge::Challenges;
//!
//! let read = Challenges::parse(r#"Negotiate, Bearer realm="api", error=https://example.com/, scope="a b""#);
//! let bearer = read.get("bearer").unwrap();
//! assert_eq!(bearer.realm().as_deref(), Some("api"));
//! assert_eq!(bearer.param("SCOPE").as_deref(), Some("a b"));
//! assert_eq!(read.defects().next().unwrap().to_string(), "line 1, byte 42: a value that is no token is not quoted (RFC 9110 §11.2)");
//! ```

use super::challenge::Challenge;
use super::defect::Place;
use super::defect::{Defect, Rule};
use super::{grammar, list, parse};
use std::fmt;

use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

use super::list::{Line, Parsed};

/// The challenges of one response: everything that could be read, in order, and the defects of the rest (RFC 9110 §11.6.1).
///
/// Reading never fails. The list owns its text by sharing the header values' buffers; it is bounded by the constants
/// below, and says so by a defect where one of them was met.
///
/// `Debug` names the schemes and parameters that are in use, and shows no values: a server can echo a secret. `Display` writes
/// everything.
#[derive(Clone, Default)]
pub struct Challenges(Parsed);

impl Challenges {
    /// How many header lines of one response are read: more than the 100 header lines that hyper accepts in all.
    pub const MAX_LINES: usize = list::MAX_LINES;
    /// How many octets of one line are read: 1 MiB, above what HTTP/1.1 and HTTP/2 stacks let through.
    pub const MAX_LINE_LENGTH: usize = list::MAX_LINE_LENGTH;
    /// How many challenges of one response are read: 256, where the longest seen from real servers had five.
    pub const MAX_CHALLENGES: usize = list::MAX_CHALLENGES;
    /// How many parameters of one response are read: 1,024 in all challenges together.
    pub const MAX_PARAMS: usize = list::MAX_PARAMS;
    /// How many defects of one response are noted: 64. The last of them says that there were more.
    pub const MAX_DEFECTS: usize = list::MAX_DEFECTS;

    /// The challenges of all `WWW-Authenticate` lines.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        Self::from_values(headers.get_all(WWW_AUTHENTICATE))
    }

    /// The challenges of these field lines, for a field of another name such as `Proxy-Authenticate`.
    #[must_use]
    pub fn from_values<'v>(values: impl IntoIterator<Item = &'v HeaderValue>) -> Self {
        let mut read = Self::default();
        for value in values {
            if value.len() > Self::MAX_LINE_LENGTH {
                read.long_line(value.as_bytes());
            } else {
                read.line(Line::Value(value.clone()));
            }
        }
        read.join();
        read
    }

    /// The challenges of one field line of raw bytes.
    ///
    /// Unlike a `HeaderValue` it can have control characters: NUL, CR, LF and obs-fold are read as a space.
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

    /// The challenges, in the order in which they came.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter { of: self, next: 0 }
    }

    /// The first challenge of that scheme, in any case.
    #[must_use]
    pub fn get(&self, scheme: &str) -> Option<Challenge<'_>> {
        self.iter().find(|challenge| challenge.is(scheme))
    }

    /// How many challenges there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.found.challenges.len()
    }

    /// Whether no challenge could be read: there was no header, or nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.found.challenges.is_empty()
    }

    /// What the lines break, in the order in which it was seen.
    pub fn defects(&self) -> impl ExactSizeIterator<Item = Defect<'_>> + Clone {
        self.0.found.defects.iter().map(|place| Defect { place, text: self.text_of(place) })
    }

    /// Whether RFC 9110's grammar was met: there is no defect.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.0.found.defects.is_empty()
    }

    fn text_of(&self, place: &Place) -> &[u8] {
        self.0.lines.get(usize::from(place.line)).map_or(&[], Line::octets)
    }

    #[inline]
    fn raw_line(&mut self, octets: &[u8]) {
        match grammar::without_forbidden(octets) {
            Some((clean, at)) => {
                self.note(Rule::ControlCharacter, at);
                self.long_line(&clean);
            }
            None if octets.len() > Self::MAX_LINE_LENGTH => self.long_line(octets),
            None => self.line(Line::Raw(octets.into())),
        }
    }

    #[inline]
    fn line(&mut self, line: Line) {
        if self.0.found.full || self.0.lines.len() >= Self::MAX_LINES {
            return self.refuse();
        }
        self.0.lines.push(line);
        self.0.found.cut |= parse::read_last(&self.0.lines, &mut self.0.found);
    }

    #[cold]
    fn refuse(&mut self) {
        if !self.0.found.full {
            self.note(Rule::TooManyLines, 0);
            self.0.found.full = true;
        }
    }

    /// A line of which no more is read than there is room for.
    #[cold]
    fn long_line(&mut self, line: &[u8]) {
        let mut end = line.len();
        if end > Self::MAX_LINE_LENGTH {
            self.note(Rule::LineTooLong, Self::MAX_LINE_LENGTH);
            // At a comma, so that no value is cut; one inside of quotes makes a quote without an end, which is flagged.
            end = line[..Self::MAX_LINE_LENGTH].iter().rposition(|&octet| octet == b',').unwrap_or(0);
        }
        self.line(Line::Raw(line[..end].into()));
    }

    /// Notes a defect of the line that comes next.
    fn note(&mut self, rule: Rule, byte: usize) {
        let byte = byte.min(Self::MAX_LINE_LENGTH) as u32;
        self.0.found.note(Place { rule, line: self.0.lines.len() as u16, byte });
    }

    /// A field split over lines is one value (RFC 9110 §5.3), even inside of quotes: believed only where the joined
    /// value has no defect at all, because an open quote is far more often a mistake than a split.
    #[inline]
    fn join(&mut self) {
        if self.0.found.cut && self.0.lines.len() > 1 {
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

/// All challenges as one field value, in canonical form.
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
    of: &'a Challenges,
    next: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Challenge<'a>;

    fn next(&mut self) -> Option<Challenge<'a>> {
        let number = self.next;
        self.next += usize::from(number < self.of.len());
        (number < self.next).then_some(Challenge { of: &self.of.0, number })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.of.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Iter<'_> {}
