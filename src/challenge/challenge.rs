//! One challenge and its parameters: views into the list that owns the text.

use std::borrow::Cow;
use std::fmt;

use super::grammar::{is_token, text, unescape};
use super::list::{Entry, Parsed, Span};
use crate::challenge::list;
use crate::util::write_escaped;

/// One challenge: a scheme, and a token68 or parameters (RFC 9110 §11.3).
///
/// Lookups ignore the case of names; values keep theirs. Two challenges are equal if scheme, token68 and parameters are,
/// the case of names and the way in which values were written aside.
#[derive(Clone, Copy)]
pub struct Challenge<'a> {
    pub(super) of: &'a Parsed,
    pub(super) number: usize,
}

impl<'a> Challenge<'a> {
    /// The auth-scheme as it was sent.
    #[must_use]
    pub fn scheme(&self) -> &'a str {
        ascii(self.piece(self.entry().scheme))
    }

    pub(crate) fn scheme_octets(&self) -> &'a [u8] {
        self.piece(self.entry().scheme)
    }

    /// The auth-scheme for a log: `_` where it is none that is in use.
    pub(crate) fn known_scheme(&self) -> &'static str {
        known(self.scheme(), &SCHEMES)
    }

    /// Whether it is of that scheme, in any case.
    #[must_use]
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme().eq_ignore_ascii_case(scheme)
    }

    /// All parameters in order, duplicates and broken ones included.
    #[must_use]
    pub fn params(&self) -> Params<'a> {
        Params { of: self.of, left: self.of.found.params_of(self.number) }
    }

    /// The value of the first parameter of that name, in any case, that is whole.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Cow<'a, str>> {
        self.first(name).map(|param| param.value())
    }

    /// The values of all parameters of that name, in any case, that are whole.
    pub fn param_all<'n>(&self, name: &'n str) -> impl Iterator<Item = Cow<'a, str>> + use<'a, 'n> {
        self.params().filter(move |param| !param.is_broken() && param.is(name)).map(|param| param.value())
    }

    /// The first parameter of that name, in any case, that is whole.
    pub(super) fn first(&self, name: &str) -> Option<Param<'a>> {
        self.params().find(|param| !param.is_broken() && param.is(name))
    }

    /// The token68 that stands in place of parameters.
    #[must_use]
    pub fn token68(&self) -> Option<&'a str> {
        Some(ascii(self.piece(self.entry().token68))).filter(|token68| !token68.is_empty())
    }

    /// The name of the protection space (RFC 9110 §11.5).
    #[must_use]
    pub fn realm(&self) -> Option<Cow<'a, str>> {
        self.param("realm")
    }

    /// The canonical form with the values' own octets: what `Display` shows, but for control characters.
    ///
    /// A value that was quoted stays quoted, and one that needs quotes gets them: some schemes say which of their
    /// parameters are quoted. A value that was cut is left out: written back it would look whole.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.canonical().flatten().collect()
    }

    /// The canonical form in pieces, of which each holds one value at most.
    fn canonical(&self) -> impl Iterator<Item = Vec<u8>> + use<'a> {
        let token68 = self.token68().map(|token68| [b" ", token68.as_bytes()].concat());
        let whole = self.params().filter(|param| !param.is_broken());
        // A parameter behind a token68 stands there only because the server left the comma out: so does this.
        let params = whole.enumerate().map(|(index, param)| {
            let mut piece = if index == 0 { b" ".to_vec() } else { b", ".to_vec() };
            param.write(&mut piece);
            piece
        });
        std::iter::once(self.scheme().as_bytes().to_vec()).chain(token68).chain(params)
    }

    fn entry(&self) -> &'a Entry {
        &self.of.found.challenges[self.number]
    }

    fn piece(&self, span: Span) -> &'a [u8] {
        span.of(self.of.lines[usize::from(self.entry().line)].octets())
    }
}

/// The canonical form, as one line. Invisible characters are written as escapes. The text is the server's own, so it
/// contains whatever the server echoes.
impl fmt::Display for Challenge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.canonical().try_for_each(|piece| {
            // A tab separates like a space here.
            let piece = text(Cow::Owned(piece));
            let mut lines = piece.split('\t').peekable();
            while let Some(line) = lines.next() {
                write_escaped(line.chars(), usize::MAX, f)?;
                f.write_str(if lines.peek().is_some() { "\t" } else { "" })?;
            }
            Ok(())
        })
    }
}

