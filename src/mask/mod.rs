//! The one masker: what a server wrote is shown without the secrets that it was sent.
//!
//! Only a text of a server's passes here, each part by itself. Our own words, the method, the URL that the caller wrote and the
//! status do not: a secret that is a common word would be told by what is missing in them.
//!
//! A secret is *certain* where no text has it by chance: it is masked wherever its characters stand, in either case. One of up
//! to four characters, or that is a plain word or a short number, is masked only where it stands alone, as it was written. Of a
//! token, long pieces are masked too.

mod pieces;
mod search;
mod views;

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use search::Needle;
use views::View;

/// What is shown in place of a secret.
const MASK: &str = "***";

/// The secrets that a text is shown without.
#[derive(Default)]
pub(crate) struct Masker(Vec<Needle>);

impl Masker {
    /// Masks that secret.
    pub(crate) fn add(&mut self, secret: &str) {
        self.add_as(secret, is_certain(secret), 0);
    }

    /// Masks the value of a header: with its scheme, without it, and the password in it where it is `Basic`.
    pub(crate) fn add_header(&mut self, value: &str) {
        let Some((scheme, token)) = value.split_once(' ') else { return self.add(value) };
        if scheme.eq_ignore_ascii_case("Basic")
            && let Ok(pair) = STANDARD.decode(token).map(Zeroizing::new)
            && let Some((_, password)) = std::str::from_utf8(&pair).ok().and_then(|pair| pair.split_once(':'))
        {
            self.add(password);
        }
        let token = token.trim_start();
        // With its scheme it is as common as without.
        self.add_as(value, is_certain(token), scheme.len() + 1);
        self.add(token);
    }

    /// Masks what is kept with a credential: all of it, and, where it is a JSON object, its texts that are no addresses.
    pub(crate) fn add_kept(&mut self, kept: &str) {
        self.add(kept);
        #[cfg(any(feature = "oauth", feature = "registry", feature = "store"))]
        if let Some(members) = crate::members::Members::of(kept.as_bytes()) {
            // These say who asks whom, and how.
            const PUBLIC: [&str; 6] = ["issuer", "client_id", "registered", "resource", "scope", "token_type"];
            let secret = members.0.iter().filter(|(name, _)| !PUBLIC.contains(&name.as_str()));
            let texts = secret.filter_map(|(_, value)| value.as_str());
            texts.filter(|text| is_certain(text) && !text.contains("://")).for_each(|text| self.add(text));
        }
    }

    fn add_as(&mut self, secret: &str, certain: bool, public: usize) {
        let needle = Needle::new(secret, certain, public);
        if !secret.trim().is_empty() && !self.0.contains(&needle) {
            self.0.push(needle);
        }
    }

    /// A server's text without the secrets.
    pub(crate) fn mask(&self, text: String) -> String {
        self.without(text, |_| true)
    }

    /// The same of a text that has words of others in it, or is a URL: without the certain secrets.
    pub(crate) fn mask_certain(&self, text: String) -> String {
        self.without(text, |needle| needle.certain)
    }

    /// The same of a text that is one word, such as a code or a scope: of a plain word that is a secret it is all, or has nothing.
    pub(crate) fn mask_word(&self, text: String) -> String {
        if self.0.iter().any(|needle| needle.is(&text)) { MASK.to_owned() } else { self.mask_certain(text) }
    }

    /// Whether a text has a certain secret in it: then it is an echo, and names nothing.
    pub(crate) fn has_certain(&self, text: &str) -> bool {
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
            // What is shorter has no secret of four characters in it.
            let encoded = if view.octets.len() < 6 { Vec::new() } else { view.decoded() };
            for view in &encoded {
                needles.iter().filter(|needle| needle.is_long()).for_each(|needle| needle.find(view, &mut found));
            }
        }
        if found.is_empty() { text } else { covered(&text, found) }
    }
}

/// Whether no text has the secret by chance.
fn is_certain(secret: &str) -> bool {
    let mut letters = secret.chars();
    letters.next();
    let is_word = secret.chars().all(char::is_alphabetic)
        && (letters.clone().all(char::is_lowercase) || secret.chars().all(char::is_uppercase));
    let is_number = secret.bytes().all(|octet| octet.is_ascii_digit());
    match secret.chars().count() {
        ..=4 => false,
        length if is_word => length >= 16,
        length if is_number => length >= 10,
        _ => true,
    }
}

/// The text with these ranges of it masked; what touches is one.
fn covered(text: &str, mut found: Vec<Range<usize>>) -> String {
    found.sort_unstable_by_key(|range| range.start);
    let (mut shown, mut done, mut masked) = (String::with_capacity(text.len()), 0, None);
    for range in found {
        // What was decoded of a foreign encoding may begin or end inside of a character.
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
