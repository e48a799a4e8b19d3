//! The values found in a refusal at the places that the table names, and the rules that choose among them.

use http::HeaderMap;

use super::generic::is_generic;
use super::rule::{Holds, Rule, Where};
use super::table;

/// How many members are kept. Both bounds keep the time for a hostile body in proportion to its length.
const MAX_MEMBERS: usize = 128;
/// How many levels of nested objects are read.
pub(super) const MAX_DEPTH: u8 = 24;

/// The place of an object in the body.
#[derive(Clone)]
pub(super) struct Place {
    /// The folded name of the member that holds the object.
    pub(super) name: String,
    pub(super) depth: u8,
    /// Whether one of the objects above it is not a container of the table. Its values then count less.
    is_far: bool,
    object: usize,
}

impl Place {
    /// The whole document.
    pub(super) fn top() -> Self {
        Self { name: String::new(), depth: 0, is_far: false, object: 0 }
    }
}

/// A text or a number at a place that the table names.
pub(super) struct Member {
    place: Place,
    name: String,
    pub(super) text: String,
    pub(super) is_number: bool,
}

/// The members that were found, in document order.
#[derive(Default)]
pub(super) struct Found {
    pub(super) members: Vec<Member>,
    objects: usize,
}

/// The name in lower case, without separators and namespace. Empty for a name that JSON-LD or OData reserves.
pub(super) fn folded(name: &str) -> String {
    if name.starts_with(['@', '$']) {
        return String::new();
    }
    let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
    name.chars().filter(|found| found.is_ascii_alphanumeric()).map(|found| found.to_ascii_lowercase()).collect()
}

/// Whether a rule of the table is about the member.
fn is_named(parent: &str, name: &str) -> bool {
    use table::{CODES, LAST_LINKS, LAST_TEXTS, LINKS, SCOPES, TEXTS, TIMES, TITLES};
    let lists = [CODES, TEXTS, LAST_TEXTS, TITLES, SCOPES, LINKS, LAST_LINKS];
    let mut rules = lists.into_iter().flatten().chain(TIMES.iter().map(|(rule, _)| rule));
    !name.is_empty() && rules.any(|rule| rule.means(parent, name))
}

impl Found {
    /// The place of the object in the member of this name.
    pub(super) fn enter(&mut self, at: &Place, name: &str) -> Place {
        self.objects += 1;
        let is_known = table::CONTAINERS.contains(&name) || table::CONTAINER_ENDS.iter().any(|end| name.ends_with(end));
        let is_far = at.is_far || !is_known;
        Place { name: name.to_owned(), depth: at.depth.saturating_add(1), is_far, object: self.objects }
    }

    /// The place of the object that is the whole body.
    pub(super) fn enter_root(&mut self, name: &str) -> Place {
        Place { is_far: false, ..self.enter(&Place::top(), name) }
    }

    /// Keeps a text if the table names its place.
    pub(super) fn add(&mut self, at: &Place, name: &str, text: &str) {
        self.keep(at, name, text, false);
    }

    /// Keeps a number.
    pub(super) fn add_number(&mut self, at: &Place, name: &str, number: &str) {
        self.keep(at, name, number, true);
    }

    fn keep(&mut self, at: &Place, name: &str, text: &str, is_number: bool) {
        let text = text.trim();
        if !text.is_empty() && self.members.len() < MAX_MEMBERS && is_named(&at.name, name) {
            let (place, name, text) = (at.clone(), name.to_owned(), text.to_owned());
            self.members.push(Member { place, name, text, is_number });
        }
    }

    /// Drops a member that occurs again in its object. The last member of a name counts, as in most JSON readers.
    pub(super) fn forget(&mut self, at: &Place, name: &str) {
        self.members.retain(|member| member.place.object != at.object || member.name != name);
    }

    /// The values that fit the rules of a list: in the order of the rules, and for each rule the least nested value
    /// first.
    pub(super) fn values<'f>(&'f self, headers: &'f HeaderMap, rules: &'f [Rule]) -> Vec<Value<'f>> {
        let mut all = Vec::new();
        for (line, rule) in rules.iter().enumerate() {
            let before = all.len();
            match rule.place {
                Where::Field(name, part) => {
                    let text = in_field(headers, name, part, rule.holds);
                    all.extend(text.map(|text| Value::of(line, text)));
                }
                Where::Member(..) => all.extend(self.members.iter().filter(|one| one.is_at(*rule)).map(|one| Value {
                    line,
                    member: Some(one),
                    text: &one.text,
                    is_far: one.place.is_far,
                    depth: one.place.depth,
                })),
            }
            all[before..].sort_by_key(|value| (value.is_far, value.depth));
        }
        // In an unknown object, a value counts only if its name is rarely used for anything else.
        let is_certain = |value: &Value<'_>, holds| !value.is_far || holds == Holds::Any;
        all.retain(|value| {
            let holds = rules[value.line].holds;
            holds.allows(value.text) && is_certain(value, holds)
        });
        all
    }

    /// Another member of the object that contains `one`: the first that fits the earliest possible rule.
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
        // A list of links holds only links.
        let is_of_link = matches!(&*self.place.name, "documentation" | "helps" | "links");
        rule.means(&self.place.name, &self.name) && (rule.holds == Holds::Url || !is_of_link)
    }
}

/// A value that fits a rule.
pub(super) struct Value<'f> {
    pub(super) line: usize,
    pub(super) member: Option<&'f Member>,
    pub(super) text: &'f str,
    pub(super) is_far: bool,
    depth: u8,
}

impl<'f> Value<'f> {
    /// A value of a header field. It counts as nested more deeply than any value of the body.
    fn of(line: usize, text: &'f str) -> Self {
        Self { line, member: None, text, is_far: false, depth: u8::MAX }
    }

    pub(super) fn is_number(&self) -> bool {
        self.member.is_some_and(|member| member.is_number)
    }

    /// The sort key of texts for users: texts that only repeat the status come last; otherwise the least nested first.
    pub(super) fn by_depth(&self) -> impl Ord + use<> {
        (is_generic(self.text), self.is_far, self.depth, self.line)
    }
}

/// The value of a header field, or its part with this name. A code is the text before the first `;`.
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
