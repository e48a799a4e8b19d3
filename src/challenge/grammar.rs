//! The character classes of RFC 9110 §5.6 and §11, as one table with a bit for each class.

use std::borrow::Cow;

/// `tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA`
pub(super) const TCHAR: u8 = 1;
/// `ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/"`, the characters of a token68 before its padding.
pub(super) const TOKEN68: u8 = 1 << 1;
/// `qdtext = HTAB / SP / %x21 / %x23-5B / %x5D-7E / obs-text`
pub(super) const QDTEXT: u8 = 1 << 2;
/// `SP / HTAB`, the characters of OWS and BWS.
pub(super) const BLANK: u8 = 1 << 3;
/// A blank or a comma: the characters between two elements of a list.
pub(super) const SEPARATOR: u8 = 1 << 4;
/// `HTAB / SP / VCHAR / obs-text`, the characters after the backslash of a quoted-pair.
pub(super) const ESCAPABLE: u8 = 1 << 5;
/// Anything but a blank, a comma or a semicolon: the characters that do not end an unquoted value.
pub(super) const UNQUOTED: u8 = 1 << 6;
/// Neither qdtext nor a quote or a backslash.
pub(super) const CONTROL: u8 = 1 << 7;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = class(octet as u8);
        octet += 1;
    }
    table
}

const fn class(octet: u8) -> u8 {
    let blank = matches!(octet, b' ' | b'\t');
    let visible_or_obs = matches!(octet, 0x21..=0x7e | 0x80..);
    let mut bits = 0;
    if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~' | b'+') {
        bits |= TCHAR | TOKEN68;
    }
    if matches!(octet, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'^' | b'`' | b'|') {
        bits |= TCHAR;
    }
    if octet == b'/' {
        bits |= TOKEN68;
    }
    if (blank || visible_or_obs) && octet != b'"' && octet != b'\\' {
        bits |= QDTEXT;
    }
    if !blank && !visible_or_obs {
        bits |= CONTROL;
    }
    if blank {
        bits |= BLANK;
    }
    if blank || octet == b',' {
        bits |= SEPARATOR;
    }
    if blank || visible_or_obs {
        bits |= ESCAPABLE;
    }
    if !blank && octet != b',' && octet != b';' {
        bits |= UNQUOTED;
    }
    bits
}

/// Whether the octet is in the class.
#[inline]
pub(super) fn is(octet: u8, class: u8) -> bool {
    CLASSES[octet as usize] & class != 0
}

/// The end of the octets of this class that start at `at`.
#[inline]
pub(super) fn run(line: &[u8], mut at: usize, class: u8) -> usize {
    while at < line.len() && is(line[at], class) {
        at += 1;
    }
    at
}

/// The end of the token that starts at `at`. Reads four octets at a time (bench `challenges`).
#[inline]
pub(super) fn run_token(line: &[u8], mut at: usize) -> usize {
    loop {
        let Some(&[a, b, c, d]) = line.get(at..).and_then(|rest| rest.first_chunk()) else {
            return run(line, at, TCHAR);
        };
        if !is(a, TCHAR) {
            return at;
        }
        if !is(b, TCHAR) {
            return at + 1;
        }
        if !is(c, TCHAR) {
            return at + 2;
        }
        if !is(d, TCHAR) {
            return at + 3;
        }
        at += 4;
    }
}

/// The end of the qdtext octets that start at `at`. Reads eight octets at a time, because most octets of a challenge are in
/// quoted values (bench `challenges`).
#[inline]
pub(super) fn run_quoted(line: &[u8], mut at: usize) -> usize {
    while let Some(eight) = line[at..].first_chunk::<8>() {
        let octets = u64::from_le_bytes(*eight);
        // An octet `o` is a control character or a quote if `o ^ 2` is at most 0x20.
        let found = low(octets ^ (ONES * 2), 0x21) | low(octets ^ (ONES * 0x5c), 1) | low(octets ^ (ONES * 0x7f), 1);
        let odd = found & !octets & (ONES << 7);
        if odd != 0 {
            at += odd.trailing_zeros() as usize / 8;
            break;
        }
        at += 8;
    }
    // The rest has only a few octets, or it begins with a tab, which is qdtext but which the loop above does not
    // accept.
    run(line, at, QDTEXT)
}

/// Eight octets, each of them 1.
const ONES: u64 = u64::MAX / 255;

/// Sets the high bit of each of the eight octets that is below `bound`, which is at most 0x80. The high bits of octets that
/// are 0x80 or more are undefined. Of the others, only the lowest bit that is set is reliable: a borrow may set bits above it.
#[inline]
fn low(octets: u64, bound: u8) -> u64 {
    octets.wrapping_sub(ONES * u64::from(bound))
}

