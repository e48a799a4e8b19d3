//! The decorators of this crate pass the contract of a decorator.

use reqwest_challenge_login::cli::EnvToken;
use reqwest_challenge_login::store::{FileStore, Key, MemoryStore, Stored};
use reqwest_challenge_testing::{Verdict, decorator_contract};

use crate::support::folder::Folder;

fn key(place: &str) -> Key {
    Key::new("https://auth.example.com").client("tool").account(place)
}

#[tokio::test]
async fn a_stored_refresher_passes_the_decorator_contract() {
    let store = MemoryStore::new();
    let in_memory = decorator_contract(move |inside, place| Stored::new(inside, store.clone(), key(place)));
    let folder = Folder::new();
    let file = folder.file();
    // Each decorator opens the file again, as another process does.
    let in_file = decorator_contract(move |inside, place| Stored::new(inside, FileStore::new(&file), key(place)));
    for report in [in_memory.run().await, in_file.run().await] {
        report.assert_passed();
        assert!(report.checks().iter().all(|check| check.verdict == Verdict::Passed), "{report}");
        assert_eq!(report.checks().len(), 17, "{report}");
    }
}

#[tokio::test]
async fn a_variable_that_is_not_set_passes_the_decorator_contract() {
    let make = |inside, _: &str| EnvToken::from_value("TOOL_TOKEN", None, inside);
    decorator_contract(make).without_lock().run().await.assert_passed();
}
