//! A text, and the texts that are encoded in it: percent-encoded, escaped, as base64, as hex.

use std::ops::Range;

use zeroize::Zeroizing;

use super::escapes::{Unescaped, backslash, entity, nibble, octet, sextet};

/// A text or a decoded text: its octets, and the place of each octet in the original text.
pub(super) struct View {
    pub(super) octets: Zeroizing<Vec<u8>>,
    places: Vec<Range<usize>>,
    /// Whether this is the original text, with or without its escapes. `false` for a decoded text. Only the original
    /// text may be truncated.
    is_plain: bool,
}

impl View {
    fn empty(is_plain: bool) -> Self {
        Self { octets: Zeroizing::new(Vec::new()), places: Vec::new(), is_plain }
    }

    fn push(&mut self, octets: &[u8], place: Range<usize>) {
        self.octets.extend_from_slice(octets);
        self.places.extend(octets.iter().map(|_| place.clone()));
    }

    /// The text as it is, and the text unescaped once and twice. If `plus_is_space`, also the text unescaped with `+` as a
    /// space.
    pub(super) fn plain_of(text: &str, plus_is_space: bool) -> Vec<Self> {
        let octets = Zeroizing::new(text.as_bytes().to_vec());
        let mut all = vec![Self { octets, places: (0..text.len()).map(|at| at..at + 1).collect(), is_plain: true }];
        for _ in 0..2 {
            all.extend(all.last().and_then(|view| view.unescaped(false)));
        }
        if plus_is_space {
            all.extend(all[0].unescaped(true));
        }
        all
    }

    /// The text without the escapes of URLs, JSON and XML. `None` if it has no escape.
    fn unescaped(&self, plus_is_space: bool) -> Option<Self> {
        let begins = |octet: &u8| matches!(octet, b'%' | b'\\' | b'&') || plus_is_space && *octet == b'+';
        if !self.octets.iter().any(begins) {
            return None;
        }
        let mut view = Self::empty(true);
        let (mut at, mut changed) = (0, false);
        while at < self.octets.len() {
            let rest = &self.octets[at..];
            let (length, unescaped) = match rest[0] {
                b'%' => octet(&rest[1..]).map(|octet| (3, Unescaped::Octet(octet))),
                b'+' if plus_is_space => Some((1, Unescaped::Octet(b' '))),
                b'\\' => backslash(&rest[1..]).map(|(length, unescaped)| (length + 1, unescaped)),
                b'&' => entity(&rest[1..]).map(|(length, unescaped)| (length + 1, unescaped)),
                _ => None,
            }
            .inspect(|_| changed = true)
            .unwrap_or((1, Unescaped::Octet(rest[0])));
            let place = self.place(at..at + length);
            match unescaped {
                Unescaped::Octet(octet) => view.push(&[octet], place),
                Unescaped::Character(character) => view.push(character.encode_utf8(&mut [0; 4]).as_bytes(), place),
            }
            at += length;
        }
        changed.then_some(view)
    }

    /// The decoded octets: of base64 at each of the four offsets where a group may begin, and of hex at both offsets.
    pub(super) fn decoded(&self) -> Vec<Self> {
        let views = |encoding: Encoding| (0..encoding.group()).map(move |from| self.decoded_as(encoding, from));
        views(Encoding::Base64).chain(views(Encoding::Hex)).collect()
    }

    /// Decodes each run of the encoding's characters, without its first `from` characters. A line feed separates the
    /// decoded runs.
    fn decoded_as(&self, encoding: Encoding, from: usize) -> Self {
        let mut view = Self::empty(false);
        let mut at = 0;
        for run in self.octets.split(|&octet| encoding.value(octet).is_none()) {
            let begin = at + from;
            at += run.len() + 1;
            if run.len() < encoding.min_run() {
                continue;
            }
            for (number, group) in run[from..].chunks(encoding.group()).enumerate() {
                self.push_group(&mut view, encoding, group, begin + number * encoding.group());
            }
            view.push(b"\n", self.place(at - 1..at - 1));
        }
        view
    }

    /// Adds the octets of one group, which begins at `start`, to the view.
    fn push_group(&self, view: &mut Self, encoding: Encoding, group: &[u8], start: usize) {
        let bits = encoding.bits();
        let (mut held, mut count) = (0_u32, 0_usize);
        for (index, &octet) in group.iter().enumerate() {
            held = (held << bits) | u32::from(encoding.value(octet).unwrap_or_default());
            count += bits;
            if count >= 8 {
                count -= 8;
                let first = ((index + 1) * bits / 8 - 1) * 8 / bits;
                let place = self.place(start + first..start + index + 1);
                view.push(&[(held >> count) as u8], place);
            }
        }
    }

    /// The range in the original text.
    pub(super) fn place(&self, range: Range<usize>) -> Range<usize> {
        let start = self.places.get(range.start).or(self.places.last()).map_or(0, |place| place.start);
        let end = range.end.checked_sub(1).and_then(|last| self.places.get(last)).map_or(start, |place| place.end);
        start..end.max(start)
    }

    /// The range, with the base64 padding after it.
    pub(super) fn with_padding(&self, range: Range<usize>) -> Range<usize> {
        let padding = self.octets[range.end..].iter().take(2).take_while(|&&octet| octet == b'=').count();
        range.start..range.end + padding
    }

    /// Whether the text is truncated at this octet: it ends there, or an ellipsis follows.
    pub(super) fn is_cut_at(&self, at: usize) -> bool {
        let rest = &self.octets[at..];
        self.is_plain && (rest.is_empty() || rest.starts_with(b"...") || rest.starts_with("…".as_bytes()))
    }

    /// Whether the range is a word by itself: no letter, digit, `_` or `-` is next to it. Another character of a token (RFC
    /// 9110 §5.6.2) is skipped first, because it may join two words (`api.example.com`) or end a sentence (`the api.`).
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

/// An encoding of octets as characters.
#[derive(Clone, Copy)]
enum Encoding {
    Base64,
    Hex,
}

impl Encoding {
    /// The number of characters in a group. A group encodes whole octets.
    fn group(self) -> usize {
        match self {
            Self::Base64 => 4,
            Self::Hex => 2,
        }
    }

    /// The number of bits of a character.
    fn bits(self) -> usize {
        match self {
            Self::Base64 => 6,
            Self::Hex => 4,
        }
    }

    /// The shortest run of characters that can encode a secret of four octets.
    fn min_run(self) -> usize {
        match self {
            Self::Base64 => 6,
            Self::Hex => 8,
        }
    }

    /// The value of a character, or `None` if the encoding does not use the character.
    fn value(self, octet: u8) -> Option<u8> {
        match self {
            Self::Base64 => sextet(octet),
            Self::Hex => nibble(octet),
        }
    }
}
