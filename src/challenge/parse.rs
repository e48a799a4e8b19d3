//! The parser: one pass over a header line, by the grammar of RFC 9110 §11 and §5.6.
//!
//! Parsing never fails. If a line breaks the grammar, the parser notes a defect and continues by these rules:
//!
//! 1. Each line is read by itself. A challenge stays open for the parameters of the next line. An open quote ends with its
//!    line, unless the joined lines (RFC 9110 §5.3) have no defect.
//! 2. A tab after a scheme counts as a space.
//! 3. A quoted-string without an end runs to the end of its line and is flagged as broken.
//! 4. An unquoted value that is not a token ends at a comma, at the end of the line, before blanks if `name =` or
//!    `scheme name =` comes after them, or before a semicolon if `name =`, `scheme name =`, another separator or the
//!    end of the line comes after it.
//! 5. If a comma is missing, `name =` continues the challenge, and `scheme name =` begins a new one. Anything else is
//!    skipped up to the next comma outside of quotes, or up to the next comma if a quote has no end.
//! 6. A semicolon after a scheme or a value counts as a comma, and the challenge stays open.
//! 7. Duplicates are kept, in order.
//! 8. A parameter without a value, or without an open challenge, is skipped.
//! 9. A token68 closes its challenge. Junk after it is skipped. `name =` after it without a comma is kept.
//! 10. An element that starts like a scheme but has a wrong character closes the challenge before it.
//! 11. NUL, CR, LF and obs-fold become a space, before this pass.

use super::defect::DefectKind;
use super::grammar::{BLANK, SEPARATOR, TOKEN68, is_challenge_at, is_name_at, is_token, next_comma, run};
use super::parsed::{Flags, Found, Line, MAX_CHALLENGES, MAX_PARAMS, Span, StoredParam};
use super::parser::Parser;

/// Reads the last line into `found`. Returns whether the line ends inside of a quoted-string.
pub(super) fn read_last(lines: &[Line], found: &mut Found) -> bool {
    let [before @ .., last] = lines else { return false };
    let mut parser = Parser {
        lines,
        line: last.octets(),
        at: 0,
        number: before.len() as u16,
        found,
        ends_in_quote: false,
        skipped: 0,
    };
    parser.elements();
    parser.ends_in_quote
}

/// How many octets the parser searches in vain for the ends of quotes in text that it skips. Each search may read the whole
/// rest of the line, so without a bound the time could be quadratic.
const MAX_SKIPPED: usize = 16 << 10;

