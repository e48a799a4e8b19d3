//! The modes of files and folders, and the path in the error for a file that is too large.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use reqwest_challenge_login::store::{FileStore, Saved, Store, StoreError};

use crate::support::folder::{Folder, key};
use crate::support::peer::{Peer, ROLE, fact, spawn_after};

/// Saves, renews and logs out, like a tool.
#[test]
#[ignore = "another test runs it in a child process"]
fn child_that_saves() {
    if std::env::var(ROLE).as_deref() != Ok("saver") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = FileStore::new(fact("FILE"));
    runtime.block_on(async {
        let [first, second, other] = ["first", "second", "other"].map(Saved::new);
        let _lock = store.lock(&key(), Duration::ZERO).await.unwrap();
        assert!(store.replace(&key(), None, &first).await.unwrap());
        let _prepared = store.prepare(&key(), 100).await.unwrap();
        assert!(store.replace(&key(), Some(&first), &second).await.unwrap());
        assert!(store.replace(&key().account("bob"), None, &other).await.unwrap());
        assert!(store.clear(&key(), &second).await.unwrap());
        assert_eq!(store.load(&key().account("bob")).await.unwrap(), Some(other));
    });
    println!("answer: saved");
}

#[test]
fn only_the_owner_can_read_and_write_a_file_with_any_umask() {
    for umask in ["777", "000", "077", "277"] {
        let folder = Folder::new();
        let file = folder.0.join("a/b/credentials.json");
        let facts = [("FILE", file.to_str().unwrap())];
        let mut peer =
            Peer::of(spawn_after(&format!("umask {umask}"), "saver", "store_file_modes::child_that_saves", &facts));
        assert_eq!(peer.hear(), "saved", "{umask}");
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o777;
        let folders = [&*folder.0, &folder.0.join("a"), &folder.0.join("a/b")];
        assert_eq!(folders.map(mode), [0o700; 3], "{umask}");
        for entry in fs::read_dir(folder.0.join("a/b")).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{umask}: {}", path.display());
        }
    }
}

#[tokio::test]
async fn an_error_names_the_file_that_is_too_large() {
    let folder = Folder::new();
    let store = FileStore::new(folder.file());
    let much = Saved::new("x".repeat(2 << 20));
    let new = store.replace(&key(), None, &much).await.unwrap_err();
    assert!(store.replace(&key(), None, &Saved::new("first")).await.unwrap());
    fs::write(folder.file(), "x".repeat(2 << 20)).unwrap();
    let read = store.load(&key()).await.unwrap_err();
    let prepared = store.prepare(&key(), 100).await.map(drop).unwrap_err();
    let cleared = store.clear(&key(), &Saved::new("first")).await.unwrap_err();
    for error in [new, read, prepared, cleared] {
        assert!(matches!(error, StoreError::FileTooLarge { .. }), "{error:?}");
        let shown = error.to_string();
        assert!(shown.contains(folder.file().to_str().unwrap()) && shown.contains("1048576"), "{shown}");
    }
}
