//! Printing a server's text on a terminal. Invisible characters, and characters that change how others are shown,
//! become escapes.

use std::fmt;
use std::fmt::Write as _;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// A server's text, printed by `Display` on one line. Characters that a terminal hides or obeys become escapes. The text
/// is cut to a number of columns. An escape counts with its full width.
///
/// ```
/// use reqwest_challenge::support::OneLine;
///
/// assert_eq!(OneLine::new("denied\n\u{1b}[2J").to_string(), "denied\\u{a}\\u{1b}[2J");
/// assert_eq!(OneLine::with_columns("denied", 3).to_string(), "den…");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OneLine<'t> {
    text: &'t str,
    columns: usize,
}

/// The columns that are printed by default: a few lines of a terminal.
pub(crate) const DEFAULT_COLUMNS: usize = 300;

impl<'t> OneLine<'t> {
    /// The text, cut to 300 columns.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self::with_columns(text, DEFAULT_COLUMNS)
    }

    /// The text, cut to this many columns.
    #[must_use]
    pub fn with_columns(text: &'t str, columns: usize) -> Self {
        Self { text, columns }
    }
}

/// How many combining marks one letter may have. Vietnamese and Thai use two, accented Hebrew three. A terminal draws
/// more marks over the lines above and below.
const MAX_MARKS: usize = 4;

/// Whether a terminal hides or obeys the character, or shows a different one on each system: control and format
/// characters, line separators, private-use and unassigned characters, and default-ignorable ones.
#[must_use]
pub fn hides_text(character: char) -> bool {
    use GeneralCategory as Category;
    if matches!(character, ' '..='~') {
        return false;
    }
    is_ignored(character)
        || matches!(
            category(character),
            Category::Control
                | Category::Format
                | Category::LineSeparator
                | Category::ParagraphSeparator
                | Category::PrivateUse
                | Category::Surrogate
                | Category::Unassigned
        )
}

fn category(character: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(character)
}

/// Whether the character is default-ignorable in Unicode, or the empty Braille pattern.
fn is_ignored(character: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character) || character == '\u{2800}'
}

/// Whether the character combines with the one before it.
fn is_mark(character: char) -> bool {
    use GeneralCategory as Category;
    !character.is_ascii()
        && matches!(category(character), Category::NonspacingMark | Category::SpacingMark | Category::EnclosingMark)
}

/// Writes the characters, with an escape for each hidden one, up to this many columns.
pub(crate) fn write_escaped(
    characters: impl Iterator<Item = char>,
    columns: usize,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    // A mark at the beginning would combine with the text before it, so it becomes an escape.
    let (mut left, mut marks) = (columns, MAX_MARKS);
    for character in characters {
        marks = if is_mark(character) { marks + 1 } else { 0 };
        let is_hidden = marks > MAX_MARKS || hides_text(character);
        let width = if is_hidden { character.escape_unicode().count() } else { 1 };
        let Some(rest) = left.checked_sub(width) else { return f.write_str("…") };
        left = rest;
        if is_hidden {
            marks = MAX_MARKS;
            write!(f, "{}", character.escape_unicode())?;
        } else {
            f.write_char(character)?;
        }
    }
    Ok(())
}

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_escaped(self.text.chars(), self.columns, f)
    }
}
