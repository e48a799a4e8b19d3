//! Reads XML: an element that contains elements is an object; an element with text, or an attribute, is a member.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::found::{Found, MAX_DEPTH, Place, folded};

/// An element whose end was not read yet.
struct Element {
    name: String,
    /// The place of the element.
    at: Place,
    /// The place of its members.
    inside: Place,
    text: String,
}

/// Reads the text up to the first place that is not XML.
pub(super) fn read(text: &str, found: &mut Found) {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    // The number of open elements that are too deep to be read.
    let mut deeper = 0_usize;
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Eof => return,
            Event::Start(_) if deeper > 0 || open.len() >= usize::from(MAX_DEPTH) => deeper += 1,
            Event::End(_) if deeper > 0 => deeper -= 1,
            _ if deeper > 0 => {}
            Event::Start(start) => open.push(enter(&start, open.last(), found)),
            Event::Empty(start) => drop(enter(&start, open.last(), found)),
            Event::End(_) => {
                if let Some(element) = open.pop() {
                    found.add(&element.at, &element.name, &element.text);
                }
            }
            Event::Text(piece) => append(&mut open, &piece.xml10_content()),
            Event::CData(piece) => append(&mut open, &piece.xml10_content()),
            Event::GeneralRef(reference) => append(&mut open, &resolved(&reference)),
            _ => {}
        }
    }
}

fn enter(start: &BytesStart<'_>, outer: Option<&Element>, found: &mut Found) -> Element {
    let name = folded(start.local_name().as_ref());
    let (at, inside) = match outer {
        Some(outer) => (outer.inside.clone(), found.enter(&outer.inside, &name)),
        None => (Place::top(), found.enter_root(&name)),
    };
    // Skips the check for duplicates, which compares each attribute with each other one.
    let mut attributes = start.attributes();
    for attribute in attributes.with_checks(false).flatten() {
        let value = quick_xml::escape::unescape(&attribute.value);
        if let Ok(value) = value {
            found.add(&inside, &folded(attribute.key.local_name().as_ref()), &value);
        }
    }
    Element { name, at, inside, text: String::new() }
}

fn append(open: &mut [Element], piece: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(piece);
    }
}

/// The text of a reference. Entities that the document declares are left out.
pub(super) fn resolved(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    match &*reference.xml10_content() {
        "nbsp" => " ",
        "lsquo" | "rsquo" => "'",
        name => resolve_predefined_entity(name).unwrap_or_default(),
    }
    .to_owned()
}
