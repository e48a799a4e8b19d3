//! Lower floors never name upper ones.

use std::fs;
use std::path::{Path, PathBuf};

/// The floors, from the ground up: the modules at the root of the crate.
const FLOORS: [&[&str]; 6] = [
    &["challenge", "chain", "dial", "mask", "members", "origin", "printed", "retry_after", "secret", "within"],
    &["credential", "lint"],
    &["refresh", "event", "trace", "trace_off"],
    &["error", "linting", "linting_off", "options", "repeats", "replay", "report", "resources", "verdict", "worked"],
    &["settings", "session", "read", "redirect", "call", "end", "plan", "sign", "middleware", "builder", "hardened"],
    &["cli", "digest", "dpop", "first_of", "oauth", "password", "registry", "store", "testing"],
];

/// The files that may name `reqwest_middleware`. `redirect/mod.rs` is a middleware, and `hardened.rs` builds a client
/// with both.
const MIDDLEWARE: [&str; 8] = [
    "chain.rs",
    "end.rs",
    "error/envelope.rs",
    "hardened.rs",
    "lib.rs",
    "middleware.rs",
    "redirect/mod.rs",
    "testing/script.rs",
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// The modules that a file names by `crate::`.
fn named(code: &str) -> Vec<String> {
    code.match_indices("crate::")
        .flat_map(|(at, found)| {
            let rest = &code[at + found.len()..];
            match rest.strip_prefix('{') {
                Some(group) => group.split('}').next().unwrap_or_default().split(',').map(str::to_owned).collect(),
                None => vec![rest.to_owned()],
            }
        })
        .map(|name| {
            name.trim().chars().take_while(|&character| character.is_ascii_lowercase() || character == '_').collect()
        })
        .filter(|name: &String| !name.is_empty())
        .collect()
}

/// What a file of that module does wrong.
fn faults(file: &str, text: &str) -> Vec<String> {
    let module = file.split('/').next().unwrap_or_default().trim_end_matches(".rs");
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let Some(own) = floor(module) else { return vec![format!("{file}: on no floor")] };
    let mut faults: Vec<_> = named(&code)
        .into_iter()
        .filter_map(|name| match floor(&name) {
            Some(other) if other <= own => None,
            Some(other) => Some(format!("{file}: floor {own} names {name}, of floor {other}")),
            None => Some(format!("{file}: names {name}, which is on no floor")),
        })
        .collect();
    if code.contains("reqwest_middleware::") && !MIDDLEWARE.contains(&file) {
        faults.push(format!("{file}: names reqwest_middleware"));
    }
    faults
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn no_file_names_an_upper_floor() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&root, &mut found);
    assert!(found.len() > 20, "{}", found.len());
    let faults: Vec<_> = found
        .iter()
        .filter(|path| !path.ends_with("lib.rs"))
        .flat_map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            faults(&name, &fs::read_to_string(path).unwrap())
        })
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn a_fault_is_noticed() {
    assert_eq!(faults("origin.rs", "use crate::refresh::Refresh;").len(), 1);
    assert_eq!(faults("refresh/mod.rs", "use crate::{BoxError, builder};").len(), 1);
    assert_eq!(faults("refresh/mod.rs", "fn f(x: reqwest_middleware::Error) {}").len(), 1);
    assert_eq!(faults("attic.rs", "").len(), 1);
    assert!(faults("refresh/mod.rs", "use crate::credential::Credential; // crate::builder").is_empty());
}
