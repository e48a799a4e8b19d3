//! Texts that say no more than the status.

use super::words::GENERIC_WORDS;

/// The longest code, in bytes. A longer text is a message.
pub(super) const MAX_CODE_LENGTH: usize = 200;

/// Whether the text says no more than the status, for example `Forbidden`, `HTTP 401 Unauthorized`, `403`.
pub(in crate::error) fn is_generic(text: &str) -> bool {
    let mut words = text.split(|found: char| !found.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_generic = |word: &str| {
        word.bytes().all(|octet| octet.is_ascii_digit())
            || GENERIC_WORDS.iter().any(|one| word.eq_ignore_ascii_case(one))
    };
    text.len() <= MAX_CODE_LENGTH && words.all(is_generic)
}
