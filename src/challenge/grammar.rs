//! The octets of RFC 9110 §5.6 and §11, as one table: a class is a bit, and a run of a class is one loop.

/// `tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA`
pub(super) const TCHAR: u8 = 1;
/// `ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/"`, what a token68 is made of before its padding.
pub(super) const TOKEN68: u8 = 1 << 1;
/// `qdtext = HTAB / SP / %x21 / %x23-5B / %x5D-7E / obs-text`
pub(super) const QDTEXT: u8 = 1 << 2;
/// `SP / HTAB`, of which OWS and BWS are made.
pub(super) const BLANK: u8 = 1 << 3;
/// A blank or a comma: what stands between two elements of a list.
pub(super) const BETWEEN: u8 = 1 << 4;
/// `HTAB / SP / VCHAR / obs-text`, what may follow the backslash of a quoted-pair.
pub(super) const ESCAPABLE: u8 = 1 << 5;
/// Whatever cannot end an unquoted value that is no token: neither blank nor comma nor semicolon.
pub(super) const LOOSE: u8 = 1 << 6;

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
    if blank {
        bits |= BLANK;
    }
    if blank || octet == b',' {
        bits |= BETWEEN;
    }
    if blank || visible_or_obs {
        bits |= ESCAPABLE;
    }
    if !blank && octet != b',' && octet != b';' {
        bits |= LOOSE;
    }
    bits
}

/// Whether the octet is of the class.
#[inline]
pub(super) fn is(octet: u8, class: u8) -> bool {
    CLASSES[octet as usize] & class != 0
}

/// Where the run of a class that starts at `at` ends.
#[inline]
pub(super) fn run(line: &[u8], mut at: usize, class: u8) -> usize {
    while at < line.len() && is(line[at], class) {
        at += 1;
    }
    at
}

/// Where the run of qdtext that starts at `at` ends: the same as [`run`], eight octets at a time, because quoted values
/// are most of what a challenge is made of.
#[inline]
pub(super) fn run_quoted(line: &[u8], mut at: usize) -> usize {
    while let Some(eight) = line[at..].first_chunk::<8>() {
        let octets = u64::from_le_bytes(*eight);
        let odd = below(octets, 0x20) | equal(octets, b'"') | equal(octets, b'\\') | equal(octets, 0x7f);
        if odd != 0 {
            at += odd.trailing_zeros() as usize / 8;
            break;
        }
        at += 8;
    }
    // What is left is a few octets, or a tab, which is below the space and is qdtext all the same.
    run(line, at, QDTEXT)
}

const ONES: u64 = u64::MAX / 255;

/// The high bit of each of eight octets that is below `bound`, which is at most 0x80. Only the lowest one is sure: above
/// it a borrow may have set further bits.
#[inline]
fn below(octets: u64, bound: u8) -> u64 {
    octets.wrapping_sub(ONES * u64::from(bound)) & !octets & (ONES << 7)
}

/// The same for the octets that are `octet`.
#[inline]
fn equal(octets: u64, octet: u8) -> u64 {
    below(octets ^ (ONES * u64::from(octet)), 1)
}

/// The token at `at`: where it ends, and a hash of it without case.
#[inline]
pub(super) fn name(line: &[u8], mut at: usize) -> (usize, u16) {
    let mut hash = 0u32;
    while at < line.len() {
        let folded = FOLDED[line[at] as usize];
        if folded == 0 {
            break;
        }
        hash = hash.rotate_left(5) ^ u32::from(folded);
        at += 1;
    }
    (at, (hash ^ (hash >> 16)) as u16)
}

/// Each tchar in lower case; zero for every other octet.
static FOLDED: [u8; 256] = folded();

const fn folded() -> [u8; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        if class(octet as u8) & TCHAR != 0 {
            table[octet] = (octet as u8).to_ascii_lowercase();
        }
        octet += 1;
    }
    table
}

/// `token = 1*tchar`
pub(super) fn is_token(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.iter().all(|&octet| is(octet, TCHAR))
}

