//! What a header line breaks, and where: the defects that the reader noted while it read on.

use std::fmt;

/// What a server's challenge breaks, each with the section that it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// A tab where `1*SP` must stand between the scheme and what follows; it was read as a space.
    TabAfterScheme,
    /// An element that starts like a scheme and breaks off; it was left out, with its parameters.
    BrokenScheme,
    /// A parameter with no challenge that it could belong to; it was left out.
    OrphanParameter,
    /// A parameter without a value; it was left out.
    MissingValue,
    /// An unquoted value with octets that need quotes, such as a URL; its raw text was kept.
    UnquotedValue,
    /// A quoted value that never ends: the rest of the line, flagged, handed out by no lookup.
    UnterminatedQuote,
    /// A control character: NUL, CR and LF were read as a space, others were kept.
    ControlCharacter,
    /// No comma before the next parameter or challenge; it was read as if there were one.
    MissingComma,
    /// A semicolon where a comma belongs; it was read as one.
    Semicolon,
    /// A parameter's name for the second time in its challenge; both were kept, a lookup gives the first.
    DuplicateParameter,
    /// Something behind a token68, which must stand alone; a parameter was kept, anything else left out.
    AfterToken68,
    /// Text that is neither a challenge nor a parameter; it was left out, up to the next comma.
    Junk,
    /// More lines than [`Challenges::MAX_LINES`](super::Challenges::MAX_LINES); the rest was not read.
    TooManyLines,
    /// A line longer than [`Challenges::MAX_LINE_LENGTH`](super::Challenges::MAX_LINE_LENGTH) octets; its rest was not read.
    LineTooLong,
    /// More challenges than [`Challenges::MAX_CHALLENGES`](super::Challenges::MAX_CHALLENGES); the rest was not read.
    TooManyChallenges,
    /// More parameters than [`Challenges::MAX_PARAMS`](super::Challenges::MAX_PARAMS); the rest was not read.
    TooManyParameters,
    /// More defects than [`Challenges::MAX_DEFECTS`](super::Challenges::MAX_DEFECTS); the rest was read, its defects not noted.
    TooManyDefects,
}

impl Rule {
    /// A name for logs and filters, such as `unquoted-value`. It does not change from one version to the next.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.facts().0
    }

    /// One sentence that says what is wrong.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        self.facts().1
    }

    /// The section that says so, such as `RFC 9110 §11.2`.
    #[must_use]
    pub fn section(self) -> &'static str {
        self.facts().2
    }

    fn facts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::TabAfterScheme => {
                ("tab-after-scheme", "a tab stands where a space must follow the scheme", "RFC 9110 §11.3")
            }
            Self::BrokenScheme => ("broken-scheme", "a scheme's name is no token", "RFC 9110 §11.1"),
            Self::OrphanParameter => ("orphan-parameter", "a parameter belongs to no challenge", "RFC 9110 §11.3"),
            Self::MissingValue => ("missing-value", "a parameter has no value", "RFC 9110 §11.2"),
            Self::UnquotedValue => ("unquoted-value", "a value that is no token is not quoted", "RFC 9110 §11.2"),
            Self::UnterminatedQuote => ("unterminated-quote", "a quoted value has no end", "RFC 9110 §5.6.4"),
            Self::ControlCharacter => {
                ("control-character", "a control character stands in a field value", "RFC 9110 §5.5")
            }
            Self::MissingComma => ("missing-comma", "a comma is missing", "RFC 9110 §5.6.1"),
            Self::Semicolon => ("semicolon", "a semicolon stands where a comma belongs", "RFC 9110 §5.6.1"),
            Self::DuplicateParameter => {
                ("duplicate-parameter", "a parameter stands twice in one challenge", "RFC 9110 §11.2")
            }
            Self::AfterToken68 => ("after-token68", "something follows a token68", "RFC 9110 §11.3"),
            Self::Junk => ("junk", "this is neither a challenge nor a parameter", "RFC 9110 §11.3"),
            Self::TooManyLines => ("too-many-lines", "more lines than are read", "RFC 9110 §5.4"),
            Self::LineTooLong => ("line-too-long", "a line is longer than is read", "RFC 9110 §5.4"),
            Self::TooManyChallenges => ("too-many-challenges", "more challenges than are read", "RFC 9110 §5.4"),
            Self::TooManyParameters => ("too-many-parameters", "more parameters than are read", "RFC 9110 §5.4"),
            Self::TooManyDefects => ("too-many-defects", "more defects than are noted", "RFC 9110 §5.4"),
        }
    }
}

/// Where a rule was broken, as it is stored: the text stays in the line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) rule: Rule,
    pub(super) line: u16,
    pub(super) byte: u32,
}

/// One thing that is wrong with a server's challenges, and where.
///
/// `Display` is one line without the server's text; [`mark`](Self::mark) shows the place.
#[derive(Clone, Copy)]
pub struct Defect<'a> {
    pub(super) place: &'a Place,
    pub(super) text: &'a [u8],
}

impl<'a> Defect<'a> {
    /// What is wrong.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.place.rule
    }

    /// The header line, counted from 0 among the lines that were read.
    #[must_use]
    pub fn line(&self) -> usize {
        usize::from(self.place.line)
    }

    /// The byte of that line, counted from 0; the line's length where something is missing at its end.
    ///
    /// In a line with an obs-fold, which only raw bytes can have, it is the byte of the unfolded line.
    #[must_use]
    pub fn byte(&self) -> usize {
        self.place.byte as usize
    }

    /// The piece of the line around the place, with a mark under the byte: two lines of plain ASCII, at most 61 wide.
    ///
    /// This is the server's own text: what it echoes back can be a secret.
    #[must_use]
    pub fn mark(&self) -> Mark<'a> {
        Mark { line: self.text, byte: self.byte() }
    }
}

impl fmt::Display for Defect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { rule, line, byte } = self.place;
        write!(f, "line {}, byte {byte}: {} ({})", line + 1, rule.sentence(), rule.section())
    }
}

impl fmt::Debug for Defect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Defect")
            .field("rule", &self.rule())
            .field("line", &self.line())
            .field("byte", &self.byte())
            .finish_non_exhaustive()
    }
}

/// The place of a [`Defect`]: a piece of the line, and a mark under the byte. Shown by `Display`.
#[derive(Clone, Copy)]
pub struct Mark<'a> {
    line: &'a [u8],
    byte: usize,
}

impl Mark<'_> {
    // Enough to see a URL's host before the place and a parameter after it, on half of a terminal's 80 columns each.
    const BEFORE: usize = 32;
    const AFTER: usize = 28;
}

impl fmt::Display for Mark<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let byte = self.byte.min(self.line.len());
        let from = byte.saturating_sub(Self::BEFORE);
        let to = (byte + Self::AFTER).min(self.line.len());
        // One column for one octet, so that the mark stands under its byte whatever the server sent.
        for &octet in &self.line[from..to] {
            let shown = if matches!(octet, b' '..=b'~') { char::from(octet) } else { '?' };
            write!(f, "{shown}")?;
        }
        write!(f, "\n{:width$}^", "", width = byte - from)
    }
}

impl fmt::Debug for Mark<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mark").field("byte", &self.byte).finish_non_exhaustive()
    }
}
