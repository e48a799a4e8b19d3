//! Defects: the rules of RFC 9110 that a header line breaks, and the place in the line.

use std::fmt;

/// What is wrong in a line, and how the parser reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DefectKind {
    /// A tab is after the scheme, where only spaces are allowed. The parser reads it as a space.
    TabAfterScheme,
    /// An element starts like a scheme, but has a character that no scheme has. The parser skips it and its parameters.
    BrokenScheme,
    /// A parameter has no challenge to which it could belong. The parser skips it.
    OrphanParameter,
    /// A parameter has no value. The parser skips it.
    MissingValue,
    /// An unquoted value has octets that need quotes, such as a URL. The parser keeps its text.
    UnquotedValue,
    /// A quoted value has no end. The parser keeps the rest of the line as a broken value, which no lookup by name returns.
    UnterminatedQuote,
    /// A value or a line has a control character. The parser reads NUL, CR and LF as a space and keeps the others.
    ControlCharacter,
    /// There is no comma before the next parameter or challenge. The parser continues as if there were one.
    MissingComma,
    /// There is a semicolon instead of a comma. The parser reads it as a comma.
    Semicolon,
    /// A challenge has two parameters of one name. The parser keeps both. A lookup by name returns the first.
    DuplicateParameter,
    /// Something follows a token68, which must be the only content of its challenge. The parser keeps a parameter and skips
    /// anything else.
    AfterToken68,
    /// A text is neither a challenge nor a parameter. The parser skips it up to the next comma.
    Junk,
    /// There are more lines than [`Challenges::MAX_LINES`](super::Challenges::MAX_LINES). The parser skips the rest.
    TooManyLines,
    /// A line is longer than [`Challenges::MAX_LINE_LENGTH`](super::Challenges::MAX_LINE_LENGTH) octets. The parser skips its
    /// rest.
    LineTooLong,
    /// There are more challenges than [`Challenges::MAX_CHALLENGES`](super::Challenges::MAX_CHALLENGES). The parser skips the
    /// rest.
    TooManyChallenges,
    /// There are more parameters than [`Challenges::MAX_PARAMS`](super::Challenges::MAX_PARAMS). The parser skips the rest.
    TooManyParameters,
    /// There are more defects than [`Challenges::MAX_DEFECTS`](super::Challenges::MAX_DEFECTS). The parser reads the rest and
    /// notes no more defects.
    TooManyDefects,
}

impl DefectKind {
    /// A name for logs and filters, such as `unquoted-value`. It is stable across versions.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.facts().id
    }

    /// What is wrong, in one sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        self.facts().sentence
    }

    /// The section of the RFC that defines the rule, such as `RFC 9110 §11.2`.
    #[must_use]
    pub fn section(self) -> &'static str {
        self.facts().section
    }

    fn facts(self) -> Facts {
        let facts = |id, sentence, section| Facts { id, sentence, section };
        match self {
            Self::TabAfterScheme => {
                facts("tab-after-scheme", "a tab follows the scheme, where a space is required", "RFC 9110 §11.3")
            }
            Self::BrokenScheme => facts("broken-scheme", "the name of a scheme is not a token", "RFC 9110 §11.1"),
            Self::OrphanParameter => facts("orphan-parameter", "a parameter belongs to no challenge", "RFC 9110 §11.3"),
            Self::MissingValue => facts("missing-value", "a parameter has no value", "RFC 9110 §11.2"),
            Self::UnquotedValue => {
                facts("unquoted-value", "a value that is not a token has no quotes", "RFC 9110 §11.2")
            }
            Self::UnterminatedQuote => facts("unterminated-quote", "a quoted value has no end", "RFC 9110 §5.6.4"),
            Self::ControlCharacter => {
                facts("control-character", "a field value has a control character", "RFC 9110 §5.5")
            }
            Self::MissingComma => facts("missing-comma", "a comma is missing", "RFC 9110 §5.6.1"),
            Self::Semicolon => facts("semicolon", "there is a semicolon instead of a comma", "RFC 9110 §5.6.1"),
            Self::DuplicateParameter => {
                facts("duplicate-parameter", "a challenge has a parameter twice", "RFC 9110 §11.2")
            }
            Self::AfterToken68 => facts("after-token68", "something follows a token68", "RFC 9110 §11.3"),
            Self::Junk => facts("junk", "this is neither a challenge nor a parameter", "RFC 9110 §11.3"),
            Self::TooManyLines => {
                facts("too-many-lines", "there are more header lines than the parser reads", "RFC 9110 §5.4")
            }
            Self::LineTooLong => facts("line-too-long", "a line is longer than the parser reads", "RFC 9110 §5.4"),
            Self::TooManyChallenges => {
                facts("too-many-challenges", "there are more challenges than the parser reads", "RFC 9110 §5.4")
            }
            Self::TooManyParameters => {
                facts("too-many-parameters", "there are more parameters than the parser reads", "RFC 9110 §5.4")
            }
            Self::TooManyDefects => {
                facts("too-many-defects", "there are more defects than the parser notes", "RFC 9110 §5.4")
            }
        }
    }
}

