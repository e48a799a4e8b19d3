//! A text, and the texts that are encoded in it: percent-encoded, escaped, as base64, as hex.

use std::ops::Range;

use zeroize::Zeroizing;

/// Octets, and the place of each octet in the original text.
pub(super) struct View {
    pub(super) octets: Zeroizing<Vec<u8>>,
    places: Vec<Range<usize>>,
    /// Whether this is the original text, which may be truncated at its end.
    plain: bool,
}

impl View {
    fn empty(plain: bool) -> Self {
        Self { octets: Zeroizing::new(Vec::new()), places: Vec::new(), plain }
    }

    fn push(&mut self, octets: &[u8], place: Range<usize>) {
        self.octets.extend_from_slice(octets);
        self.places.extend(octets.iter().map(|_| place.clone()));
    }

    /// The text as it is, and without its escapes: unescaped once, twice, and with `+` for a space.
    pub(super) fn plain_of(text: &str, plus: bool) -> Vec<Self> {
        let octets = Zeroizing::new(text.as_bytes().to_vec());
        let mut all = vec![Self { octets, places: (0..text.len()).map(|at| at..at + 1).collect(), plain: true }];
        for _ in 0..2 {
            all.extend(all.last().and_then(|view| view.unescaped(false)));
        }
        if plus {
            all.extend(all[0].unescaped(true));
        }
        all
    }

    /// The text without the escapes of URLs, JSON and XML. `None` if it has none.
    fn unescaped(&self, plus: bool) -> Option<Self> {
        let mut view = Self::empty(true);
        let (mut at, mut changed) = (0, false);
        while at < self.octets.len() {
            let rest = &self.octets[at..];
            let (length, character) = match rest[0] {
                b'%' => octet(&rest[1..]).map(|octet| (3, Read::Octet(octet))),
                b'+' if plus => Some((1, Read::Octet(b' '))),
                b'\\' => backslash(&rest[1..]).map(|(length, read)| (length + 1, read)),
                b'&' => entity(&rest[1..]).map(|(length, read)| (length + 1, read)),
                _ => None,
            }
            .inspect(|_| changed = true)
            .unwrap_or((1, Read::Octet(rest[0])));
            let place = self.place(at..at + length);
            match character {
                Read::Octet(octet) => view.push(&[octet], place),
                Read::Character(character) => view.push(character.encode_utf8(&mut [0; 4]).as_bytes(), place),
            }
            at += length;
        }
        changed.then_some(view)
    }

    /// The octets that are encoded as base64, at each of the four offsets where a group may begin, and as hex, at both
    /// offsets.
    pub(super) fn decoded(&self) -> Vec<Self> {
        let base64 = (0..4).map(|from| self.groups(from, (4, 6), |octet| sextet(octet).is_some()));
        let hex = (0..2).map(|from| self.groups(from, (2, 8), |octet| octet.is_ascii_hexdigit()));
        base64.chain(hex).collect()
    }

    /// Decodes each run of such octets that is long enough, in groups of that many, and separates the results.
    fn groups(&self, from: usize, (size, least): (usize, usize), is_of_run: fn(u8) -> bool) -> Self {
        let mut view = Self::empty(false);
        let mut at = 0;
        for run in self.octets.split(|&octet| !is_of_run(octet)) {
            let begins = at + from;
            at += run.len() + 1;
            if run.len() < least {
                continue;
            }
            for (number, group) in run[from..].chunks(size).enumerate() {
                let bits = if size == 4 { 6 } else { 4 };
                let value = |octet: u8| if size == 4 { sextet(octet) } else { nibble(octet) };
                let (mut held, mut count, start) = (0_u32, 0_usize, begins + number * size);
                for (index, &octet) in group.iter().enumerate() {
                    held = (held << bits) | u32::from(value(octet).unwrap_or_default());
                    count += bits;
                    if count >= 8 {
                        count -= 8;
                        let first = ((index + 1) * bits / 8 - 1) * 8 / bits;
                        let place = self.place(start + first..start + index + 1);
                        view.push(&[(held >> count) as u8], place);
                    }
                }
            }
            view.push(b"\n", self.place(at - 1..at - 1));
        }
        view
    }

