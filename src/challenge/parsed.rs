//! The storage of parsed challenges: the lines, and the places of challenges, parameters and defects in them. No text is
//! copied, and a usual response needs no allocation.

use http::HeaderValue;
use smallvec::SmallVec;

use super::defect::{DefectKind, StoredDefect};
use super::names::Names;

// These bounds limit the memory of one response to about 44 KiB in addition to its lines. The largest responses of real
// servers have five challenges of ten parameters.
pub(super) const MAX_LINES: usize = 128;
pub(super) const MAX_LINE_LENGTH: usize = 1 << 20;
pub(super) const MAX_CHALLENGES: usize = 256;
pub(super) const MAX_PARAMS: usize = 1024;
pub(super) const MAX_DEFECTS: usize = 64;

/// A piece of a line. A line has at most [`MAX_LINE_LENGTH`] octets, so `u32` can hold every place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    pub(super) fn start(self) -> usize {
        self.start as usize
    }

    pub(super) fn end(self) -> usize {
        self.end as usize
    }

    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub(super) fn of(self, line: &[u8]) -> &[u8] {
        &line[self.start()..self.end()]
    }
}

/// How a value is written in its line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags(u8);

impl Flags {
    const QUOTED: u8 = 1;
    const ESCAPED: u8 = 2;
    const BROKEN: u8 = 4;

    pub(super) fn empty() -> Self {
        Self(0)
    }

    pub(super) fn with_quoted(self) -> Self {
        Self(self.0 | Self::QUOTED)
    }

    pub(super) fn with_escaped(self) -> Self {
        Self(self.0 | Self::ESCAPED)
    }

    pub(super) fn with_broken(self) -> Self {
        Self(self.0 | Self::BROKEN)
    }

    /// Whether the value is quoted.
    pub(super) fn is_quoted(self) -> bool {
        self.0 & Self::QUOTED != 0
    }

    /// Whether the value has quoted-pairs.
    pub(super) fn is_escaped(self) -> bool {
        self.0 & Self::ESCAPED != 0
    }

    /// Whether the closing quote of the value is missing.
    pub(super) fn is_broken(self) -> bool {
        self.0 & Self::BROKEN != 0
    }
}

/// A parameter as it is stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredParam {
    pub(super) name: Span,
    /// The value without its quotes.
    pub(super) value: Span,
    pub(super) line: u16,
    pub(super) flags: Flags,
}

impl StoredParam {
    pub(super) fn name_in<'l>(&self, lines: &'l [Line]) -> &'l [u8] {
        self.name.of(lines[usize::from(self.line)].octets())
    }
}

/// A challenge as it is stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) scheme: Span,
    /// Empty if there is no token68.
    pub(super) token68: Span,
    /// The number of its first parameter. Its parameters end before the first parameter of the next challenge.
    pub(super) first_param: u16,
    pub(super) line: u16,
}

/// A line: a header value, or a copy of raw bytes.
#[derive(Clone)]
pub(super) enum Line {
    Value(HeaderValue),
    Raw(Box<[u8]>),
}

impl Line {
    pub(super) fn octets(&self) -> &[u8] {
        match self {
            Self::Value(value) => value.as_bytes(),
            Self::Raw(octets) => octets,
        }
    }
}

/// What the parser found so far, and its state between two lines.
// Four challenges and twelve parameters need no allocation: a Digest challenge has at most eight parameters, and a Bearer or
// Basic challenge may follow it.
#[derive(Clone, Default)]
pub(super) struct Found {
    pub(super) challenges: SmallVec<[Entry; 4]>,
    pub(super) params: SmallVec<[StoredParam; 12]>,
    pub(super) defects: Vec<StoredDefect>,
    /// A bit for the [`sign`] of each name in the last challenge. If the bit of a name is not set, the name is new,
    /// and no names are compared.
    name_bits: u64,
    /// The names of challenges with many parameters or with long names. `None` before the first of them.
    names: Option<Names>,
    /// Whether more parameters can follow in the last challenge.
    pub(super) is_open: bool,
    /// Whether a line ends inside of quotes.
    pub(super) is_cut: bool,
    /// Whether a bound was reached. The parser reads no more.
    pub(super) is_full: bool,
}

impl Found {
    #[inline(always)]
    pub(super) fn push_challenge(&mut self, line: u16, scheme: Span) {
        self.name_bits = 0;
        self.challenges.push(Entry { scheme, token68: Span::new(0, 0), first_param: self.params.len() as u16, line });
    }

    pub(super) fn close_with_token68(&mut self, token68: Span) {
        if let Some(last) = self.challenges.last_mut() {
            last.token68 = token68;
        }
        self.is_open = false;
    }

    /// Adds a parameter to the last challenge. Returns whether the challenge already has one of this name.
    #[inline]
    pub(super) fn push_param(&mut self, param: StoredParam, name: &[u8], lines: &[Line]) -> bool {
        let bit = 1 << (sign(name) % 64);
        let is_new = self.name_bits & bit == 0;
        self.name_bits |= bit;
        self.params.push(param);
        !is_new && self.has_last_name_twice(name, lines)
    }

    /// Whether the last challenge has a second parameter with the name of the last one.
    #[inline(never)]
    fn has_last_name_twice(&mut self, name: &[u8], lines: &[Line]) -> bool {
        let first = self.challenges.last().map_or(0, |last| usize::from(last.first_param));
        let [earlier @ .., _] = &self.params[first..] else { return false };
        if earlier.len() <= MAX_COMPARED && name.len() <= MAX_COMPARED_LENGTH {
            return earlier.iter().any(|param| param.name_in(lines).eq_ignore_ascii_case(name));
        }
        let name = |number: usize| self.params[number].name_in(lines);
        self.names.get_or_insert_with(|| Names::new(MAX_PARAMS)).add(first, self.params.len() - 1, name)
    }

    /// The parameters of the challenge with this number.
    pub(super) fn params_of(&self, number: usize) -> &[StoredParam] {
        let first = |number: usize| {
            self.challenges.get(number).map_or(self.params.len(), |entry| usize::from(entry.first_param))
        };
        &self.params[first(number)..first(number + 1)]
    }

    /// Whether no further defect is noted.
    #[inline]
    pub(super) fn has_all_defects(&self) -> bool {
        self.defects.len() >= MAX_DEFECTS
    }

    /// Notes a defect. The last one that fits says that there are more.
    pub(super) fn note(&mut self, defect: StoredDefect) {
        match MAX_DEFECTS.saturating_sub(self.defects.len()) {
            0 => {}
            1 => self.defects.push(StoredDefect { kind: DefectKind::TooManyDefects, ..defect }),
            _ => self.defects.push(defect),
        }
    }
}

/// How many names of one challenge are compared with a new one. If there are more, a hash table finds equal names.
const MAX_COMPARED: usize = 16;
/// The length of a name that is compared with each other name of its challenge. Names of real servers are shorter.
const MAX_COMPARED_LENGTH: usize = 32;

/// A number that is the same for equal names in upper and lower case. It differs between the usual names of one scheme.
#[inline]
fn sign(name: &[u8]) -> usize {
    name.first().map_or(0, |&first| usize::from(first | 0x20) + 7 * name.len())
}

/// The field lines of one response, and what the parser found in them.
#[derive(Clone, Default)]
pub(super) struct Parsed {
    pub(super) lines: SmallVec<[Line; 1]>,
    pub(super) found: Found,
}
