//! The store passes the contract of a store.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest_challenge::Secret;
use reqwest_challenge_login::store::{Key, Store};
use reqwest_challenge_testing::{Verdict, store_contract};
use tempfile::tempdir;
use third_party::sqlite_store::SqliteStore;

#[tokio::test]
async fn the_store_passes_the_contract() {
    let folder = tempdir().unwrap();
    let paths = Arc::new(Mutex::new(Vec::<PathBuf>::new()));
    let last = paths.clone();
    let root = folder.path().to_owned();
    let contract = store_contract(move || {
        let mut paths = paths.lock().unwrap();
        let path = root.join(format!("{}.db", paths.len()));
        paths.push(path.clone());
        SqliteStore::open(path).unwrap()
    });
    let contract = contract.reopen_with(move || SqliteStore::open(last.lock().unwrap().last().unwrap()).unwrap());
    let report = contract.run().await;
    println!("{report}");
    report.assert_passed();
    assert!(report.checks().iter().all(|check| check.verdict == Verdict::Passed), "a check was skipped:\n{report}");
}

#[tokio::test]
async fn a_lock_excludes_a_second_connection_until_it_is_dropped() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("credentials.db");
    let (first, second) = (SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap());
    let (key, other) = (Key::new("https://a.example"), Key::new("https://b.example"));
    let held = first.lock(&key, Duration::ZERO).await.unwrap();
    assert!(second.lock(&key, Duration::ZERO).await.unwrap_err().is_locked());
    drop(second.lock(&other, Duration::ZERO).await.unwrap());
    drop(held);
    drop(second.lock(&key, Duration::ZERO).await.unwrap());
}

/// The other process of the next test. Without the variable it does nothing.
#[tokio::test]
async fn other_process() {
    let Some(path) = std::env::var_os("DATABASE") else { return };
    let lock = SqliteStore::open(path).unwrap().lock(&Key::new("https://a.example"), Duration::ZERO).await.unwrap();
    println!("\nlocked");
    // The test never writes to this pipe.
    std::io::stdin().read_line(&mut String::new()).unwrap();
    drop(lock);
}

#[tokio::test]
async fn a_lock_of_another_process_becomes_free_if_the_process_is_killed() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("credentials.db");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "other_process", "--nocapture"]).env("DATABASE", &path);
    let mut other = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "locked"));

    let (store, key) = (SqliteStore::open(&path).unwrap(), Key::new("https://a.example"));
    assert!(store.lock(&key, Duration::ZERO).await.unwrap_err().is_locked());
    // Reads and writes do not wait for the lock.
    assert!(store.replace(&key, None, &Secret::new("text")).await.unwrap());
    other.kill().unwrap();
    other.wait().unwrap();
    drop(store.lock(&key, Duration::from_secs(30)).await.unwrap());
}

#[tokio::test]
async fn a_reservation_is_given_back_and_does_not_stop_a_save() {
    let folder = tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("credentials.db")).unwrap();
    let key = Key::new("https://a.example");
    let reserved = store.prepare(&key, 4096).await.unwrap();
    assert!(store.replace(&key, None, &Secret::new("text")).await.unwrap());
    drop(reserved);
    drop(store.prepare(&key, 4096).await.unwrap());
    assert!(store.sweep(&key).await.unwrap().is_empty());
    assert_eq!(store.load(&key).await.unwrap(), Some(Secret::new("text")));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("credentials.db")).unwrap();
    let lock = store.lock(&Key::new("https://a.example"), Duration::ZERO).await.unwrap();
    for entry in folder.path().read_dir().unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.path());
    }
    drop(lock);
}
