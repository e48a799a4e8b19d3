//! The texts of a JSON error (RFC 8259): those at its top, those of its `error`, those of the first of its `errors`.
//!
//! An error's body is a server's, may be cut where we stopped to read, and is read for a few texts alone; what stands before
//! the place where it stops to be JSON counts.

/// Where a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// `{"name": text}`
    Top,
    /// `{"error": {"name": text}}`
    Error,
    /// `{"errors": [{"name": text}]}`
    First,
    /// The list of `errors` itself.
    Errors,
    Elsewhere,
}

/// The members that are texts.
pub(super) struct Texts {
    found: Vec<(Place, String, String)>,
    has_error: bool,
    has_first: bool,
}

impl Texts {
    pub(super) fn of(body: &[u8]) -> Self {
        let mut reader = Reader { rest: body, texts: Self { found: Vec::new(), has_error: false, has_first: false } };
        let _ = reader.value(Place::Top, 0);
        reader.texts
    }

    /// Where the error itself stands.
    pub(super) fn inner(&self) -> Place {
        if self.has_error {
            Place::Error
        } else if self.has_first {
            Place::First
        } else {
            Place::Top
        }
    }

    /// The first of these names that has a text there.
    pub(super) fn get(&self, place: Place, names: &[&str]) -> Option<String> {
        // Of two members of one name the last counts, as nearly everywhere.
        let of = |name: &&str| self.found.iter().rfind(|(at, found, _)| *at == place && found == name);
        names.iter().find_map(of).map(|(_, _, text)| text.clone()).filter(|text| !text.is_empty())
    }
}

struct Reader<'b> {
    rest: &'b [u8],
    texts: Texts,
}

/// How deep values may stand in one another; whoever goes deeper has nothing to say.
const DEEPEST: usize = 64;

/// `None`: it is no JSON from here on.
impl Reader<'_> {
    fn value(&mut self, place: Place, depth: usize) -> Option<()> {
        match *self.peek()? {
            b'{' if depth < DEEPEST => self.object(place, depth + 1),
            b'[' if depth < DEEPEST => self.array(place, depth + 1),
            b'"' => self.text().map(drop),
            _ => self.word(),
        }
    }

    fn object(&mut self, place: Place, depth: usize) -> Option<()> {
        self.take(b'{')?;
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            self.peek()?;
            let name = self.text()?;
            self.take(b':')?;
            let first = *self.peek()?;
            if first == b'"' {
                let text = self.text()?;
                if place != Place::Elsewhere {
                    self.texts.found.push((place, name, text));
                }
            } else {
                let below = match (place, name.as_str(), first) {
                    (Place::Top, "error", b'{') => Place::Error,
                    (Place::Top, "errors", b'[') => Place::Errors,
                    _ => Place::Elsewhere,
                };
                self.texts.has_error |= below == Place::Error;
                self.value(below, depth)?;
            }
            if self.take(b',').is_none() {
                return self.take(b'}');
            }
        }
    }

    fn array(&mut self, place: Place, depth: usize) -> Option<()> {
        self.take(b'[')?;
        if self.take(b']').is_some() {
            return Some(());
        }
        let mut below = Place::Elsewhere;
        if place == Place::Errors {
            self.texts.has_first = true;
            below = Place::First;
        }
        loop {
            self.value(below, depth)?;
            below = Place::Elsewhere;
            if self.take(b',').is_none() {
                return self.take(b']');
            }
        }
    }

    /// `string = quotation-mark *char quotation-mark`
    fn text(&mut self) -> Option<String> {
        self.rest = self.rest.strip_prefix(b"\"")?;
        let mut text = String::new();
        loop {
            let plain = self.rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20)?;
            let (piece, rest) = self.rest.split_at(plain);
            text.push_str(std::str::from_utf8(piece).ok()?);
            let (&stop, rest) = rest.split_first()?;
            self.rest = rest;
            match stop {
                b'"' => return Some(text),
                b'\\' => text.push(self.escaped()?),
                _ => return None,
            }
        }
    }

    /// `escape ( %x22 / %x5C / %x2F / %x62 / %x66 / %x6E / %x72 / %x74 / %x75 4HEXDIG )`
    fn escaped(&mut self) -> Option<char> {
        let (&kind, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                // A character beyond the first plane is two of them.
                let second = if (0xD800..0xDC00).contains(&unit) {
                    self.rest = self.rest.strip_prefix(b"\\u")?;
                    Some(self.unit()?)
                } else {
                    None
                };
                char::decode_utf16([unit].into_iter().chain(second)).next()?.ok()?
            }
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u16> {
        let (digits, rest) = self.rest.split_at_checked(4)?;
        self.rest = rest;
        let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
        u16::from_str_radix(digits, 16).ok()
    }

    /// A number, `true`, `false` or `null`, none of which says anything here.
    fn word(&mut self) -> Option<()> {
        let is_of_word = |&byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let length = self.rest.iter().position(|byte| !is_of_word(byte)).unwrap_or(self.rest.len());
        self.rest = &self.rest[length..];
        (length > 0).then_some(())
    }

    fn peek(&mut self) -> Option<&u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.first()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.peek().filter(|found| **found == byte)?;
        self.rest = &self.rest[1..];
        Some(())
    }
}
