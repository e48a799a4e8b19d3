//! Which secrets no text contains by chance.

/// Whether no text contains the secret by chance.
pub(super) fn is_certain(secret: &str) -> bool {
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