/// `token = 1*tchar`
pub(super) fn is_token(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.iter().all(|&octet| is(octet, TCHAR))
}

/// Whether `token BWS "="` is at `at`: the start of an auth-param.
pub(super) fn is_name_at(line: &[u8], at: usize) -> bool {
    let end = run(line, at, TCHAR);
    end > at && line.get(run(line, end, BLANK)) == Some(&b'=')
}

/// Whether `auth-scheme 1*blank token BWS "="` is at `at`: the start of a challenge with a parameter.
pub(super) fn is_challenge_at(line: &[u8], at: usize) -> bool {
    let end = run(line, at, TCHAR);
    let next = run(line, end, BLANK);
    end > at && next > end && is_name_at(line, next)
}

/// The place of the next comma, or the end of the line. If `skip_quotes`, commas inside of quotes do not count, and the result
/// is `None` if a quote has no end.
pub(super) fn next_comma(line: &[u8], mut at: usize, skip_quotes: bool) -> Option<usize> {
    let mut quoted = false;
    while at < line.len() {
        match line[at] {
            b'"' if skip_quotes => quoted = !quoted,
            b'\\' if quoted => at += 1,
            b',' if !quoted => return Some(at),
            _ => {}
        }
        at += 1;
    }
    (!quoted).then_some(line.len())
}

/// The content of a quoted-string, without the backslashes of its quoted-pairs.
pub(super) fn unescape(quoted: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(quoted.len());
    let mut octets = quoted.iter();
    while let Some(&octet) = octets.next() {
        // A backslash at the end of the line is kept.
        plain.push(if octet == b'\\' { *octets.next().unwrap_or(&octet) } else { octet });
    }
    plain
}

/// Whether the octet is NUL, CR or LF, which a field value must not have (RFC 9110 §5.5).
fn is_forbidden(octet: u8) -> bool {
    (octet == 0) | (octet == b'\r') | (octet == b'\n')
}

/// The value, with a space in place of each obs-fold (RFC 9112 §5.2) and each other forbidden octet, and the place of the
/// first one. `None` if no octet is forbidden.
pub(super) fn without_forbidden(value: &[u8]) -> Option<(Vec<u8>, usize)> {
    // Nearly every value has no octet below the carriage return. This test reads eight octets at a time.
    let (eights, rest) = value.as_chunks::<8>();
    let below_0e = |octets: u64| low(octets, 0x0e) & !octets & (ONES << 7);
    let found = eights.iter().fold(0, |found, &eight| found | below_0e(u64::from_le_bytes(eight)));
    if found == 0 && !rest.iter().any(|&octet| is_forbidden(octet)) {
        return None;
    }
    let spaced = |&octet: &u8| if is_forbidden(octet) { b' ' } else { octet };
    let mut first = None;
    let mut clean = Vec::with_capacity(value.len());
    let mut at = 0;
    while let Some((start, end)) = next_fold(value, at) {
        first = first.or_else(|| value[..start].iter().position(|&octet| is_forbidden(octet)));
        clean.extend(value[at..start].iter().map(spaced));
        let blanks = clean.iter().rev().take_while(|&&octet| is(octet, BLANK)).count();
        clean.truncate(clean.len() - blanks);
        first.get_or_insert(clean.len());
        clean.push(b' ');
        at = end;
    }
    let in_rest = || value[at..].iter().position(|&octet| is_forbidden(octet));
    let first = first.or_else(|| Some(clean.len() + in_rest()?))?;
    clean.extend(value[at..].iter().map(spaced));
    Some((clean, first))
}

/// The start and the end of the next `obs-fold = OWS CRLF RWS`, without its leading blanks. A bare LF counts as CRLF.
fn next_fold(value: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let from = at;
    loop {
        at += value.get(at..)?.iter().position(|&octet| octet == b'\n')?;
        let end = run(value, at + 1, BLANK);
        if end > at + 1 {
            let has_return = at > from && value[at - 1] == b'\r';
            return Some((at - usize::from(has_return), end));
        }
        at += 1;
    }
}

/// The text of octets: UTF-8 if they are valid UTF-8, otherwise Latin-1.
pub(super) fn text(octets: Cow<'_, [u8]>) -> Cow<'_, str> {
    let latin1 = |octets: &[u8]| octets.iter().map(|&octet| char::from(octet)).collect::<String>();
    match octets {
        Cow::Borrowed(octets) => match std::str::from_utf8(octets) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(latin1(octets)),
        },
        Cow::Owned(octets) => Cow::Owned(String::from_utf8(octets).unwrap_or_else(|error| latin1(error.as_bytes()))),
    }
}

/// Whether the text is a scope: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 §3.3).
#[must_use]
pub fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| matches!(octet, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}
