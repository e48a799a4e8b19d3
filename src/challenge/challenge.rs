//! One challenge and its parameters: views of the storage that owns the text.

use std::borrow::Cow;
use std::fmt;

use super::grammar::{is_token, text, unescape};
use super::parsed::{Entry, Parsed, Span, StoredParam};
use crate::util::write_escaped;

/// One challenge: a scheme, and a token68 or parameters (RFC 9110 §11.3).
///
/// Lookups ignore the case of names. Two challenges are equal if their schemes, token68s and parameters are equal. The case
/// of names and the quotes of values do not matter.
///
/// `Debug` prints no values, because a server may repeat a secret.
#[derive(Clone, Copy)]
pub struct Challenge<'a> {
    pub(super) parsed: &'a Parsed,
    pub(super) number: usize,
}

impl<'a> Challenge<'a> {
    /// The scheme, as the server sent it.
    #[must_use]
    pub fn scheme(&self) -> &'a str {
        ascii(self.piece(self.entry().scheme))
    }

    pub(crate) fn scheme_octets(&self) -> &'a [u8] {
        self.piece(self.entry().scheme)
    }

    /// The scheme, for a log. `_` if the scheme is not a known one.
    pub(crate) fn known_scheme(&self) -> &'static str {
        known(self.scheme(), &KNOWN_SCHEMES)
    }

    /// Whether the challenge has this scheme. The case of the name does not matter.
    #[must_use]
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme_octets().eq_ignore_ascii_case(scheme.as_bytes())
    }

    /// All parameters, in order, with duplicates and broken ones.
    #[must_use]
    pub fn params(&self) -> Params<'a> {
        Params { parsed: self.parsed, left: self.parsed.found.params_of(self.number) }
    }

    /// The value of the first parameter of this name, ignoring case. Broken parameters are skipped.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<Cow<'a, str>> {
        self.first(name).map(|param| param.value())
    }

    /// The values of all parameters of this name, ignoring case. Broken parameters are skipped.
    pub fn param_all<'n>(&self, name: &'n str) -> impl Iterator<Item = Cow<'a, str>> + use<'a, 'n> {
        self.params().filter(move |param| !param.is_broken() && param.is(name)).map(|param| param.value())
    }

    /// The first parameter of this name, ignoring case. Broken parameters are skipped.
    pub(super) fn first(&self, name: &str) -> Option<Param<'a>> {
        self.params().find(|param| !param.is_broken() && param.is(name))
    }

    /// The token68, which some schemes have instead of parameters.
    #[must_use]
    pub fn token68(&self) -> Option<&'a str> {
        Some(ascii(self.piece(self.entry().token68))).filter(|token68| !token68.is_empty())
    }

    /// The name of the protection space (RFC 9110 §11.5).
    #[must_use]
    pub fn realm(&self) -> Option<Cow<'a, str>> {
        self.param("realm")
    }

    /// The canonical form, with the octets of the values. `Display` prints the same with control characters as escapes.
    ///
    /// A value that was quoted stays quoted, because some schemes define which parameters are quoted. A value that needs
    /// quotes gets them. A broken parameter is left out, because it would look complete.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.canonical().flatten().collect()
    }

    /// The canonical form, in pieces with at most one value each.
    fn canonical(&self) -> impl Iterator<Item = Vec<u8>> + use<'a> {
        let token68 = self.token68().map(|token68| [b" ", token68.as_bytes()].concat());
        let whole = self.params().filter(|param| !param.is_broken());
        // A parameter follows a token68 only if the server left the comma out. The canonical form has no comma there either.
        let params = whole.enumerate().map(|(index, param)| {
            let mut piece = if index == 0 { b" ".to_vec() } else { b", ".to_vec() };
            param.write(&mut piece);
            piece
        });
        std::iter::once(self.scheme().as_bytes().to_vec()).chain(token68).chain(params)
    }

    fn entry(&self) -> &'a Entry {
        &self.parsed.found.challenges[self.number]
    }

    fn piece(&self, span: Span) -> &'a [u8] {
        span.of(self.parsed.lines[usize::from(self.entry().line)].octets())
    }
}

/// Prints the canonical form on one line, with invisible characters as escapes. The server wrote this text and may repeat a
/// secret in it.
impl fmt::Display for Challenge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.canonical().try_for_each(|piece| {
            // A tab is allowed where a space is allowed, so it is not escaped.
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
            .field("params", &self.params().map(|param| known(param.name(), &KNOWN_PARAMS)).collect::<Vec<_>>())
            .finish()
    }
}

/// The schemes that are printed in logs.
const KNOWN_SCHEMES: [&str; 17] = [
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

/// The parameters that are printed in logs.
const KNOWN_PARAMS: [&str; 28] = [
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

/// The name, if it is a known one. `_` for any other name, because a secret that a server repeats can look like a name.
fn known(name: &str, all: &[&'static str]) -> &'static str {
    all.iter().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or(&"_")
}

/// One parameter of a challenge (RFC 9110 §11.2).
#[derive(Clone, Copy)]
pub struct Param<'a> {
    param: &'a StoredParam,
    line: &'a [u8],
}

impl<'a> Param<'a> {
    /// The name, as the server sent it.
    #[must_use]
    pub fn name(&self) -> &'a str {
        ascii(self.param.name.of(self.line))
    }

    pub(crate) fn name_octets(&self) -> &'a [u8] {
        self.param.name.of(self.line)
    }

    /// Whether the parameter has this name. The case does not matter.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name_octets().eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value as text, without quotes and escapes. It is read as UTF-8, or as Latin-1 if it is not valid UTF-8.
    #[must_use]
    pub fn value(&self) -> Cow<'a, str> {
        text(self.bytes())
    }

    /// The octets of the value, without quotes and escapes.
    #[must_use]
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        let octets = self.param.value.of(self.line);
        if self.param.flags.is_escaped() { Cow::Owned(unescape(octets)) } else { Cow::Borrowed(octets) }
    }

    /// Whether the closing quote of the value is missing. The value is then the rest of the line.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.param.flags.is_broken()
    }

    fn write(&self, out: &mut Vec<u8>) {
        let value = self.bytes();
        out.extend_from_slice(self.name().as_bytes());
        out.push(b'=');
        if !self.param.flags.is_quoted() && is_token(&value) {
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
            .field("name", &known(self.name(), &KNOWN_PARAMS))
            .field("broken", &self.is_broken())
            .finish_non_exhaustive()
    }
}

/// The parameters of a [`Challenge`], in order.
#[derive(Clone)]
pub struct Params<'a> {
    parsed: &'a Parsed,
    left: &'a [StoredParam],
}

impl<'a> Iterator for Params<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Param<'a>> {
        let (param, left) = self.left.split_first()?;
        self.left = left;
        Some(Param { param, line: self.parsed.lines[usize::from(param.line)].octets() })
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

/// The text of a token or a token68. The grammar allows only ASCII in them, so the conversion does not fail.
fn ascii(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap_or_default()
}
