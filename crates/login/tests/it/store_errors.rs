//! The texts, the predicates and the causes of store errors, and the guards of locks.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use reqwest_challenge::{RefreshError, RefreshErrorKind};
use reqwest_challenge_login::store::{Prepared, StoreError, StoreLock};

#[test]
fn the_error_of_another_backend_names_the_store_and_keeps_the_cause() {
    let error = StoreError::backend("keyring:\u{1b}[2J", io::Error::other("the keyring is locked"));
    assert_eq!(error.to_string(), "the credential store keyring:\\u{1b}[2J failed");
    let copy = error.clone();
    assert_eq!(copy.source().unwrap().to_string(), "the keyring is locked");
    assert!(copy.source().unwrap().downcast_ref::<io::Error>().is_some());
    assert_eq!(RefreshError::from(error).kind(), &RefreshErrorKind::Other);
    assert_eq!(StoreError::backend("keyring", "no service").source().unwrap().to_string(), "no service");
}

#[test]
fn each_predicate_recognises_its_own_errors_only() {
    let path = || PathBuf::from("/x");
    let predicates = [
        StoreError::is_locked,
        StoreError::is_too_large,
        StoreError::is_newer_version,
        StoreError::is_not_private,
        StoreError::is_not_storable,
    ];
    for (error, expected) in [
        (StoreError::Locked { waited: Duration::ZERO }, Some(0)),
        (StoreError::TooLarge { size: 2, limit: 1 }, Some(1)),
        (StoreError::FileTooLarge { path: path(), size: 2, limit: 1 }, Some(1)),
        (StoreError::NewerVersion { place: "file:/x".to_owned(), found: 2 }, Some(2)),
        (StoreError::NotPrivate { path: path(), why: "it is not a regular file" }, Some(3)),
        (StoreError::NotStorable { scheme: "DPoP".to_owned() }, Some(4)),
        (StoreError::backend("keyring", "no service"), None),
    ] {
        let matching: Vec<_> = (0..predicates.len()).filter(|&number| predicates[number](&error)).collect();
        assert_eq!(matching, Vec::from_iter(expected), "{error:?}");
    }
}

#[test]
fn only_a_held_lock_is_a_temporary_failure_of_a_refresh() {
    let path = || PathBuf::from("/x");
    let io = || std::sync::Arc::new(io::Error::from(io::ErrorKind::ConnectionReset));
    for (error, is_transient) in [
        (StoreError::Locked { waited: Duration::ZERO }, true),
        (StoreError::Io { what: "cannot open /x".to_owned(), source: io() }, false),
        (StoreError::backend("keyring", io::Error::from(io::ErrorKind::TimedOut)), false),
        (StoreError::NewerVersion { place: "file:/x".to_owned(), found: 2 }, false),
        (StoreError::NotPrivate { path: path(), why: "it is not a regular file" }, false),
        (StoreError::TooLarge { size: 2, limit: 1 }, false),
        (StoreError::FileTooLarge { path: path(), size: 2, limit: 1 }, false),
        (StoreError::NotStorable { scheme: "DPoP".to_owned() }, false),
    ] {
        let kind =
            if is_transient { RefreshErrorKind::Transient { retry_after: None } } else { RefreshErrorKind::Other };
        let message = error.to_string();
        let refresh = RefreshError::from(error);
        assert_eq!(refresh.kind(), &kind, "{message}");
        assert_eq!(refresh.source().unwrap().to_string(), message);
    }
}

#[test]
fn a_lock_and_a_reservation_drop_their_guards() {
    let guard = std::sync::Arc::new(());
    let (lock, prepared) = (StoreLock::new(guard.clone()), Prepared::new(guard.clone()));
    assert_eq!(std::sync::Arc::strong_count(&guard), 3);
    assert!(!format!("{lock:?} {prepared:?} {:?}", Prepared::nothing()).is_empty());
    drop((lock, prepared));
    assert_eq!(std::sync::Arc::strong_count(&guard), 1);
}

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
