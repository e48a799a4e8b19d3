//! Reads JSON (RFC 8259). A visitor keeps each member as it is read, so a truncated body still gives the members before
//! the cut.

use std::fmt;

use serde_core::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::found::{Found, MAX_DEPTH, Place, folded};

/// The name under which serde_json passes on a number if another crate enables its feature `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

/// Reads the text. Returns whether it is valid JSON up to its end or its cut.
pub(super) fn read(text: &str, found: &mut Found) -> bool {
    let mut reader = serde_json::Deserializer::from_str(text);
    let top = Place::top();
    // If the whole body is a list, it is read like a list in a member `fault`: its strings count if they are sentences,
    // and its objects count like objects in a container of the table.
    let read = Reading { found, at: &top, name: "fault", level: 0 }.deserialize(&mut reader);
    read.is_ok() || read.is_err_and(|error| error.is_eof())
}

/// The string, if the whole body is a JSON string.
pub(super) fn string(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}

/// A value: of the member of this name, or an element of the list in this member.
struct Reading<'r> {
    found: &'r mut Found,
    at: &'r Place,
    name: &'r str,
    /// The depth of nesting, lists included.
    level: u8,
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.level > MAX_DEPTH {
            // serde_json skips values without recursion.
            return deserializer.deserialize_ignored_any(IgnoredAny).map(drop);
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.found.add(self.at, self.name, text);
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.found.add_number(self.at, self.name, &number.to_string());
        Ok(())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.found.add_number(self.at, self.name, &number.to_string());
        Ok(())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.found.add_number(self.at, self.name, &number.to_string());
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { found, at, name, level } = self;
        while list.next_element_seed(Reading { found: &mut *found, at, name, level: level + 1 })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let Self { found, at, name, level } = self;
        let inside = if level == 0 { at.clone() } else { found.enter(at, name) };
        while let Some(key) = object.next_key::<String>()? {
            if key == NUMBER {
                found.add_number(at, name, &object.next_value::<String>()?);
                continue;
            }
            let name = folded(&key);
            found.forget(&inside, &name);
            object.next_value_seed(Reading { found: &mut *found, at: &inside, name: &name, level: level + 1 })?;
        }
        Ok(())
    }
}
