//! One pass over a header line: what RFC 9110 §11 and §5.6 say, and what is made of everything else.
//!
//! Reading never fails. Where a line leaves the grammar, the defect is noted and reading goes on by these rules, each
//! of which is a place below:
//!
//! 1. Each line is read on its own, and a challenge stays open for the parameters of the next line; an open quote
//!    never reaches the next line, unless the joined lines (RFC 9110 §5.3) are without a defect.
//! 2. A tab after a scheme counts as a space.
//! 3. An unterminated quoted-string runs to the end of its line and is flagged.
//! 4. An unquoted value that is no token runs to the next comma, or to blanks and then `name =` or `scheme name =`, or
//!    to a semicolon and then one of these, another separator or the end.
//! 5. Where a comma is missing, `name =` goes on with the challenge, `scheme name =` starts a new one, and anything
//!    else is skipped to the next comma outside of quotes, or to the next of all if a quote is never closed.
//! 6. A semicolon after a scheme or a value is a comma that leaves the challenge open.
//! 7. Duplicates are kept, in order.
//! 8. A parameter without a value, or without an open challenge, is dropped.
//! 9. A token68 closes its challenge; junk behind it is skipped, `name =` with no comma before it is kept.
//! 10. An element that starts like a scheme and breaks closes the challenge before it.
//! 11. NUL, CR, LF and obs-fold become a space (before this pass).

use super::defect::{Place, Rule};
use super::grammar::{BETWEEN, BLANK, ESCAPABLE, LOOSE, TCHAR, TOKEN68};
use super::grammar::{challenge_at, is, is_token, name, name_at, next_comma, run, run_quoted};
use super::list::{Flags, Found, Line, MAX_CHALLENGES, MAX_PARAMS, Param, Span};

/// Reads the last of the lines into `found`. Returns whether a quoted-string ran off its end.
pub(super) fn read_last(lines: &[Line], found: &mut Found) -> bool {
    let Some(number) = lines.len().checked_sub(1) else { return false };
    let mut reader =
        Reader { lines, line: lines[number].octets(), at: 0, number: number as u16, found, ran_off: false, strays: 0 };
    reader.elements();
    reader.ran_off
}

struct Reader<'a> {
    lines: &'a [Line],
    line: &'a [u8],
    at: usize,
    number: u16,
    found: &'a mut Found,
    ran_off: bool,
    /// How many stray quotes were met.
    strays: usize,
}

/// How many stray quotes of one line are looked for: each costs a look at the whole rest of it.
const MOST_STRAYS: usize = 8;

