//! Decodes escapes, and characters of base64 and hex.

/// What an escape represents.
pub(super) enum Unescaped {
    /// An octet, which may be a part of a UTF-8 character.
    Octet(u8),
    /// A character.
    Character(char),
}

/// The value of a hex digit.
pub(super) fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// The octet of `HEXDIG HEXDIG`, at the beginning of the text.
pub(super) fn octet(text: &[u8]) -> Option<u8> {
    Some((nibble(*text.first()?)? << 4) | nibble(*text.get(1)?)?)
}

/// The value of a base64 character, in the standard or the URL-safe alphabet.
pub(super) fn sextet(octet: u8) -> Option<u8> {
    Some(match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// The character after a backslash (RFC 8259 §7, and `\xXX`), and the length of the escape without the backslash.
pub(super) fn backslash(text: &[u8]) -> Option<(usize, Unescaped)> {
    let unit = |text: &[u8]| Some((u16::from(octet(text)?) << 8) | u16::from(octet(text.get(2..)?)?));
    match *text.first()? {
        b'x' => Some((3, Unescaped::Octet(octet(&text[1..])?))),
        b'u' => {
            let first = unit(&text[1..])?;
            let second = text.get(5..).and_then(|text| text.strip_prefix(b"\\u")).and_then(unit);
            let pair = char::decode_utf16([first].into_iter().chain(second)).next()?.ok()?;
            Some((if pair.len_utf16() == 2 { 11 } else { 5 }, Unescaped::Character(pair)))
        }
        plain @ (b'"' | b'\'' | b'/' | b'\\') => Some((1, Unescaped::Octet(plain))),
        _ => None,
    }
}

/// The character after an ampersand (XML 1.0 §4.1), and the length of the reference without the ampersand.
pub(super) fn entity(text: &[u8]) -> Option<(usize, Unescaped)> {
    let length = text.iter().take(10).position(|&octet| octet == b';')?;
    let name = std::str::from_utf8(&text[..length]).ok()?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let hex = number.strip_prefix(['x', 'X']).map(|hex| u32::from_str_radix(hex, 16));
            char::from_u32(hex.unwrap_or_else(|| number.parse()).ok()?)?
        }
    };
    Some((length + 1, Unescaped::Character(character)))
}
