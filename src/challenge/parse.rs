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

use super::defect::{DefectKind, StoredDefect};
use super::grammar::{
    BLANK, ESCAPABLE, SEPARATOR, TCHAR, TOKEN68, UNQUOTED, is, is_challenge_at, is_name_at, is_token, name, next_comma,
    run, run_quoted,
};
use super::parsed::{Flags, Found, Line, MAX_CHALLENGES, MAX_PARAMS, Span, StoredParam};

/// Reads the last line into `found`. Returns whether the line ends inside of a quoted-string.
pub(super) fn read_last(lines: &[Line], found: &mut Found) -> bool {
    let Some(number) = lines.len().checked_sub(1) else { return false };
    let mut parser = Parser {
        lines,
        line: lines[number].octets(),
        at: 0,
        number: number as u16,
        found,
        ends_in_quote: false,
        stray_quotes: 0,
    };
    parser.elements();
    parser.ends_in_quote
}

/// The parser of one line.
struct Parser<'a> {
    lines: &'a [Line],
    /// The octets of the line.
    line: &'a [u8],
    /// The next octet to read.
    at: usize,
    /// The number of the line.
    number: u16,
    found: &'a mut Found,
    /// Whether the line ends inside of a quoted-string.
    ends_in_quote: bool,
    /// The number of quotes without an end that were skipped.
    stray_quotes: usize,
}