impl Reader<'_> {
    /// `#challenge = [ element ] *( OWS "," OWS [ element ] )`, where an element is a challenge or, in an open
    /// challenge, an auth-param: only what follows a name tells the two apart.
    fn elements(&mut self) {
        while !self.found.full {
            self.at = run(self.line, self.at, BETWEEN);
            match self.byte() {
                None => return,
                Some(b';') => {
                    self.defect(Rule::Semicolon, self.at);
                    self.at += 1;
                }
                Some(_) => self.element(),
            }
        }
    }

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
                    self.defect(Rule::TabAfterScheme, name.end());
                }
                self.scheme(name, true);
                if !self.found.full {
                    self.content();
                }
            }
            Some(_) => {
                self.defect(Rule::BrokenScheme, self.at);
                self.found.open = false;
                self.skip(self.at);
            }
        }
    }

    /// `auth-scheme`. It takes parameters only if a space follows it: `Basic, realm="x"` is a challenge and an orphan.
    fn scheme(&mut self, name: Span, open: bool) {
        if self.found.challenges.len() >= MAX_CHALLENGES {
            self.defect(Rule::TooManyChallenges, name.start());
            self.found.full = true;
            return;
        }
        self.found.push_challenge(self.number, name);
        self.found.open = open;
    }

    /// `1*SP ( token68 / #auth-param )`, from behind the spaces.
    ///
    /// `token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
    fn content(&mut self) {
        let start = self.at;
        let (name, hash) = self.name();
        let value = self.line.get(name.end() + 1);
        let sure = self.byte() == Some(b'=') && value.is_some_and(|&octet| is(octet, LOOSE) && octet != b'=');
        if sure && !name.is_empty() {
            return self.value(name, hash);
        }
        if let Some(end) = self.token68(start) {
            return self.closed_by(Span::new(start, end));
        }
        self.at = run(self.line, name.end(), BLANK);
        if name.is_empty() || self.byte() != Some(b'=') {
            return self.junk(start);
        }
        self.value(name, hash);
    }

    /// Where the token68 at `start` ends, if it is one: a comma or the end follows, or what can follow nothing else.
    fn token68(&self, start: usize) -> Option<usize> {
        let body = run(self.line, start, TOKEN68);
        let end = body + self.line[body..].iter().take_while(|&&octet| octet == b'=').count();
        let next = run(self.line, end, BLANK);
        let alone = matches!(self.line.get(next), None | Some(b',' | b';'));
        // `A error=; scope=a` has lost a value; no server that means a token68 puts a semicolon there.
        let lost = end == body + 1 && self.line.get(next) == Some(&b';') && is_token(&self.line[start..body]);
        // `A b= c` is a parameter with bad whitespace, and so is `A b =c`; `A b= c=d` can only be a token68 and more.
        let param = (end == body + 1 && is_token(&self.line[start..body]) && !name_at(self.line, next))
            || (end == body && self.line.get(next) == Some(&b'='));
        (body > start && !lost && (alone || (next > end && !param))).then_some(end)
    }

    fn closed_by(&mut self, token68: Span) {
        self.found.close_with_token68(token68);
        self.at = run(self.line, token68.end(), BLANK);
        if !matches!(self.byte(), None | Some(b',' | b';')) {
            self.after_token68();
        }
    }

    fn after_token68(&mut self) {
        self.defect(Rule::AfterToken68, self.at);
        if name_at(self.line, self.at) {
            let (name, hash) = self.name();
            self.at = run(self.line, name.end(), BLANK);
            self.found.open = true;
            self.value(name, hash);
            self.found.open = false;
        } else if !challenge_at(self.line, self.at) {
            self.skip(self.at);
        }
    }

    /// `BWS "=" BWS ( token / quoted-string )`, from the equals sign on.
    #[inline]
    fn value(&mut self, name: Span, hash: u16) {
        let equals = self.at;
        self.at = run(self.line, equals + 1, BLANK);
        let (value, flags) = match self.byte() {
            Some(b'"') => self.quoted(),
            Some(_) if self.at > equals + 1 && name_at(self.line, self.at) => {
                (Span::new(equals, equals), Flags::empty())
            }
            _ => (self.unquoted(), Flags::empty()),
        };
        if value.is_empty() && !flags.quoted() {
            self.defect(Rule::MissingValue, self.at);
        } else if self.found.open {
            self.push(name, hash, value, flags);
        } else {
            self.defect(Rule::OrphanParameter, name.start());
        }
        // What was cut by its line's end is the last of its challenge: nothing that follows is known to belong there.
        self.found.open &= !flags.broken();
        self.after_value();
    }

    fn push(&mut self, name: Span, hash: u16, value: Span, flags: Flags) {
        if self.found.params.len() >= MAX_PARAMS {
            self.defect(Rule::TooManyParameters, name.start());
            self.found.full = true;
            return;
        }
        let param = Param { name, value, line: self.number, hash, flags };
        if self.found.push_param(param, self.lines) {
            self.defect(Rule::DuplicateParameter, name.start());
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
                    self.defect(Rule::ControlCharacter, self.at);
                    self.at += 1;
                }
                None => {
                    self.defect(Rule::UnterminatedQuote, start - 1);
                    self.ran_off = true;
                    return (Span::new(start, self.at), flags.with_broken());
                }
            }
        }
    }

    /// `1*quoted-pair`
    fn quoted_pairs(&mut self) {
        while self.byte() == Some(b'\\') {
            if self.line.get(self.at + 1).is_some_and(|&octet| !is(octet, ESCAPABLE)) {
                self.defect(Rule::ControlCharacter, self.at + 1);
            }
            self.at = (self.at + 2).min(self.line.len());
        }
    }

    /// `token`, or what stands in its place: a URL, base64, words.
    fn unquoted(&mut self) -> Span {
        let start = self.at;
        let token = run(self.line, start, TCHAR);
        self.at = run(self.line, token, BLANK);
        if token > start && matches!(self.byte(), None | Some(b',')) {
            return Span::new(start, token);
        }
        self.at = self.loose_end(start);
        let blanks = self.line[start..self.at].iter().rev().take_while(|&&octet| is(octet, BLANK)).count();
        let value = Span::new(start, self.at - blanks);
        if token < value.end() {
            self.defect(Rule::UnquotedValue, token);
        }
        value
    }

    fn loose_end(&self, mut at: usize) -> usize {
        loop {
            at = run(self.line, at, LOOSE);
            let next = run(self.line, at, BLANK);
            match self.line.get(next) {
                None | Some(b',') => return at,
                Some(b';') if self.separates(next) => return next,
                Some(b';') => at = next + 1,
                Some(_) if name_at(self.line, next) || challenge_at(self.line, next) => return at,
                Some(_) => at = next,
            }
        }
    }

    #[inline]
    /// Whether the semicolon at `at` stands where a comma belongs: what follows goes on, or ends.
    fn separates(&self, at: usize) -> bool {
        let next = run(self.line, at + 1, BLANK);
        matches!(self.line.get(next), None | Some(b',' | b';'))
            || name_at(self.line, next)
            || challenge_at(self.line, next)
    }

    fn after_value(&mut self) {
        self.at = run(self.line, self.at, BLANK);
        match self.byte() {
            None | Some(b',' | b';') => {}
            Some(_) if name_at(self.line, self.at) || challenge_at(self.line, self.at) => {
                self.defect(Rule::MissingComma, self.at);
            }
            Some(_) => self.junk(self.at),
        }
    }

    fn junk(&mut self, start: usize) {
        self.defect(Rule::Junk, start);
        self.skip(start);
    }

    /// Skips to the next comma outside of quotes. Where a quote is never closed, it is a stray one, and the next comma of
    /// all is taken, so that it hides nothing.
    fn skip(&mut self, start: usize) {
        let comma = next_comma(self.line, start, self.strays < MOST_STRAYS);
        self.at = comma.unwrap_or_else(|| {
            self.strays += 1;
            next_comma(self.line, start, false).unwrap_or(self.line.len())
        });
    }

    /// `token`, and a hash of it without case, so that duplicates are found without comparing all names with all.
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
    fn defect(&mut self, rule: Rule, byte: usize) {
        self.found.note(Place { rule, line: self.number, byte: byte as u32 });
    }
}
