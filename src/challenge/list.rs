//! What was found in the lines: spans into them, so that nothing is copied, in lists that hold a usual answer inline.

use smallvec::SmallVec;

use http::HeaderValue;

use super::defect::{Place, Rule};

// The caps are for memory: a server's longest real answers have four challenges of ten parameters, and what is above
// these is an attack or a mistake. All of them together bound one response's list to about 36 KiB beside its lines.
pub(super) const MAX_LINES: usize = 128;
pub(super) const MAX_LINE_LENGTH: usize = 1 << 20;
pub(super) const MAX_CHALLENGES: usize = 256;
pub(super) const MAX_PARAMS: usize = 1024;
pub(super) const MAX_DEFECTS: usize = 64;

/// A piece of a line; a line has at most [`MAX_LINE_LENGTH`] octets, so that `u32` holds every place.
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

/// How a value stood in the line.
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

    /// It stood between quotes.
    pub(super) fn quoted(self) -> bool {
        self.0 & Self::QUOTED != 0
    }

    /// It has quoted-pairs.
    pub(super) fn escaped(self) -> bool {
        self.0 & Self::ESCAPED != 0
    }

    /// Its closing quote is missing.
    pub(super) fn broken(self) -> bool {
        self.0 & Self::BROKEN != 0
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Param {
    pub(super) name: Span,
    /// Without its quotes.
    pub(super) value: Span,
    pub(super) line: u16,
    /// Of the name without case.
    pub(super) hash: u16,
    pub(super) flags: Flags,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) scheme: Span,
    /// Empty where there is none.
    pub(super) token68: Span,
    /// Its first parameter; they end where the next challenge's begin.
    pub(super) first: u16,
    pub(super) line: u16,
}

/// A line as it came, or a copy of raw bytes.
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

/// All that was read so far, and what the next line needs to know.
// Inline are four challenges and twelve parameters: Digest, the longest in use, has eight, and a Bearer or Basic beside it.
#[derive(Clone, Default)]
pub(super) struct Found {
    pub(super) challenges: SmallVec<[Entry; 4]>,
    pub(super) params: SmallVec<[Param; 12]>,
    pub(super) defects: Vec<Place>,
    /// A bit for each hash that a name of the last challenge has: where it is not set, nothing needs to be compared.
    names: u64,
    /// Whether the last challenge takes more parameters.
    pub(super) open: bool,
    /// Whether a line ended inside of quotes.
    pub(super) cut: bool,
    /// Whether a cap was met and reading ended.
    pub(super) full: bool,
}

impl Found {
    pub(super) fn push_challenge(&mut self, line: u16, scheme: Span) {
        self.names = 0;
        self.challenges.push(Entry { scheme, token68: Span::new(0, 0), first: self.params.len() as u16, line });
    }

    pub(super) fn close_with_token68(&mut self, token68: Span) {
        if let Some(last) = self.challenges.last_mut() {
            last.token68 = token68;
        }
        self.open = false;
    }

    /// Gives the last challenge a parameter and returns whether it had one of that name.
    #[inline]
    pub(super) fn push_param(&mut self, param: Param, lines: &[Line]) -> bool {
        let bit = 1 << (param.hash % 64);
        let twice = self.names & bit != 0 && self.has_name_of(&param, lines);
        self.names |= bit;
        self.params.push(param);
        twice
    }

    fn has_name_of(&self, param: &Param, lines: &[Line]) -> bool {
        let name = |param: &Param| param.name.of(lines[usize::from(param.line)].octets());
        let first = self.challenges.last().map_or(0, |last| usize::from(last.first));
        self.params[first..]
            .iter()
            .any(|earlier| earlier.hash == param.hash && name(earlier).eq_ignore_ascii_case(name(param)))
    }

    /// The parameters of the challenge of that number.
    pub(super) fn params_of(&self, number: usize) -> &[Param] {
        let first =
            |number: usize| self.challenges.get(number).map_or(self.params.len(), |entry| usize::from(entry.first));
        &self.params[first(number)..first(number + 1)]
    }

    /// Notes a defect; the last one that there is room for says that there were more.
    pub(super) fn note(&mut self, place: Place) {
        match MAX_DEFECTS.saturating_sub(self.defects.len()) {
            0 => {}
            1 => self.defects.push(Place { rule: Rule::TooManyDefects, ..place }),
            _ => self.defects.push(place),
        }
    }
}

/// The field lines of one response, and what was read in them.
#[derive(Clone, Default)]
pub(super) struct Parsed {
    pub(super) lines: SmallVec<[Line; 1]>,
    pub(super) found: Found,
}