impl Parser<'_> {
    /// `#challenge = [ element ] *( OWS "," OWS [ element ] )`, where an element is a challenge or, in an open
    /// challenge, an auth-param. Both begin with a name. The text after the name shows which of the two the element is.
    fn elements(&mut self) {
        while !self.found.is_full {
            self.at = run(self.line, self.at, SEPARATOR);
            match self.byte() {
                None => return,
                Some(b';') => {
                    self.defect(DefectKind::Semicolon, self.at);
                    self.at += 1;
                }
                Some(_) => {
                    if let Some(name) = self.element() {
                        self.value(name);
                    }
                }
            }
        }
    }

    /// One element: a challenge or an auth-param. Returns the name of a parameter whose value is next.
    #[inline]
    fn element(&mut self) -> Option<Span> {
        let name = self.name();
        self.at = run(self.line, name.end(), BLANK);
        match self.byte() {
            _ if name.is_empty() => self.junk(name.start()),
            Some(b'=') => return Some(name),
            None | Some(b',') => self.scheme(name, self.line.get(name.end()) == Some(&b' ')),
            Some(b';') => self.scheme(name, true),
            Some(_) if self.at > name.end() => {
                if self.at > name.end() + 1 || self.line[name.end()] == b'\t' {
                    self.blanks_after_scheme(name);
                }
                self.scheme(name, true);
                return if self.found.is_full { None } else { self.content() };
            }
            Some(_) => {
                self.defect(DefectKind::BrokenScheme, self.at);
                self.found.is_open = false;
                self.skip(self.at);
            }
        }
        None
    }

    /// `1*SP`, if it is not one space.
    #[cold]
    fn blanks_after_scheme(&mut self, name: Span) {
        if self.line[name.end()..self.at].contains(&b'\t') {
            self.defect(DefectKind::TabAfterScheme, name.end());
        }
    }

    /// `auth-scheme`. The challenge is open for parameters only if a space follows the scheme: `Basic, realm="x"` is a
    /// challenge and an orphan parameter.
    fn scheme(&mut self, name: Span, is_open: bool) {
        if self.found.challenges.len() >= MAX_CHALLENGES {
            self.defect(DefectKind::TooManyChallenges, name.start());
            self.found.is_full = true;
            return;
        }
        self.found.push_challenge(self.number, name);
        self.found.is_open = is_open;
    }

    /// `1*SP ( token68 / #auth-param )`, after the spaces.
    ///
    /// `token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
    ///
    /// Returns the name of a parameter whose value is next.
    #[inline]
    fn content(&mut self) -> Option<Span> {
        let start = self.at;
        let name = self.name();
        let value = self.line.get(name.end() + 1);
        // The usual case, without the test for a token68.
        let is_param = self.byte() == Some(b'=') && value == Some(&b'"');
        if is_param && !name.is_empty() {
            return Some(name);
        }
        if let Some(end) = self.token68(start) {
            self.close_with(Span::new(start, end));
            return None;
        }
        self.at = run(self.line, name.end(), BLANK);
        if name.is_empty() || self.byte() != Some(b'=') {
            self.junk(start);
            return None;
        }
        Some(name)
    }

    /// The end of the token68 at `start`, if there is one. After a token68 comes a comma, the end of the line, or a
    /// text that cannot be part of a parameter.
    fn token68(&self, start: usize) -> Option<usize> {
        let body = run(self.line, start, TOKEN68);
        let end = body + self.line[body..].iter().take_while(|&&octet| octet == b'=').count();
        let next = run(self.line, end, BLANK);
        let is_alone = matches!(self.line.get(next), None | Some(b',' | b';'));
        // `A error=; scope=a` is a parameter without a value: no server sends a semicolon after a token68.
        let is_name = end == body + 1 && self.line.get(next) == Some(&b';') && is_token(&self.line[start..body]);
        // `A b= c` and `A b =c` are parameters with bad whitespace. `A b= c=d` can only be a token68 and a parameter.
        let is_param = (end == body + 1 && is_token(&self.line[start..body]) && !is_name_at(self.line, next))
            || (end == body && self.line.get(next) == Some(&b'='));
        (body > start && !is_name && (is_alone || (next > end && !is_param))).then_some(end)
    }

    /// Closes the challenge with its token68.
    fn close_with(&mut self, token68: Span) {
        self.found.close_with_token68(token68);
        self.at = run(self.line, token68.end(), BLANK);
        if !matches!(self.byte(), None | Some(b',' | b';')) {
            self.after_token68();
        }
    }

    /// The text after a token68 without a comma.
    #[cold]
    fn after_token68(&mut self) {
        self.defect(DefectKind::AfterToken68, self.at);
        if is_name_at(self.line, self.at) {
            let name = self.name();
            self.at = run(self.line, name.end(), BLANK);
            self.found.is_open = true;
            self.value(name);
            self.found.is_open = false;
        } else if !is_challenge_at(self.line, self.at) {
            self.skip(self.at);
        }
    }

    /// `BWS "=" BWS ( token / quoted-string )`, from the equals sign.
    #[inline(always)]
    fn value(&mut self, name: Span) {
        let equals = self.at;
        self.at = run(self.line, equals + 1, BLANK);
        let (value, flags) = match self.byte() {
            Some(b'"') => self.quoted(),
            Some(_) if self.at > equals + 1 && is_name_at(self.line, self.at) => {
                (Span::new(equals, equals), Flags::empty())
            }
            _ => (self.unquoted(), Flags::empty()),
        };
        if value.is_empty() && !flags.is_quoted() {
            self.defect(DefectKind::MissingValue, self.at);
        } else if self.found.is_open && self.found.params.len() < MAX_PARAMS {
            let param = StoredParam { name, value, line: self.number, flags };
            if self.found.push_param(param, name.of(self.line), self.lines) {
                self.defect(DefectKind::DuplicateParameter, name.start());
            }
        } else {
            self.refuse(name);
        }
        // After a value without an end, the challenge is closed: a parameter of the next line may belong to another one.
        if flags.is_broken() {
            self.found.is_open = false;
        }
        if !matches!(self.byte(), None | Some(b',')) {
            self.after_value();
        }
    }

    /// Skips a parameter without a challenge, or beyond the bound.
    #[cold]
    fn refuse(&mut self, name: Span) {
        let kind = if self.found.is_open { DefectKind::TooManyParameters } else { DefectKind::OrphanParameter };
        self.defect(kind, name.start());
        self.found.is_full |= self.found.is_open;
    }

    /// The text between a value and the next separator.
    #[cold]
    fn after_value(&mut self) {
        self.at = run(self.line, self.at, BLANK);
        match self.byte() {
            None | Some(b',' | b';') => {}
            Some(_) if is_name_at(self.line, self.at) || is_challenge_at(self.line, self.at) => {
                self.defect(DefectKind::MissingComma, self.at);
            }
            Some(_) => self.junk(self.at),
        }
    }

    /// Text that is neither a challenge nor a parameter.
    #[cold]
    fn junk(&mut self, start: usize) {
        self.defect(DefectKind::Junk, start);
        self.skip(start);
    }

    /// Skips to the next comma outside of quotes. If a quote has no end, it is a stray quote: then skips to the next comma,
    /// so that the quote hides no challenge.
    fn skip(&mut self, start: usize) {
        let comma = next_comma(self.line, start, self.skipped < MAX_SKIPPED);
        self.at = comma.unwrap_or_else(|| {
            self.skipped += self.line.len() - start;
            next_comma(self.line, start, false).unwrap_or(self.line.len())
        });
    }
}
