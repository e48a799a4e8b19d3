//! The masker.

use std::fmt;
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use super::certain::is_certain;
use super::search::Needle;
use super::views::View;
use crate::credential::secret::Secret;

/// The replacement for a secret.
const MASK: &str = "***";
/// The shortest text that can encode a secret of four octets, in base64 without padding.
const MIN_ENCODED: usize = 6;

/// Replaces secrets with `***` in a text that a server wrote.
///
/// A server may repeat a secret that was sent to it, as it is or encoded: percent-encoded, escaped in JSON or XML, as
/// base64 or hex. All these forms are found.
///
/// A secret is *certain* if it does not occur in a text by chance. It is masked wherever it occurs, in upper or lower
/// case, and long pieces of a token are masked too. Any other secret (up to four characters, a single word or a short
/// number) is masked only where it stands alone and in its exact case.
///
/// Mask only text that a server wrote. In text that the program wrote, the mask of a secret that is a common word would
/// reveal the secret.
///
/// `Debug` prints the number of secrets.
#[derive(Default)]
pub struct Masker(Vec<Needle>);

impl Masker {
    /// Adds a secret.
    pub(crate) fn add(&mut self, secret: &str) {
        self.add_as(secret, is_certain(secret), 0);
    }

    /// Adds the value of a header: with its scheme, without it, and for `Basic` also the password in it.
    pub(crate) fn add_header(&mut self, value: &str) {
        let Some((scheme, token)) = value.split_once(' ') else { return self.add(value) };
        if scheme.eq_ignore_ascii_case("Basic")
            && let Ok(pair) = STANDARD.decode(token).map(Zeroizing::new)
            && let Some((_, password)) = std::str::from_utf8(&pair).ok().and_then(|pair| pair.split_once(':'))
        {
            self.add(password);
        }
        let token = token.trim_start();
        // The value with its scheme occurs by chance as seldom as the token does.
        self.add_as(value, is_certain(token), scheme.len() + 1);
        self.add(token);
    }

    /// Adds a text that a store keeps: the attachment or the export of a credential. If the text is a JSON object,
    /// its strings are secrets too, except URLs, public values, and strings that may occur in a text by chance.
    pub(crate) fn add_stored(&mut self, stored: &str) {
        self.add(stored);
        let Ok(mut members) = serde_json::from_str::<Map<String, Value>>(stored) else { return };
        for (name, value) in &mut members {
            let Value::String(text) = value else { continue };
            // Servers and errors name these values openly.
            const PUBLIC_MEMBERS: [&str; 6] = ["issuer", "client_id", "registered", "resource", "scope", "token_type"];
            if !PUBLIC_MEMBERS.contains(&name.as_str()) && is_certain(text) && !text.contains("://") {
                self.add(text);
            }
            text.zeroize();
        }
    }

    /// Adds a secret whose first `public` octets are not secret.
    fn add_as(&mut self, secret: &str, is_certain: bool, public: usize) {
        let needle = Needle::new(secret, is_certain, public);
        if !secret.trim().is_empty() && !self.0.contains(&needle) {
            self.0.push(needle);
        }
    }

    /// Adds a secret. An empty text is ignored.
    pub fn add_secret(&mut self, secret: &Secret) {
        self.add(secret.expose());
    }

    /// The text, with `***` in place of the secrets.
    #[must_use]
    pub fn mask(&self, text: impl Into<String>) -> String {
        self.without(text.into(), |_| true)
    }

    /// The text, with `***` in place of the certain secrets: those that cannot occur in a text by chance. Use this for a
    /// URL, or for a text of which the server wrote only a part.
    #[must_use]
    pub fn mask_certain(&self, text: impl Into<String>) -> String {
        self.without(text.into(), |needle| needle.is_certain)
    }

    /// A single word, such as an error code or a scope: `***` if the word is a secret, otherwise the word with `***`
    /// in place of those secrets that do not occur in a text by chance.
    pub(crate) fn mask_word(&self, text: String) -> String {
        if self.0.iter().any(|needle| needle.is(&text)) { MASK.to_owned() } else { self.mask_certain(text) }
    }

    /// Whether the text contains a secret that does not occur in a text by chance. If it does, the server repeated
    /// the secret.
    #[must_use]
    pub fn has_certain(&self, text: &str) -> bool {
        self.mask_certain(text.to_owned()) != text
    }

    fn without(&self, text: String, is_masked: impl Fn(&Needle) -> bool) -> String {
        let needles: Vec<_> = self.0.iter().filter(|needle| is_masked(needle)).collect();
        if needles.is_empty() || text.is_empty() {
            return text;
        }
        let mut found = Vec::new();
        let plain = View::plain_of(&text, needles.iter().any(|needle| needle.has_blank()));
        let has_long = needles.iter().any(|needle| needle.is_long());
        for view in &plain {
            needles.iter().for_each(|needle| needle.find(view, &mut found));
            let encoded = if has_long && view.octets.len() >= MIN_ENCODED { view.decoded() } else { Vec::new() };
            for view in &encoded {
                needles.iter().filter(|needle| needle.is_long()).for_each(|needle| needle.find(view, &mut found));
            }
        }
        if found.is_empty() { text } else { covered(&text, found) }
    }
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Masker").field("secrets", &self.0.len()).finish()
    }
}

/// The text with these ranges masked. Adjacent ranges become one mask.
fn covered(text: &str, mut found: Vec<Range<usize>>) -> String {
    found.sort_unstable_by_key(|range| range.start);
    let (mut shown, mut done, mut masked) = (String::with_capacity(text.len()), 0, None);
    for range in found {
        // The range of a decoded secret may begin or end inside a character.
        let start = (0..=range.start).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let end = (range.end..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
        if masked.is_none_or(|masked| start > masked) {
            shown.push_str(&text[done..start]);
            shown.push_str(MASK);
        }
        done = done.max(end);
        masked = Some(done);
    }
    shown.push_str(&text[done..]);
    shown
}