impl PartialEq for Challenge<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.scheme()) && self.token68() == other.token68() && self.params().eq(other.params())
    }
}

impl Eq for Challenge<'_> {}

impl fmt::Debug for Challenge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge")
            .field("scheme", &self.known_scheme())
            .field("token68", &self.token68().map(|_| format_args!("_")))
            .field("params", &self.params().map(|param| known(param.name(), &NAMES)).collect::<Vec<_>>())
            .finish()
    }
}

const SCHEMES: [&str; 17] = [
    "Basic",
    "Bearer",
    "Cargo",
    "Concealed",
    "Digest",
    "DPoP",
    "GNAP",
    "HOBA",
    "Mutual",
    "Negotiate",
    "NTLM",
    "OAuth",
    "PrivateToken",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "UMA",
    "vapid",
];

const NAMES: [&str; 28] = [
    "acr_values",
    "algorithm",
    "algs",
    "as_uri",
    "authorization_uri",
    "charset",
    "claims",
    "client_id",
    "domain",
    "error",
    "error_description",
    "error_uri",
    "login_url",
    "max_age",
    "nonce",
    "opaque",
    "qop",
    "realm",
    "resource",
    "resource_metadata",
    "scope",
    "service",
    "stale",
    "ticket",
    "token-key",
    "trusted_issuers",
    "userhash",
    "version",
];

/// A name that is in use; `_` for any other, because a malformed echo of a secret can look like a name.
fn known(name: &str, all: &[&'static str]) -> &'static str {
    all.iter().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or(&"_")
}

/// One parameter of a challenge (RFC 9110 §11.2).
#[derive(Clone, Copy)]
pub struct Param<'a> {
    param: &'a list::Param,
    line: &'a [u8],
}

impl<'a> Param<'a> {
    /// Its name as it was sent.
    #[must_use]
    pub fn name(&self) -> &'a str {
        ascii(self.param.name.of(self.line))
    }

    pub(crate) fn name_octets(&self) -> &'a [u8] {
        self.param.name.of(self.line)
    }

    /// Whether it has that name, in any case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }

    /// Its value as text, without quotes and escapes: UTF-8 where it is, else Latin-1.
    #[must_use]
    pub fn value(&self) -> Cow<'a, str> {
        text(self.bytes())
    }

    /// Its value's octets, without quotes and escapes.
    #[must_use]
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        let octets = self.param.value.of(self.line);
        if self.param.flags.escaped() { Cow::Owned(unescape(octets)) } else { Cow::Borrowed(octets) }
    }

    /// Whether the value's closing quote is missing: it is the rest of the line, and nobody knows what it would have been.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.param.flags.broken()
    }

    fn write(&self, out: &mut Vec<u8>) {
        let value = self.bytes();
        out.extend_from_slice(self.name().as_bytes());
        out.push(b'=');
        if !self.param.flags.quoted() && is_token(&value) {
            return out.extend_from_slice(&value);
        }
        out.push(b'"');
        for &octet in value.iter() {
            if matches!(octet, b'"' | b'\\') {
                out.push(b'\\');
            }
            out.push(octet);
        }
        out.push(b'"');
    }
}

impl PartialEq for Param<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.name()) && self.bytes() == other.bytes() && self.is_broken() == other.is_broken()
    }
}

impl Eq for Param<'_> {}

impl fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Param")
            .field("name", &known(self.name(), &NAMES))
            .field("broken", &self.is_broken())
            .finish_non_exhaustive()
    }
}

/// The parameters of a [`Challenge`], in order.
#[derive(Clone)]
pub struct Params<'a> {
    of: &'a Parsed,
    left: &'a [list::Param],
}

impl<'a> Iterator for Params<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Param<'a>> {
        let (param, left) = self.left.split_first()?;
        self.left = left;
        Some(Param { param, line: self.of.lines[usize::from(param.line)].octets() })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left.len(), Some(self.left.len()))
    }
}

impl ExactSizeIterator for Params<'_> {}

impl fmt::Debug for Params<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// Text of a token or token68, which the grammar makes of ASCII alone: the other case does not occur.
fn ascii(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap_or_default()
}