/// The texts about one kind of defect.
struct Facts {
    id: &'static str,
    sentence: &'static str,
    section: &'static str,
}

/// A place in the header lines of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    line: usize,
    byte: usize,
}

impl Place {
    /// The header line, counted from 0 among the lines that were read.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The byte of the line, counted from 0.
    #[must_use]
    pub fn byte(&self) -> usize {
        self.byte
    }
}

/// A defect as it is stored. The text stays in its line.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredDefect {
    pub(super) kind: DefectKind,
    pub(super) line: u16,
    pub(super) byte: u32,
}

/// A defect of the challenges: what is wrong, and where.
///
/// `Display` prints one line without the text of the server. [`mark`](Self::mark) shows the place in this text.
#[derive(Clone, Copy)]
pub struct Defect<'a> {
    pub(super) stored: &'a StoredDefect,
    pub(super) text: &'a [u8],
}

impl<'a> Defect<'a> {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> DefectKind {
        self.stored.kind
    }

    /// The header line, counted from 0 among the lines that were read.
    #[must_use]
    pub fn line(&self) -> usize {
        usize::from(self.stored.line)
    }

    /// The byte of the line, counted from 0. If something is missing at the end of the line, this is the length of the line.
    ///
    /// For a line with an obs-fold, which only raw bytes can have, this is the byte of the unfolded line.
    #[must_use]
    pub fn byte(&self) -> usize {
        self.stored.byte as usize
    }

    /// The line and the byte together.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { line: self.line(), byte: self.byte() }
    }

    /// The piece of the line around the place, with a mark under the byte: two lines of plain ASCII, at most 61 columns
    /// wide.
    ///
    /// The server wrote this text and may repeat a secret in it.
    #[must_use]
    pub fn mark(&self) -> Mark<'a> {
        Mark { line: self.text, byte: self.byte() }
    }
}

impl fmt::Display for Defect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StoredDefect { kind, line, byte } = self.stored;
        write!(f, "line {}, byte {byte}: {} ({})", line + 1, kind.sentence(), kind.section())
    }
}

impl fmt::Debug for Defect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Defect")
            .field("kind", &self.kind())
            .field("line", &self.line())
            .field("byte", &self.byte())
            .finish_non_exhaustive()
    }
}

/// The place of a [`Defect`], for a terminal: a piece of the line, and a mark under the byte. `Display` prints it.
#[derive(Clone, Copy)]
pub struct Mark<'a> {
    line: &'a [u8],
    byte: usize,
}

impl Mark<'_> {
    /// The columns that are shown before the byte: enough for the host of a URL.
    const COLUMNS_BEFORE: usize = 32;
    /// The columns that are shown after the byte: enough for the next parameter.
    const COLUMNS_AFTER: usize = 28;
}

impl fmt::Display for Mark<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let byte = self.byte.min(self.line.len());
        let from = byte.saturating_sub(Self::COLUMNS_BEFORE);
        let to = (byte + Self::COLUMNS_AFTER).min(self.line.len());
        // Each octet takes one column, so that the mark is under its byte, also if the line is not ASCII.
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