/// Whether `token BWS "="` stands at `at`: the start of an auth-param.
pub(super) fn name_at(line: &[u8], at: usize) -> bool {
    let end = run(line, at, TCHAR);
    end > at && line.get(run(line, end, BLANK)) == Some(&b'=')
}

/// Whether `auth-scheme 1*blank token BWS "="` stands at `at`: the start of a challenge with a parameter.
pub(super) fn challenge_at(line: &[u8], at: usize) -> bool {
    let end = run(line, at, TCHAR);
    let next = run(line, end, BLANK);
    end > at && next > end && name_at(line, next)
}

/// Where the next comma outside of quotes stands, or the end; `None` where a quote is open there.
pub(super) fn next_comma(line: &[u8], mut at: usize, quotes: bool) -> Option<usize> {
    let mut quoted = false;
    while at < line.len() {
        match line[at] {
            b'"' if quotes => quoted = !quoted,
            b'\\' if quoted => at += 1,
            b',' if !quoted => return Some(at),
            _ => {}
        }
        at += 1;
    }
    (!quoted).then_some(line.len())
}

/// The content of a quoted-string without the backslashes of its quoted-pairs.
pub(super) fn unescape(quoted: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(quoted.len());
    let mut octets = quoted.iter();
    while let Some(&octet) = octets.next() {
        // A backslash with nothing behind it (the line ended there) stands for itself.
        plain.push(if octet == b'\\' { *octets.next().unwrap_or(&octet) } else { octet });
    }
    plain
}

/// NUL, CR and LF, which may not stand in a field value (RFC 9110 §5.5).
fn forbidden(octet: u8) -> bool {
    (octet == 0) | (octet == b'\r') | (octet == b'\n')
}

/// `None` where no octet is forbidden; else the value with each obs-fold (RFC 9112 §5.2) and each other forbidden octet
/// made one space, and where the first of them stood.
pub(super) fn without_forbidden(value: &[u8]) -> Option<(Vec<u8>, usize)> {
    // Nearly every value has none, and none below the carriage return: eight octets at a time say so.
    let (eights, rest) = value.as_chunks::<8>();
    let low = eights.iter().fold(0, |low, &eight| low | below(u64::from_le_bytes(eight), 0x0e));
    if low == 0 && !rest.iter().any(|&octet| forbidden(octet)) {
        return None;
    }
    let mut first = None;
    let mut clean = Vec::with_capacity(value.len());
    let mut at = 0;
    while at < value.len() {
        match fold_end(value, at) {
            Some(end) => {
                let blanks = clean.iter().rev().take_while(|&&octet| is(octet, BLANK)).count();
                clean.truncate(clean.len() - blanks);
                first.get_or_insert(clean.len());
                clean.push(b' ');
                at = end;
            }
            None => {
                if forbidden(value[at]) {
                    first.get_or_insert(clean.len());
                }
                clean.push(if forbidden(value[at]) { b' ' } else { value[at] });
                at += 1;
            }
        }
    }
    Some((clean, first?))
}

/// `obs-fold = OWS CRLF RWS`, seen from its CRLF (or its bare LF).
fn fold_end(value: &[u8], at: usize) -> Option<usize> {
    let line_feed = if value[at] == b'\r' { at + 1 } else { at };
    let blanks = line_feed + 1;
    let end = (value.get(line_feed) == Some(&b'\n')).then(|| run(value, blanks, BLANK))?;
    (end > blanks).then_some(end)
}

/// Text of octets: UTF-8 where they are, else Latin-1, which every octet is.
pub(super) fn text(octets: std::borrow::Cow<'_, [u8]>) -> std::borrow::Cow<'_, str> {
    use std::borrow::Cow;
    let latin1 = |octets: &[u8]| octets.iter().map(|&octet| char::from(octet)).collect::<String>();
    match octets {
        Cow::Borrowed(octets) => match std::str::from_utf8(octets) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(latin1(octets)),
        },
        Cow::Owned(octets) => Cow::Owned(String::from_utf8(octets).unwrap_or_else(|error| latin1(error.as_bytes()))),
    }
}

/// `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 §3.3): what is none of these is nobody's scope, and is printed nowhere.
#[must_use]
pub fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| matches!(octet, 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}
