//! The layers of each crate: a module uses only modules above it in the list of `lib.rs`, and no two files use each
//! other, directly or through other files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The source of one crate, read for its `use` lines.
struct Source {
    /// The files, by the path of their module. The root is the empty path.
    files: BTreeMap<Vec<String>, File>,
}

#[derive(Default)]
struct File {
    name: String,
    /// The items that the file defines.
    items: BTreeSet<String>,
    /// What the file re-exports: the name, and the path.
    exports: Vec<(String, Vec<String>)>,
    /// The paths that the file uses.
    uses: BTreeSet<Vec<String>>,
    /// The order of the modules that the file declares.
    modules: Vec<String>,
}

impl Source {
    fn new(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut read = BTreeMap::new();
        for (name, text) in files {
            let mut module: Vec<_> = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
                module.pop();
            }
            read.insert(module, File::read(name, &text));
        }
        Self { files: read }
    }

    fn of_crate(folder: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
        let mut paths = Vec::new();
        walk(&root, &mut paths);
        assert!(!paths.is_empty(), "there are no files in {folder}");
        Self::new(paths.into_iter().map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(&path).unwrap())
        }))
    }

    /// The module whose file defines the item of a path in the module `from`. Follows re-exports.
    fn definition(&self, from: &[String], path: &[String], depth: usize) -> Option<Vec<String>> {
        let path = absolute(from, path, |module| self.files.contains_key(module))?;
        let at = (0..=path.len()).rev().find(|&length| self.files.contains_key(&path[..length]))?;
        let (module, rest) = path.split_at(at);
        let Some(item) = rest.first() else { return Some(module.to_vec()) };
        let file = &self.files[module];
        if file.items.contains(item) {
            return Some(module.to_vec());
        }
        let exported = file.exports.iter().find(|(name, _)| name == item);
        match exported {
            Some((_, path)) if depth < 8 => self.definition(module, path, depth + 1),
            _ if module.is_empty() => None,
            _ => Some(module.to_vec()),
        }
    }

    /// The uses of each file: the module that uses, and the modules that it uses.
    fn edges(&self) -> BTreeMap<&Vec<String>, BTreeSet<Vec<String>>> {
        let of = |(module, file): (&_, &File)| {
            let uses = file.uses.iter().filter_map(|path| self.definition(module, path, 0));
            uses.filter(|used| used != module).collect::<BTreeSet<_>>()
        };
        self.files.iter().map(|(module, file)| (module, of((module, file)))).collect()
    }

    /// What is wrong with the layers and with the cycles.
    fn faults(&self) -> Vec<String> {
        let order = &self.files[&Vec::new()].modules;
        let place = |module: &[String]| order.iter().position(|name| Some(name) == module.first());
        let edges = self.edges();
        let mut faults = Vec::new();
        for (module, used) in &edges {
            for used in used {
                if let (Some(own), Some(other)) = (place(module), place(used))
                    && other > own
                {
                    faults.push(format!("{} uses {}, which is below it", self.files[*module].name, used.join("::")));
                }
            }
        }
        for group in groups(&edges) {
            let names: Vec<_> = group.iter().map(|module| self.files[module].name.as_str()).collect();
            faults.push(format!("these files use each other: {}", names.join(", ")));
        }
        faults
    }
}

impl File {
    fn read(name: String, text: &str) -> Self {
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code: Vec<_> = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
        let mut file = Self { name, ..Self::default() };
        for line in &code {
            let line = without_visibility(line);
            if let Some(module) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
                file.modules.push(module.to_owned());
            }
            file.items.extend(defined(line));
        }
        let code = code.join("\n");
        let mut rest = code.as_str();
        let mut others = String::new();
        while let Some(at) = find_use(rest) {
            let end = rest[at..].find(';').map_or(rest.len(), |end| at + end);
            let line_start = rest[..at].rfind('\n').map_or(0, |start| start + 1);
            let is_export = rest[line_start..at].trim_start().starts_with("pub");
            others.push_str(&rest[..line_start]);
            for (name, path) in expand(&rest[at + 4..end]) {
                if is_export {
                    file.exports.push((name, path));
                } else {
                    file.uses.insert(path);
                }
            }
            rest = &rest[end..];
        }
        others.push_str(rest);
        // Paths outside `use`.
        for (at, _) in others.match_indices("crate::") {
            let path = others[at..].split(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != ':');
            let path = path.into_iter().next().unwrap_or_default();
            file.uses.insert(path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect());
        }
        file
    }
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

fn without_visibility(line: &str) -> &str {
    let Some(rest) = line.strip_prefix("pub") else { return line };
    let rest = if rest.starts_with('(') { rest.split_once(')').map_or(rest, |(_, rest)| rest) } else { rest };
    rest.strip_prefix(' ').unwrap_or(line)
}

/// The item that a line without indentation defines.
fn defined(line: &str) -> Option<String> {
    const KINDS: [&str; 9] =
        ["fn ", "struct ", "enum ", "trait ", "type ", "const ", "static ", "macro_rules! ", "union "];
    let mut line = line;
    for qualifier in ["async ", "unsafe "] {
        line = line.strip_prefix(qualifier).unwrap_or(line);
    }
    line = if line.starts_with("const fn ") { &line[6..] } else { line };
    let rest = KINDS.iter().find_map(|kind| line.strip_prefix(kind))?;
    Some(rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect())
}

