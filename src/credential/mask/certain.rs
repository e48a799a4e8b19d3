//! Classifies secrets by how likely they occur in a text by chance.

/// A secret of at most this many characters may occur in a text by chance, whatever its characters are.
const MAX_SHORT: usize = 4;
/// A single word of at least this many characters does not occur by chance.
const MIN_WORD: usize = 16;
/// A number of at least this many digits does not occur by chance.
const MIN_NUMBER: usize = 10;

/// Whether each occurrence of this text is certainly the secret. A short text or a common word can also occur by chance.
pub(super) fn is_certain(secret: &str) -> bool {
    let is_lowercase = secret.chars().skip(1).all(char::is_lowercase);
    let is_word = secret.chars().all(char::is_alphabetic) && (is_lowercase || secret.chars().all(char::is_uppercase));
    let is_number = secret.bytes().all(|octet| octet.is_ascii_digit());
    match secret.chars().count() {
        ..=MAX_SHORT => false,
        length if is_word => length >= MIN_WORD,
        length if is_number => length >= MIN_NUMBER,
        _ => true,
    }
}
