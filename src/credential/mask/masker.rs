//! Masks a server's text: the secrets that were sent to the server are replaced.
//!
//! Only texts that a server wrote are masked, each part by itself. The crate's own words, the method, the status and
//! the URL that the caller wrote are not masked: masking a secret that is a common word there would reveal the secret.
//!
//! A secret is *certain* if no text contains it by chance. It is masked wherever its characters occur, in upper or lower case;
//! of a token, long pieces are masked too. A secret of up to four characters, a plain word or a short number is masked only where
//! it stands alone and in its exact case.

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

/// Secrets, to be masked in a server's text. `Debug` prints how many there are.
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
        // The value with its scheme is as certain as the token.
        self.add_as(value, is_certain(token), scheme.len() + 1);
        self.add(token);
    }

    /// Adds the text attached to a credential: the whole of it, and, if it is a JSON object, its strings that are not
    /// URLs.
    pub(crate) fn add_kept(&mut self, kept: &str) {
        self.add(kept);
        let Ok(mut members) = serde_json::from_str::<Map<String, Value>>(kept) else { return };
        for (name, value) in &mut members {
            let Value::String(text) = value else { continue };
            // These members name the parties of the grant.
            const PUBLIC: [&str; 6] = ["issuer", "client_id", "registered", "resource", "scope", "token_type"];
            if !PUBLIC.contains(&name.as_str()) && is_certain(text) && !text.contains("://") {
                self.add(text);
            }
            text.zeroize();
        }
    }

    fn add_as(&mut self, secret: &str, certain: bool, public: usize) {
        let needle = Needle::new(secret, certain, public);
        if !secret.trim().is_empty() && !self.0.contains(&needle) {
            self.0.push(needle);
        }
    }

    /// Adds a secret. An empty text is not a secret.
    pub fn add_secret(&mut self, secret: &Secret) {
        self.add(secret.expose());
    }

    /// The server's text with `***` in place of the secrets.
    #[must_use]
    pub fn mask(&self, text: impl Into<String>) -> String {
        self.mask_all(text.into())
    }

    fn mask_all(&self, text: String) -> String {
        self.without(text, |_| true)
    }

    /// The same for a URL, or a text that also contains other words: masks only secrets that no text contains by chance.
    #[must_use]
    pub fn mask_certain(&self, text: impl Into<String>) -> String {
        self.without(text.into(), |needle| needle.certain)
    }

    /// The same for a single word, such as a code or a scope: masks the whole word if it is a secret, otherwise certain
    /// secrets.
    pub(crate) fn mask_word(&self, text: String) -> String {
        if self.0.iter().any(|needle| needle.is(&text)) { MASK.to_owned() } else { self.mask_certain(text) }
    }

    /// Whether the text contains a secret that no text contains by chance. Then the server repeated it.
    #[must_use]
    pub fn has_certain(&self, text: &str) -> bool {
        self.mask_certain(text.to_owned()) != text
    }

    fn without(&self, text: String, counts: impl Fn(&Needle) -> bool) -> String {
        let needles: Vec<_> = self.0.iter().filter(|needle| counts(needle)).collect();
        if needles.is_empty() || text.is_empty() {
            return text;
        }
        let mut found = Vec::new();
        let plain = View::plain_of(&text, needles.iter().any(|needle| needle.has_blank()));
        for view in &plain {
            needles.iter().for_each(|needle| needle.find(view, &mut found));
            // A shorter text encodes no secret of four characters.
            let encoded = if view.octets.len() < 6 { Vec::new() } else { view.decoded() };
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
        // A range that was decoded may begin or end inside a character.
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
