//! A rule of the table, and which values it matches.

use super::generic::{MAX_CODE_LENGTH, is_generic};
use super::words::{DENIALS, NO_CODE_URLS, NO_CODES};

/// The place of a value, and which values count there.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub(super) place: Where,
    pub(super) holds: Holds,
}

/// The place of a value.
#[derive(Clone, Copy)]
pub(super) enum Where {
    /// A member of the body: of an object of any name, or of the object of that name. The name `*` is any name.
    Member(Option<&'static str>, &'static str),
    /// A header field. If the name begins with `*`, every field counts whose name ends with the rest of it. If there is a
    /// second name, only the part `name=…` of the value counts.
    Field(&'static str, Option<&'static str>),
}

/// Which values count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Any text. For a code, also any number except the status.
    Any,
    /// A number. A text there may be the identifier of the request.
    Digits,
    /// One word that says more than the status.
    Word,
    /// One word.
    Phrase,
    /// One word in lower case without digits, because a word with digits may be the identifier of a request.
    Plain,
    /// One word in upper case.
    Screaming,
    /// One word that is in upper case, names a refusal, or ends in `Error` or `Exception`, because other words may be the name of
    /// an object.
    Named,
    /// Several words.
    Sentence,
    /// A text with an `http` or `https` URL.
    Url,
}

/// A rule for a member of the body: `name`, `parent.name` or `parent.*`. The compiler splits the path, because each member of a body
/// is compared with every rule (row `403` of the benchmark `engine`).
pub(super) const fn member(path: &'static str, holds: Holds) -> Rule {
    // The lists are constants, so the compiler refuses a rule that can never match.
    assert!(is_folded(path.as_bytes()), "write the name in lower case and without separators");
    let octets = path.as_bytes();
    let mut dot = 0;
    while dot < octets.len() {
        if octets[dot] == b'.' {
            let ((outer, _), (_, inner)) = (path.split_at(dot), path.split_at(dot + 1));
            return Rule { place: Where::Member(Some(outer), inner), holds };
        }
        dot += 1;
    }
    Rule { place: Where::Member(None, path), holds }
}

const fn is_folded(mut path: &[u8]) -> bool {
    while let [octet, rest @ ..] = path {
        if !matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'*') {
            return false;
        }
        path = rest;
    }
    true
}

/// A rule for a header field.
pub(super) const fn field(name: &'static str, holds: Holds) -> Rule {
    Rule { place: Where::Field(name, None), holds }
}

/// A rule for the part `part=…` of a header field.
pub(super) const fn part(name: &'static str, part: &'static str, holds: Holds) -> Rule {
    Rule { place: Where::Field(name, Some(part)), holds }
}

impl Rule {
    /// Whether the rule is about the member of this name in an object of this name.
    pub(super) fn means(self, parent: &str, name: &str) -> bool {
        match self.place {
            Where::Member(None, wanted) => wanted == name,
            Where::Member(Some(outer), wanted) => outer == parent && (wanted == name || wanted == "*"),
            Where::Field(..) => false,
        }
    }
}

impl Holds {
    /// Whether the text counts.
    pub(super) fn allows(self, text: &str) -> bool {
        let is_word = !text.contains(char::is_whitespace) && text.len() <= MAX_CODE_LENGTH;
        let is_screaming = || {
            let is_upper = |octet: u8| octet.is_ascii_uppercase() || octet.is_ascii_digit() || octet == b'_';
            text.len() > 1 && text.bytes().all(is_upper) && text.bytes().any(|octet| octet.is_ascii_uppercase())
        };
        match self {
            Self::Any => true,
            Self::Digits => text.len() <= 9 && text.bytes().all(|octet| octet.is_ascii_digit()),
            Self::Word => is_word && !text.starts_with("http") && !is_generic(text),
            Self::Phrase => is_word,
            Self::Plain => is_word && text.bytes().all(|octet| octet.is_ascii_lowercase() || b"_-.".contains(&octet)),
            Self::Screaming => is_screaming(),
            Self::Named => is_screaming() || is_word && is_named(text),
            Self::Sentence => text.trim().contains(char::is_whitespace),
            Self::Url => url_in(text).is_some(),
        }
    }
}

/// Whether the word can only be the name of an error.
fn is_named(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let denies = || DENIALS.iter().any(|part| lower.contains(part)) && !is_generic(word);
    word.ends_with("Error") || word.ends_with("Exception") || denies()
}

/// The first `http` or `https` URL in the text.
pub(super) fn url_in(text: &str) -> Option<&str> {
    let start = ["https://", "http://"].iter().filter_map(|scheme| text.find(scheme)).min()?;
    let rest = &text[start..];
    let end = rest
        .find(|found: char| found.is_whitespace() || found.is_control() || "\"'<>".contains(found))
        .unwrap_or(rest.len());
    Some(rest[..end].trim_end_matches(['.', ',', ')', ';']))
}

/// The code in a text, without the namespace before it and the URL after it that some servers add.
pub(super) fn code_in(text: &str, status: u16) -> Option<&str> {
    let text = text.trim();
    let is_url = text.starts_with("http");
    let text = text.split_once(":http").filter(|_| !is_url).map_or(text, |(code, _)| code);
    let text = text.rsplit_once('#').filter(|_| !is_url).map_or(text, |(_, code)| code);
    // In the place of a code, a number is often zero or the status again.
    let is_status = matches!(text, "0" | "401" | "403") || text.parse() == Ok(status);
    let is_none = NO_CODES.iter().any(|none| text.eq_ignore_ascii_case(none))
        || is_url && NO_CODE_URLS.iter().any(|none| text.contains(none));
    (!text.is_empty() && text.len() <= MAX_CODE_LENGTH && !is_status && !is_none).then_some(text)
}