    /// The range in the original text.
    pub(super) fn place(&self, range: Range<usize>) -> Range<usize> {
        let start = self.places.get(range.start).or(self.places.last()).map_or(0, |place| place.start);
        let end = range.end.checked_sub(1).and_then(|last| self.places.get(last)).map_or(start, |place| place.end);
        start..end.max(start)
    }

    /// The range with the base64 padding after it.
    pub(super) fn with_padding(&self, range: Range<usize>) -> Range<usize> {
        let padding = self.octets[range.end..].iter().take(2).take_while(|&&octet| octet == b'=').count();
        range.start..range.end + padding
    }

    /// Whether a text was truncated there: at its end or before an ellipsis.
    pub(super) fn is_cut_at(&self, at: usize) -> bool {
        let rest = &self.octets[at..];
        self.plain && (rest.is_empty() || rest.starts_with(b"...") || rest.starts_with("…".as_bytes()))
    }

    /// Whether no letter, digit, `_` or `-` stands next to the range. The other characters of a token (RFC 9110 §5.6.2)
    /// are skipped first, because they join words (`api.example.com`) and end sentences (`the api.`).
    pub(super) fn stands_alone(&self, range: &Range<usize>) -> bool {
        let is_word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
        let joins = |character: char| "!#$%&'*+.^`|~’".contains(character);
        let is_apart = |first: Option<char>, second: Option<char>| match first {
            Some(first) if is_word(first) => false,
            Some(first) if joins(first) => !second.is_some_and(char::is_alphanumeric),
            _ => true,
        };
        let before = last_character(&self.octets[..range.start]);
        let further = before.and_then(|before| last_character(&self.octets[..range.start - before.len_utf8()]));
        let behind = first_character(&self.octets[range.end..]);
        let beyond = behind.and_then(|behind| first_character(&self.octets[range.end + behind.len_utf8()..]));
        is_apart(before, further) && is_apart(behind, beyond)
    }
}

fn last_character(octets: &[u8]) -> Option<char> {
    let tails = (1..=octets.len().min(4)).map(|length| &octets[octets.len() - length..]);
    tails.filter_map(|tail| std::str::from_utf8(tail).ok()).find_map(|text| text.chars().next())
}

fn first_character(octets: &[u8]) -> Option<char> {
    let heads = (1..=octets.len().min(4)).map(|length| &octets[..length]);
    heads.filter_map(|head| std::str::from_utf8(head).ok()).find_map(|text| text.chars().next())
}

enum Read {
    Octet(u8),
    Character(char),
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// `HEXDIG HEXDIG`
fn octet(text: &[u8]) -> Option<u8> {
    Some((nibble(*text.first()?)? << 4) | nibble(*text.get(1)?)?)
}

/// The value of a base64 character, in the standard or the URL-safe alphabet.
fn sextet(octet: u8) -> Option<u8> {
    Some(match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// The character after a backslash (RFC 8259 §7, and `\xXX`), and the length of the escape.
fn backslash(text: &[u8]) -> Option<(usize, Read)> {
    let unit = |text: &[u8]| Some((u16::from(octet(text)?) << 8) | u16::from(octet(text.get(2..)?)?));
    match *text.first()? {
        b'x' => Some((3, Read::Octet(octet(&text[1..])?))),
        b'u' => {
            let first = unit(&text[1..])?;
            let second = text.get(5..).and_then(|text| text.strip_prefix(b"\\u")).and_then(unit);
            let pair = char::decode_utf16([first].into_iter().chain(second)).next()?.ok()?;
            Some((if pair.len_utf16() == 2 { 11 } else { 5 }, Read::Character(pair)))
        }
        plain @ (b'"' | b'\'' | b'/' | b'\\') => Some((1, Read::Octet(plain))),
        _ => None,
    }
}

/// The character after an ampersand (XML 1.0 §4.1), and the length of the reference.
fn entity(text: &[u8]) -> Option<(usize, Read)> {
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
    Some((length + 1, Read::Character(character)))
}
