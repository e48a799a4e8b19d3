//! Texts that say no more than the status.

use super::words::NO_TEXTS;

/// A longer text is not a code.
pub(super) const LONGEST_CODE: usize = 200;

/// Whether the text says no more than the status, for example `Forbidden`, `HTTP 401 Unauthorized`, `403`.
pub(in crate::error) fn is_generic(text: &str) -> bool {
    let mut words = text.split(|found: char| !found.is_alphanumeric()).filter(|word| !word.is_empty());
    let says_nothing = |word: &str| {
        word.bytes().all(|octet| octet.is_ascii_digit()) || NO_TEXTS.iter().any(|one| word.eq_ignore_ascii_case(one))
    };
    text.len() <= LONGEST_CODE && words.all(says_nothing)
}
