//! Reads a body of any format.

use http::header::{CONTENT_TYPE, HeaderMap};

use super::found::{Found, Place, folded};
use super::words::NO_CODES;
use super::{html, json, xml};

/// The longest plain text, in bytes, that is a message. If a text is longer, its first line may be a message.
const MAX_MESSAGE_LENGTH: usize = 1_000;

/// The texts of a body.
#[derive(Default)]
pub(super) struct BodyTexts {
    pub(super) found: Found,
    /// The title, if the body has no members.
    pub(super) title: Option<String>,
    /// The message, if the body has no members.
    pub(super) text: Option<String>,
}

impl BodyTexts {
    /// Reads the body.
    pub(super) fn of(headers: &HeaderMap, body: &str) -> Self {
        let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        // Gerrit and others put this prefix before JSON, so that it cannot be run as a script.
        let body = body.trim_start_matches('\u{feff}').trim().trim_start_matches(")]}'").trim_start();
        let mut texts = Self::default();
        match body.bytes().next() {
            Some(b'{' | b'[') if json::read(body, &mut texts.found) || !texts.found.members.is_empty() => {}
            Some(b'"') => texts.text = json::string(body).filter(|text| !text.trim().is_empty()),
            Some(b'<') => texts.markup(body),
            _ if media == "application/x-www-form-urlencoded" || is_form(body) => {
                for (name, value) in url::form_urlencoded::parse(body.as_bytes()) {
                    texts.found.add(&Place::top(), &folded(&name), &value);
                }
            }
            _ => texts.text = plain(body, &media),
        }
        texts
    }

    /// Reads XML, unless it looks like HTML or no member is found in it.
    fn markup(&mut self, body: &str) {
        if !html::is_html(body) {
            xml::read(body, &mut self.found);
        }
        if self.found.members.is_empty() {
            let page = html::read(body);
            (self.title, self.text) = (page.title, page.paragraph);
        }
    }
}

/// Whether a text without a media type is a form: it contains only members and no space.
fn is_form(text: &str) -> bool {
    let is_member = |piece: &str| piece.split_once('=').is_some_and(|(name, _)| !folded(name).is_empty());
    text.contains('&') && !text.contains(char::is_whitespace) && text.split('&').all(is_member)
}

/// The plain text, if it is a message for users.
fn plain(body: &str, media: &str) -> Option<String> {
    let is_text = media.is_empty() || media.starts_with("text/") || media.starts_with("application/");
    let text = if body.len() <= MAX_MESSAGE_LENGTH { body } else { body.lines().next().unwrap_or_default() };
    let is_short = !text.is_empty() && text.len() <= MAX_MESSAGE_LENGTH;
    // The text is JSON or markup that could not be read, or a single value.
    let is_json =
        text.starts_with(['{', '<', '"']) || text.starts_with('[') && (media.ends_with("json") || text.contains('"'));
    let is_value = text.parse::<f64>().is_ok() || NO_CODES.contains(&text);
    let is_odd = |character: char| character.is_control() && !character.is_whitespace();
    (is_text && is_short && !is_json && !is_value && !text.contains(is_odd)).then(|| text.to_owned())
}
