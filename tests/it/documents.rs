//! The tables of the documents are true.

use std::fs;
use std::path::Path;

#[test]
fn each_case_of_the_design_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let design = fs::read_to_string(root.join("DESIGN.md")).unwrap();
    let table = design.split("## What happens when").nth(1).unwrap().split("Decisions that").next().unwrap();
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 40, "{} rows", rows.len());
    for row in rows {
        let tests = row.trim_end_matches('|').rsplit('|').next().unwrap().split(", ");
        for test in tests {
            let (module, name) = test.trim().trim_matches('`').split_once("::").unwrap_or_else(|| panic!("{row}"));
            let file = fs::read_to_string(root.join(format!("tests/it/{module}.rs"))).expect(module);
            assert!(file.contains(&format!("fn {name}()")), "{test} of {row}");
        }
    }
}
