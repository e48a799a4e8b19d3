//! What was found in a refusal at the places that the table names, and which of it counts.

use http::HeaderMap;

use super::rule::{Holds, Rule, Where, is_generic};
use super::table;

/// No more are kept, and no deeper object is read, so that a hostile body costs no more than its length.
const MOST: usize = 128;
pub(super) const DEEPEST: u8 = 24;

/// Where an object stands.
#[derive(Clone)]
pub(super) struct Place {
    /// The folded name of the member that the object is.
    pub(super) name: String,
    pub(super) depth: u8,
    /// Whether an object that is none of the table's containers is on the way to it.
    far: bool,
    object: usize,
}

impl Place {
    /// The document.
    pub(super) fn top() -> Self {
        Self { name: String::new(), depth: 0, far: false, object: 0 }
    }
}

/// A text or a number at a place that the table names.
pub(super) struct Member {
    place: Place,
    name: String,
    pub(super) text: String,
    pub(super) is_number: bool,
}

/// What was found, in its order.
#[derive(Default)]
pub(super) struct Found {
    pub(super) members: Vec<Member>,
    objects: usize,
}

/// A name in lower case, without separators and namespace; a name that JSON-LD or OData reserves is none.
pub(super) fn folded(name: &str) -> String {
    if name.starts_with(['@', '$']) {
        return String::new();
    }
    let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
    name.chars().filter(|found| found.is_ascii_alphanumeric()).map(|found| found.to_ascii_lowercase()).collect()
}

fn is_named(parent: &str, name: &str) -> bool {
    use table::{CODES, LAST_LINKS, LAST_TEXTS, LINKS, SCOPES, TEXTS, TIMES, TITLES};
    let lists = [CODES, TEXTS, LAST_TEXTS, TITLES, SCOPES, LINKS, LAST_LINKS];
    let mut rules = lists.into_iter().flatten().chain(TIMES.iter().map(|(rule, _)| rule));
    !name.is_empty() && rules.any(|rule| rule.means(parent, name))
}

impl Found {
    /// The place of an object that is the member of that name.
    pub(super) fn enter(&mut self, at: &Place, name: &str) -> Place {
        self.objects += 1;
        let is_known = table::CONTAINERS.contains(&name) || table::CONTAINER_ENDS.iter().any(|end| name.ends_with(end));
        let far = at.far || !is_known;
        Place { name: name.to_owned(), depth: at.depth.saturating_add(1), far, object: self.objects }
    }

    /// The place of the object that the whole body is.
    pub(super) fn enter_root(&mut self, name: &str) -> Place {
        Place { far: false, ..self.enter(&Place::top(), name) }
    }

    /// Keeps a text, if the table names its place.
    pub(super) fn add(&mut self, at: &Place, name: &str, text: &str) {
        self.keep(at, name, text, false);
    }

    /// Keeps a number.
    pub(super) fn add_number(&mut self, at: &Place, name: &str, number: &str) {
        self.keep(at, name, number, true);
    }

    fn keep(&mut self, at: &Place, name: &str, text: &str, is_number: bool) {
        let text = text.trim();
        if !text.is_empty() && self.members.len() < MOST && is_named(&at.name, name) {
            let (place, name, text) = (at.clone(), name.to_owned(), text.to_owned());
            self.members.push(Member { place, name, text, is_number });
        }
    }

    /// Forgets a member that comes once more: of two of one name the last counts, as nearly everywhere.
    pub(super) fn forget(&mut self, at: &Place, name: &str) {
        self.members.retain(|member| member.place.object != at.object || member.name != name);
    }

    /// The values that fit the lines of a list, line by line, the nearest first.
    pub(super) fn values<'f>(&'f self, headers: &'f HeaderMap, rules: &'f [Rule]) -> Vec<Value<'f>> {
        let mut all = Vec::new();
        for (line, rule) in rules.iter().enumerate() {
            let before = all.len();
            match rule.place {
                Where::Field(name, part) => {
                    let text = in_field(headers, name, part, rule.holds);
                    all.extend(text.map(|text| Value::of(line, text)));
                }
                Where::Member(_) => all.extend(self.members.iter().filter(|one| one.is_at(*rule)).map(|one| Value {
                    line,
                    member: Some(one),
                    text: &one.text,
                    far: one.place.far,
                    depth: one.place.depth,
                })),
            }
            all[before..].sort_by_key(|value| (value.far, value.depth));
        }
        // What stands in an object that may be anything counts only for names that are hardly used for anything else.
        let is_sure = |value: &Value<'_>, holds| !value.far || holds == Holds::Any;
        all.retain(|value| {
            let holds = rules[value.line].holds;
            holds.allows(value.text) && is_sure(value, holds)
        });
        all
    }

    /// The first member beside that one that fits a line.
    pub(super) fn beside<'f>(&'f self, one: &Member, rules: &[Rule]) -> Option<&'f Member> {
        let fits = |other: &&Member| other.place.object == one.place.object && other.name != one.name;
        rules.iter().find_map(|rule| {
            let is_at = |other: &&Member| other.is_at(*rule) && rule.holds.allows(&other.text);
            self.members.iter().filter(fits).find(is_at)
        })
    }
}

impl Member {
    fn is_at(&self, rule: Rule) -> bool {
        // What stands in a list of links is for links alone.
        let is_of_link = matches!(&*self.place.name, "documentation" | "helps" | "links");
        rule.means(&self.place.name, &self.name) && (rule.holds == Holds::Url || !is_of_link)
    }
}

/// A value that fits a line of a list.
pub(super) struct Value<'f> {
    pub(super) line: usize,
    pub(super) member: Option<&'f Member>,
    pub(super) text: &'f str,
    pub(super) far: bool,
    depth: u8,
}

impl<'f> Value<'f> {
    /// Of a field of the header: as far down as nothing in the body.
    fn of(line: usize, text: &'f str) -> Self {
        Self { line, member: None, text, far: false, depth: u8::MAX }
    }

    pub(super) fn is_number(&self) -> bool {
        self.member.is_some_and(|member| member.is_number)
    }

    /// Sorts texts for people: the nearest first, and last those that say no more than the status.
    pub(super) fn by_depth(&self) -> impl Ord + use<> {
        (is_generic(self.text), self.far, self.depth, self.line)
    }
}

/// The value of a field of the header, or the part of it that has that name. A code has no parts.
fn in_field<'h>(headers: &'h HeaderMap, name: &str, part: Option<&str>, holds: Holds) -> Option<&'h str> {
    let ends = |end: &str| headers.iter().find(|(name, _)| name.as_str().ends_with(end)).map(|(_, value)| value);
    let value = name.strip_prefix('*').map_or_else(|| headers.get(name), ends)?.to_str().ok()?;
    let mut pieces = value.split(';');
    let Some(part) = part else {
        return if holds == Holds::Word { pieces.next().map(str::trim) } else { Some(value.trim()) };
    };
    pieces.find_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        name.trim().eq_ignore_ascii_case(part).then_some(value.trim().trim_matches('"'))
    })
}