/// How often the parser searches for the end of a quote in text that it skips. Each search may read the whole rest of the
/// line, so without a bound the time could be quadratic.
const MAX_STRAY_QUOTES: usize = 8;

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
                Some(_) => self.element(),
            }
        }
    }

    /// One element: a challenge or an auth-param.
    fn element(&mut self) {
        let (name, hash) = self.name();
        if name.is_empty() {
            return self.junk(name.start());
        }
        self.at = run(self.line, name.end(), BLANK);
        match self.byte() {
            Some(b'=') => self.value(name, hash),
            None | Some(b',') => self.scheme(name, self.line.get(name.end()) == Some(&b' ')),
            Some(b';') => self.scheme(name, true),
            Some(_) if self.at > name.end() => {
                let gap = &self.line[name.end()..self.at];
                if gap != b" " && gap.contains(&b'\t') {
                    self.defect(DefectKind::TabAfterScheme, name.end());
                }
                self.scheme(name, true);
                if !self.found.is_full {
                    self.content();
                }
            }
            Some(_) => {
                self.defect(DefectKind::BrokenScheme, self.at);
                self.found.is_open = false;
                self.skip(self.at);
            }
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
    fn content(&mut self) {
        let start = self.at;
        let (name, hash) = self.name();
        let value = self.line.get(name.end() + 1);
        // The usual case, without the test for a token68.
        let is_param = self.byte() == Some(b'=') && value.is_some_and(|&octet| is(octet, UNQUOTED) && octet != b'=');
        if is_param && !name.is_empty() {
            return self.value(name, hash);
        }
        if let Some(end) = self.token68(start) {
            return self.close_with(Span::new(start, end));
        }
        self.at = run(self.line, name.end(), BLANK);
        if name.is_empty() || self.byte() != Some(b'=') {
            return self.junk(start);
        }
        self.value(name, hash);
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
    fn after_token68(&mut self) {
        self.defect(DefectKind::AfterToken68, self.at);
        if is_name_at(self.line, self.at) {
            let (name, hash) = self.name();
            self.at = run(self.line, name.end(), BLANK);
            self.found.is_open = true;
            self.value(name, hash);
            self.found.is_open = false;
        } else if !is_challenge_at(self.line, self.at) {
            self.skip(self.at);
        }
    }

    /// `BWS "=" BWS ( token / quoted-string )`, from the equals sign.
    #[inline]
    fn value(&mut self, name: Span, hash: u16) {
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
        } else if self.found.is_open {
            self.push(name, hash, value, flags);
        } else {
            self.defect(DefectKind::OrphanParameter, name.start());
        }
        // After a value without an end, the challenge is closed: a parameter of the next line may belong to another one.
        self.found.is_open &= !flags.is_broken();
        self.after_value();
    }

    /// Stores a parameter.
    fn push(&mut self, name: Span, hash: u16, value: Span, flags: Flags) {
        if self.found.params.len() >= MAX_PARAMS {
            self.defect(DefectKind::TooManyParameters, name.start());
            self.found.is_full = true;
            return;
        }
        let param = StoredParam { name, value, line: self.number, hash, flags };
        if self.found.push_param(param, self.lines) {
            self.defect(DefectKind::DuplicateParameter, name.start());
        }
    }

    /// `quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE`
    fn quoted(&mut self) -> (Span, Flags) {
        let start = self.at + 1;
        let mut flags = Flags::empty().with_quoted();
        self.at = start;
        loop {
            self.at = run_quoted(self.line, self.at);
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return (Span::new(start, self.at - 1), flags);
                }
                Some(b'\\') => {
                    flags = flags.with_escaped();
                    self.quoted_pairs();
                }
                Some(_) => {
                    self.defect(DefectKind::ControlCharacter, self.at);
                    self.at += 1;
                }
                None => {
                    self.defect(DefectKind::UnterminatedQuote, start - 1);
                    self.ends_in_quote = true;
                    return (Span::new(start, self.at), flags.with_broken());
                }
            }
        }
    }

    /// `1*quoted-pair`
    fn quoted_pairs(&mut self) {
        while self.byte() == Some(b'\\') {
            if self.line.get(self.at + 1).is_some_and(|&octet| !is(octet, ESCAPABLE)) {
                self.defect(DefectKind::ControlCharacter, self.at + 1);
            }
            self.at = (self.at + 2).min(self.line.len());
        }
    }

    /// `token`, or another text without quotes: a URL, base64, words.
    fn unquoted(&mut self) -> Span {
        let start = self.at;
        let token = run(self.line, start, TCHAR);
        self.at = run(self.line, token, BLANK);
        if token > start && matches!(self.byte(), None | Some(b',')) {
            return Span::new(start, token);
        }
        self.at = self.unquoted_end(start);
        let blanks = self.line[start..self.at].iter().rev().take_while(|&&octet| is(octet, BLANK)).count();
        let value = Span::new(start, self.at - blanks);
        if token < value.end() {
            self.defect(DefectKind::UnquotedValue, token);
        }
        value
    }

    /// The end of an unquoted value that is not a token.
    fn unquoted_end(&self, mut at: usize) -> usize {
        loop {
            at = run(self.line, at, UNQUOTED);
            let next = run(self.line, at, BLANK);
            match self.line.get(next) {
                None | Some(b',') => return at,
                Some(b';') if self.is_separator(next) => return next,
                Some(b';') => at = next + 1,
                Some(_) if is_name_at(self.line, next) || is_challenge_at(self.line, next) => return at,
                Some(_) => at = next,
            }
        }
    }

    /// Whether the semicolon at `at` counts as a comma: a parameter, a challenge, a separator or the end follows.
    #[inline]
    fn is_separator(&self, at: usize) -> bool {
        let next = run(self.line, at + 1, BLANK);
        matches!(self.line.get(next), None | Some(b',' | b';'))
            || is_name_at(self.line, next)
            || is_challenge_at(self.line, next)
    }

    /// The text between a value and the next separator.
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
    fn junk(&mut self, start: usize) {
        self.defect(DefectKind::Junk, start);
        self.skip(start);
    }

    /// Skips to the next comma outside of quotes. If a quote has no end, it is a stray quote: then skips to the next comma,
    /// so that the quote hides no challenge.
    fn skip(&mut self, start: usize) {
        let comma = next_comma(self.line, start, self.stray_quotes < MAX_STRAY_QUOTES);
        self.at = comma.unwrap_or_else(|| {
            self.stray_quotes += 1;
            next_comma(self.line, start, false).unwrap_or(self.line.len())
        });
    }

    /// `token`, and a hash of it in lower case. The hash finds duplicates without a comparison of all names.
    #[inline]
    fn name(&mut self) -> (Span, u16) {
        let start = self.at;
        let (end, hash) = name(self.line, start);
        self.at = end;
        (Span::new(start, end), hash)
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    #[cold]
    fn defect(&mut self, kind: DefectKind, byte: usize) {
        self.found.note(StoredDefect { kind, line: self.number, byte: byte as u32 });
    }
}
