//! The errors of a store print characters that a terminal hides as escapes.

use reqwest_challenge_login::store::StoreError;

#[test]
fn store_errors_escape_control_characters_in_names() {
    let path = std::path::PathBuf::from("/tmp/\u{1b}[2J\u{202e}x");
    for error in [
        StoreError::NotPrivate { path, why: "it belongs to another user" },
        StoreError::NewerVersion { place: "file:/\u{1b}[2J\u{202e}x".to_owned(), found: 9 },
        StoreError::NotStorable { scheme: "\u{1b}[2J\u{202e}x".to_owned() },
    ] {
        let shown = error.to_string();
        assert!(shown.contains("\\u{1b}[2J\\u{202e}x") && !shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
    }
}
