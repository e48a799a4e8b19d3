//! `Secret` does not print its text. `tests/memory.rs` tests that it is wiped.

use reqwest_challenge::Secret;

#[test]
fn a_secret_does_not_print_its_text() {
    let secret = Secret::new("hunter2");
    let shown = format!("{secret:?} {:#?} {:?}", Some(&secret), vec![secret.clone()]);
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(secret.expose(), "hunter2");
}

#[test]
fn secrets_are_equal_by_their_text() {
    assert_eq!(Secret::new("a"), Secret::from("a".to_owned()));
    assert_ne!(Secret::new("a"), Secret::from("b"));
    assert_ne!(Secret::new("a"), Secret::from("ab"));
    assert!(Secret::new("").is_empty() && !Secret::new("a").is_empty());
}
