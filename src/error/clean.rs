//! Prints a chain of errors without the secret parts of URLs and without characters that control a terminal.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use super::chain::{each, into_reqwest};
use super::clean_error::CleanError;
use crate::BoxError;
use crate::util::{DEFAULT_COLUMNS, OneLine};

/// How many characters of one error's message are printed.
const MAX_COLUMNS: usize = 4 * DEFAULT_COLUMNS;
/// How many errors of a chain are printed.
const MAX_MESSAGES: usize = 16;

/// Makes an error safe to print. An error that prints no secret stays the same. Any other error is replaced by the
/// messages of its chain, and [`find`](super::find) still finds the original.
pub(crate) fn clean_error(error: BoxError) -> Arc<dyn StdError + Send + Sync> {
    let error = without_url(error);
    let mut next: Option<&(dyn StdError + 'static)> = Some(&*error);
    let mut lines = Vec::new();
    let mut is_clean = true;
    while let Some(level) = next {
        if lines.len() == MAX_MESSAGES {
            is_clean = false;
            break;
        }
        let message = level.to_string();
        let line = clean(&message);
        is_clean &= line == message;
        lines.push(line);
        next = level.source();
    }
    if is_clean {
        return Arc::from(error);
    }
    let below =
        lines.into_iter().rev().fold(None, |below, line| Some(Box::new(CleanError { line, below, held: None })));
    let first = below.map_or_else(CleanError::default, |first| *first);
    Arc::new(CleanError { held: Some(Arc::from(error)), ..first })
}

/// Removes the URL of a network error that the box owns alone. The error keeps its type, so it can still be found.
fn without_url(error: BoxError) -> BoxError {
    let error = match into_reqwest(error) {
        Ok(error) => return error.without_url().into(),
        Err(error) => error,
    };
    match error.downcast::<io::Error>() {
        Ok(error) if error.get_ref().is_some_and(|held| each(held).any(|one| one.is::<reqwest::Error>())) => {
            let kind = error.kind();
            Box::new(error.into_inner().map_or_else(|| kind.into(), |held| io::Error::new(kind, without_url(held))))
        }
        Ok(error) => error,
        Err(error) => error,
    }
}

/// The text without user names, queries and fragments in URLs, without control characters, and cut to a maximum length.
pub(crate) fn clean(text: &str) -> String {
    // The text is cut before the search, so that only a short text is searched.
    let cut = text.char_indices().nth(MAX_COLUMNS).map_or(text.len(), |(end, _)| end);
    let rest = if cut < text.len() { "…" } else { "" };
    let bare = without_url_secrets(&text[..cut]);
    let lines: Vec<_> = bare
        .split('\n')
        .map(|line| {
            line.split('\t')
                .map(|piece| OneLine::with_columns(piece, MAX_COLUMNS).to_string())
                .collect::<Vec<_>>()
                .join("\t")
        })
        .collect();
    lines.join("\n") + rest
}

/// The text whose URLs have no user name, query and fragment.
fn without_url_secrets(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, url) = rest.split_at(at + 3);
        let length = url.find(ends_url).unwrap_or(url.len());
        let (url, after) = url.split_at(length);
        bare.push_str(before);
        push_url(url, &mut bare);
        rest = after;
    }
    bare.push_str(rest);
    Cow::Owned(bare)
}

/// Whether this character ends a URL in a text.
fn ends_url(character: char) -> bool {
    character.is_whitespace() || character.is_control() || matches!(character, '"' | '\'' | '<' | '>' | '`' | '\\')
}

/// Writes the host, port and path of a URL, from the text after `://`.
fn push_url(url: &str, output: &mut String) {
    let authority = url.find(['/', '?', '#']).unwrap_or(url.len());
    let ends_userinfo = url[..authority].rfind('@').or_else(|| {
        // A password that is not percent-encoded may contain `/`, `?` or `#`. In that case the text after the last
        // colon is not a port, and the userinfo ends at the last `@` of the whole text.
        let port = url[..authority].rsplit_once(':').map_or("", |(_, port)| port);
        let is_port = port.bytes().all(|octet| octet.is_ascii_digit()) || port.ends_with(']');
        if is_port { None } else { url.rfind('@') }
    });
    let url = ends_userinfo.map_or(url, |at| &url[at + 1..]);
    let Some(end) = url.find(['?', '#']) else { return output.push_str(url) };
    output.push_str(&url[..end]);
    // Keeps the punctuation of the sentence around the URL.
    let closes = url.trim_end_matches([')', ']', '}', '.', ',', ';', ':', '!']).len().max(end + 1);
    output.push_str(url.get(closes..).unwrap_or_default());
}
