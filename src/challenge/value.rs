//! The values of parameters: quoted-strings, tokens, and other texts without quotes.

use super::defect::DefectKind;
use super::grammar::{BLANK, CONTROL, ESCAPABLE, TCHAR, UNQUOTED, is, run, run_quoted, run_token};
use super::parsed::{Flags, Span};
use super::parser::Parser;

impl Parser<'_> {
    /// `quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE`
    #[inline(always)]
    pub(super) fn quoted(&mut self) -> (Span, Flags) {
        let start = self.at + 1;
        let end = run_quoted(self.line, start);
        if self.line.get(end) != Some(&b'"') {
            return self.rest_of_quoted(start, end);
        }
        self.at = end + 1;
        (Span::new(start, end), Flags::empty().with_quoted())
    }

    /// A quoted-string from its first octet that is not qdtext, which is at `odd`.
    #[cold]
    fn rest_of_quoted(&mut self, start: usize, odd: usize) -> (Span, Flags) {
        let mut flags = Flags::empty().with_quoted();
        self.at = odd;
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return (Span::new(start, self.at - 1), flags);
                }
                Some(b'\\') => {
                    flags = flags.with_escaped();
                    self.quoted_pairs();
                }
                Some(_) => self.control_characters(),
                None => {
                    self.defect(DefectKind::UnterminatedQuote, start - 1);
                    self.ends_in_quote = true;
                    return (Span::new(start, self.at), flags.with_broken());
                }
            }
            self.at = run_quoted(self.line, self.at);
        }
    }

    /// Control characters, which no quoted-string may have.
    fn control_characters(&mut self) {
        let end = run(self.line, self.at, CONTROL);
        while self.at < end && !self.found.has_all_defects() {
            self.note(DefectKind::ControlCharacter, self.at);
            self.at += 1;
        }
        self.at = end;
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
    #[inline(always)]
    pub(super) fn unquoted(&mut self) -> Span {
        let start = self.at;
        let token = run_token(self.line, start);
        if matches!(self.line.get(token), None | Some(b',')) {
            self.at = token;
            return Span::new(start, token);
        }
        self.text(start, token)
    }

    /// Reads an unquoted value that is more than a token, or has blanks after it. It begins with the token from
    /// `start` to `token`.
    #[cold]
    fn text(&mut self, start: usize, token: usize) -> Span {
        self.at = run(self.line, token, BLANK);
        if token > start && matches!(self.byte(), None | Some(b',')) {
            return Span::new(start, token);
        }
        self.at = self.text_end(start);
        let blanks = self.line[start..self.at].iter().rev().take_while(|&&octet| is(octet, BLANK)).count();
        let value = Span::new(start, self.at - blanks);
        if token < value.end() {
            self.defect(DefectKind::UnquotedValue, token);
        }
        value
    }

    /// The end of an unquoted value that is not a token.
    fn text_end(&self, mut at: usize) -> usize {
        at = run(self.line, at, UNQUOTED);
        let mut next = run(self.line, at, BLANK);
        // Where the value ends if the last word is the scheme of a challenge: a token between blanks.
        let mut before_scheme = None;
        loop {
            // The value ends at `end` if a parameter or a challenge is at `word`.
            let (end, word) = match self.line.get(next) {
                None | Some(b',') => return at,
                Some(b';') => {
                    before_scheme = None;
                    (next, run(self.line, next + 1, BLANK))
                }
                Some(_) => (at, next),
            };
            at = run(self.line, word, TCHAR);
            next = run(self.line, at, BLANK);
            if at == word {
                // Nothing follows the semicolon, so it counts as a comma.
                if matches!(self.line.get(word), None | Some(b',' | b';')) {
                    return end;
                }
            } else if self.line.get(next) == Some(&b'=') {
                return before_scheme.unwrap_or(end);
            }
            before_scheme = (at > word && next > at).then_some(end);
            if next == at {
                at = run(self.line, at, UNQUOTED);
                next = run(self.line, at, BLANK);
            }
        }
    }
}