/// Where the next `use` keyword is.
fn find_use(code: &str) -> Option<usize> {
    code.match_indices("use ").map(|(at, _)| at).find(|&at| {
        let line = code[..at].rfind('\n').map_or(0, |start| start + 1);
        let before = code[line..at].trim();
        before.is_empty() || before.starts_with("pub")
    })
}

/// Each path of a `use`, with the name that it gets.
fn expand(tree: &str) -> Vec<(String, Vec<String>)> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
        let path: Vec<_> = path.split("::").map(|name| name.trim().to_owned()).filter(|name| name != "self").collect();
        let name = alias.map_or_else(|| path.last().cloned().unwrap_or_default(), str::to_owned);
        return vec![(name, path)];
    };
    let (head, body) = (&tree[..open], tree[open + 1..].strip_suffix('}').unwrap_or(&tree[open + 1..]));
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in body.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&body[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&body[start..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| expand(&format!("{head}{}", part.trim()))).collect()
}

/// The path from the root of the crate; `None` for a path into another crate.
fn absolute(from: &[String], path: &[String], is_module: impl Fn(&[String]) -> bool) -> Option<Vec<String>> {
    let mut base = from.to_vec();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => {
            base.clear();
            rest = &path[1..];
        }
        "super" => {
            while rest.first().is_some_and(|name| name == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        first => {
            base.push(first.to_owned());
            if !is_module(&base) {
                return None;
            }
            rest = &path[1..];
        }
    }
    base.extend(rest.iter().cloned());
    Some(base)
}

/// The groups of modules that use each other: each module reaches each other module of its group.
fn groups(edges: &BTreeMap<&Vec<String>, BTreeSet<Vec<String>>>) -> Vec<BTreeSet<Vec<String>>> {
    let reached = |from: &Vec<String>| {
        let (mut reached, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = open.pop() {
            for used in edges.get(&module).into_iter().flatten() {
                if reached.insert(used.clone()) {
                    open.push(used.clone());
                }
            }
        }
        reached
    };
    let reached: BTreeMap<_, _> = edges.keys().map(|module| (*module, reached(module))).collect();
    let mut groups: Vec<BTreeSet<Vec<String>>> = Vec::new();
    for (module, others) in reached.iter().filter(|(module, others)| others.contains(**module)) {
        let group: BTreeSet<_> = others.iter().filter(|other| reached[other].contains(*module)).cloned().collect();
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

fn faults_of(files: &[(&str, &str)]) -> Vec<String> {
    Source::new(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))).faults()
}

#[test]
fn each_crate_keeps_its_layers_and_has_no_cycle_between_files() {
    for folder in ["src", "crates/login/src", "crates/testing/src"] {
        let faults = Source::of_crate(folder).faults();
        assert!(faults.is_empty(), "{folder}:\n{}", faults.join("\n"));
    }
}

#[test]
fn a_use_of_a_lower_module_is_found() {
    for upper in ["use crate::lower::Low;", "use crate::{lower::{Low, Other}, x};", "fn f() -> crate::lower::Low {}"] {
        let files = [("lib.rs", "mod upper;\nmod lower;"), ("upper.rs", upper), ("lower.rs", "pub struct Low;")];
        assert_eq!(faults_of(&files), ["upper.rs uses lower, which is below it"], "{upper}");
    }
    let files = [
        ("lib.rs", "mod lower;\nmod upper;"),
        ("upper.rs", "// use of crate::lower in a comment\nuse crate::lower::Low;"),
        ("lower.rs", "pub struct Low;"),
    ];
    assert!(faults_of(&files).is_empty());
}

#[test]
fn a_cycle_between_files_of_one_folder_is_found_also_through_a_re_export() {
    let root = ("lib.rs", "mod folder;");
    let folder = ("folder/mod.rs", "mod a;\nmod b;\npub use a::A;\npub(crate) use b::B;");
    let a = ("folder/a.rs", "use super::b::B;\npub struct A(B);");
    for b in
        ["use super::a::A;\npub struct B(A);", "use super::A;\npub struct B(A);", "use crate::folder::A;\nstruct B;"]
    {
        let faults = faults_of(&[root, folder, a, ("folder/b.rs", b)]);
        assert_eq!(faults, ["these files use each other: folder/a.rs, folder/b.rs"], "{b}");
    }
    assert!(faults_of(&[root, folder, a, ("folder/b.rs", "pub struct B;")]).is_empty());
}

#[test]
fn an_item_of_a_folder_that_its_own_file_uses_is_a_cycle() {
    let files = [
        ("lib.rs", "mod folder;"),
        ("folder/mod.rs", "mod a;\nuse a::A;\npub struct Whole(A);"),
        ("folder/a.rs", "use super::Whole;\npub struct A;"),
    ];
    assert_eq!(faults_of(&files), ["these files use each other: folder/mod.rs, folder/a.rs"]);
}
