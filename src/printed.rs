//! Prints a server's text on a terminal. Invisible characters, and characters that change how others are shown, become
//! escapes.

use std::fmt;
use std::fmt::Write as _;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// A server's text, for a terminal. It is cut to that many columns; an escape counts with its full width.
pub(crate) struct Printed<'t>(pub(crate) &'t str, pub(crate) usize);

/// The columns of a few lines.
pub(crate) const FEW_LINES: usize = 300;

/// How many combining marks one letter may carry. Vietnamese and Thai use two, accented Hebrew three. More marks would
/// be drawn over the lines above and below.
const MOST_MARKS: usize = 4;

/// Whether a terminal hides the character, obeys it, or may show anything: control and format characters, line
/// separators, private-use and unassigned characters, and default-ignorable ones.
pub(crate) fn hides(character: char) -> bool {
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

/// Writes characters, and escapes for hidden ones, up to that many columns.
pub(crate) fn write_escaped(
    characters: impl Iterator<Item = char>,
    columns: usize,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    // A mark at the beginning would combine with the text before.
    let (mut left, mut marks) = (columns, MOST_MARKS);
    for character in characters {
        marks = if is_mark(character) { marks + 1 } else { 0 };
        let is_hidden = marks > MOST_MARKS || hides(character);
        let width = if is_hidden { character.escape_unicode().count() } else { 1 };
        let Some(rest) = left.checked_sub(width) else { return f.write_str("…") };
        left = rest;
        if is_hidden {
            marks = MOST_MARKS;
            write!(f, "{}", character.escape_unicode())?;
        } else {
            f.write_char(character)?;
        }
    }
    Ok(())
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_escaped(self.0.chars(), self.1, f)
    }
}
