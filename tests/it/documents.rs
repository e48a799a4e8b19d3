//! The table of the design names tests that exist.

use std::fs;
use std::path::{Path, PathBuf};

/// The folders with tests.
fn folders(root: &Path) -> Vec<PathBuf> {
    let crates = fs::read_dir(root.join("crates")).unwrap();
    let folders = crates.map(|entry| entry.unwrap().path().join("tests/it")).filter(|folder| folder.is_dir());
    [root.join("tests/it")].into_iter().chain(folders).collect()
}

#[test]
fn each_case_of_the_design_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folders = folders(root);
    assert!(folders.len() > 2, "{folders:?}");
    let design = fs::read_to_string(root.join("DESIGN.md")).unwrap();
    let table = design.split("## What happens when").nth(1).unwrap().split("Decisions that").next().unwrap();
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 40, "{} rows", rows.len());
    for row in rows {
        let tests = row.trim_end_matches('|').rsplit('|').next().unwrap().split(", ");
        for test in tests {
            let (module, name) = test.trim().trim_matches('`').split_once("::").unwrap_or_else(|| panic!("{row}"));
            let files = folders.iter().map(|folder| folder.join(format!("{module}.rs"))).filter(|file| file.is_file());
            let texts: Vec<_> = files.map(|file| fs::read_to_string(file).unwrap()).collect();
            assert!(!texts.is_empty(), "{module} of {row}");
            assert!(texts.iter().any(|text| text.contains(&format!("fn {name}()"))), "{test} of {row}");
        }
    }
}
