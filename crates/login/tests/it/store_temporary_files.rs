//! Temporary files that killed processes left in the folder of the credentials.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use reqwest_challenge::{Credential, Refresh};
use reqwest_challenge_login::store::{FileStore, Key, MemoryStore, Saved, Store, Stored};

use crate::stores::{another_saves, client, gives, stored, takes};
use crate::support::contexts::logout;
use crate::support::folder::{Folder, key};
use crate::support::script::API;

/// The saved form of a token.
async fn saved(token: &'static str) -> Saved {
    let store = MemoryStore::new();
    another_saves(&store, token).await;
    store.load(&key()).await.unwrap().unwrap()
}

/// A folder whose file contains `t1` or nothing, and the temporary file of a process that was killed while it saved `t2`.
async fn folder(is_logged_in: bool) -> (Folder, PathBuf) {
    let (folder, other) = (Folder::new(), Folder::new());
    FileStore::new(other.file()).replace(&key(), None, &saved("t2").await).await.unwrap();
    let store = FileStore::new(folder.file());
    let first = saved("t1").await;
    store.replace(&key(), None, &first).await.unwrap();
    if !is_logged_in {
        assert!(store.clear(&key(), &first).await.unwrap());
    }
    let left = folder.0.join(".credentials.json.0123456789abcdef.new");
    fs::copy(other.file(), &left).unwrap();
    (folder, left)
}

/// The refresh tokens of the credentials that a refresher was told to forget.
fn refresh_tokens(forgotten: Vec<Option<Credential>>) -> Vec<String> {
    let attached = forgotten.iter().flatten().map(|one| one.attachment().unwrap().expose().to_owned());
    attached.collect()
}

#[tokio::test]
async fn a_logout_removes_the_files_of_killed_processes_and_revokes_their_credentials() {
    for (is_logged_in, is_locked) in [(true, false), (true, true), (false, false), (false, true)] {
        let (folder, left) = folder(is_logged_in).await;
        let half = folder.0.join(".credentials.json.fedcba9876543210.new");
        fs::write(&half, "{\"credentials\":{\"https://auth").unwrap();
        let (store, ours) = (FileStore::new(folder.file()), gives("never"));
        let others = FileStore::new(folder.file());
        let stopped = if is_locked { others.lock(&key(), Duration::ZERO).await.ok() } else { None };
        // The load has restored the temporary file, so the process gets another one.
        let old = store.load(&key()).await.unwrap();
        if is_locked && old.is_some() {
            fs::write(&left, fs::read_to_string(folder.file()).unwrap().replace("t2", "t3")).unwrap();
        }
        let refresher = Stored::new(ours.clone(), store.clone(), key()).lock_timeout(Duration::from_millis(20));
        refresher.forget(logout(None)).await.unwrap();
        assert_eq!(stored(&store).await, None);
        assert!(!left.exists() && !half.exists());
        let both = ["renews t2", "renews t3"];
        assert_eq!(
            refresh_tokens(ours.forgotten()),
            both[..if is_locked { 2 } else { 1 }],
            "{is_logged_in} {is_locked}"
        );
        drop(stopped);
    }
}

#[tokio::test]
async fn the_save_of_a_killed_process_is_completed_before_the_next_renewal() {
    let (folder, _) = folder(true).await;
    let ours = gives("never");
    let (run, _) = client(&takes("t2"), Stored::new(ours.clone(), FileStore::new(folder.file()), key()));
    assert_eq!(run.get(API).send().await.unwrap().status(), 200, "the server replaced t1 with t2");
    assert_eq!(ours.calls(), 0);
}

#[tokio::test]
async fn a_change_of_one_key_restores_the_newer_credential_of_another_key_from_a_temporary_file() {
    let bob = Key::new("https://auth.example.com").client("tool").account("bob");
    for what in ["replace", "clear", "prepare", "sweep"] {
        let (folder, left) = folder(true).await;
        let other = Folder::new();
        for (at, alice) in [(folder.file(), "t1"), (other.file(), "t2")] {
            let _ = fs::remove_file(&at);
            for (key, saved) in [(key(), saved(alice).await), (bob.clone(), saved("b1").await)] {
                FileStore::new(&at).replace(&key, None, &saved).await.unwrap();
            }
        }
        fs::copy(other.file(), &left).unwrap();
        let (store, theirs) = (FileStore::new(folder.file()), saved("b1").await);
        match what {
            "replace" => drop(store.replace(&bob, Some(&theirs), &saved("b2").await).await.unwrap()),
            "clear" => drop(store.clear(&bob, &theirs).await.unwrap()),
            "prepare" => drop(store.prepare(&bob, 1000).await.unwrap()),
            _ => drop(store.sweep(&bob).await.unwrap()),
        }
        assert_eq!(store.load(&key()).await.unwrap(), Some(saved("t2").await), "{what}");
        assert!(!left.exists(), "{what}");
    }
}

#[tokio::test]
async fn a_temporary_file_that_is_older_than_the_last_save_is_not_restored() {
    let (folder, left) = folder(true).await;
    let store = FileStore::new(folder.file());
    let day = std::time::SystemTime::now() - Duration::from_secs(86400);
    fs::File::options().write(true).open(&left).unwrap().set_modified(day).unwrap();
    drop(store.lock(&key(), Duration::ZERO).await.unwrap());
    assert_eq!(store.load(&key()).await.unwrap(), Some(saved("t1").await));
}

#[tokio::test]
async fn a_logout_removes_a_damaged_credentials_file_and_no_other_file() {
    for (damaged, is_ours) in
        [("{\"credentials\":{\"https://auth.example.com\":\"{\\\"att", true), ("{\"auths\":{}}", false)]
    {
        let (folder, left) = folder(true).await;
        fs::remove_file(left).unwrap();
        let aside = folder.0.join("credentials.json.damaged");
        fs::write(&aside, damaged).unwrap();
        fs::write(folder.file(), damaged).unwrap();
        let warnings = Arc::new(Mutex::new(Vec::new()));
        let heard = warnings.clone();
        let store =
            FileStore::new(folder.file()).on_warning(move |warning| heard.lock().unwrap().push(warning.to_owned()));
        Stored::new(gives("never"), store, key()).forget(logout(None)).await.unwrap();
        assert_eq!((folder.file().exists(), aside.exists()), (!is_ours, !is_ours));
        let told =
            warnings.lock().unwrap().iter().filter(|warning| warning.contains("may contain credentials")).count();
        assert_eq!(told, if is_ours { 0 } else { 2 }, "{warnings:?}");
    }
}

#[tokio::test]
async fn the_temporary_file_of_a_running_process_is_not_removed() {
    let (folder, left) = folder(true).await;
    let [writer, other] = [(); 2].map(|()| FileStore::new(folder.file()));
    let live = |folder: &Folder| {
        let names = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().path());
        names.filter(|path| path.extension().is_some_and(|end| end == "new")).collect::<Vec<_>>()
    };
    let prepared = writer.prepare(&key(), 1000).await.unwrap();
    let reserved = live(&folder);
    assert!(reserved.len() == 1 && !left.exists(), "{reserved:?}");
    assert!(
        !fs::read(&reserved[0]).unwrap().windows(7).any(|text| text == b"renews "),
        "the reserved file contains no secret"
    );
    // Another process saves a credential and logs out.
    let (old, new) = (saved("t2").await, saved("t3").await);
    assert!(other.replace(&key(), Some(&old), &new).await.unwrap());
    assert!(other.sweep(&key()).await.unwrap().is_empty());
    assert_eq!(live(&folder), reserved);
    assert!(writer.replace(&key(), Some(&new), &old).await.unwrap());
    assert_eq!((writer.load(&key()).await.unwrap(), live(&folder)), (Some(old.clone()), Vec::new()));
    drop(prepared);
    // An older version of the crate does not lock the file, and may remove it.
    let prepared = writer.prepare(&key(), 1000).await.unwrap();
    fs::remove_file(&live(&folder)[0]).unwrap();
    assert!(writer.replace(&key(), Some(&old), &new).await.unwrap());
    drop(prepared);
    // Unused space is released.
    drop(writer.prepare(&key(), 1000).await.unwrap());
    assert_eq!((writer.load(&key()).await.unwrap(), live(&folder)), (Some(new), Vec::new()));
}

#[tokio::test]
async fn a_symbolic_link_in_place_of_a_temporary_file_is_removed_and_not_followed() {
    let (folder, left) = folder(true).await;
    let elsewhere = Folder::new();
    FileStore::new(elsewhere.file()).replace(&key(), None, &saved("t3").await).await.unwrap();
    fs::remove_file(&left).unwrap();
    symlink(elsewhere.file(), &left).unwrap();
    assert!(FileStore::new(folder.file()).sweep(&key()).await.unwrap().is_empty());
    assert!(fs::symlink_metadata(&left).is_err() && elsewhere.file().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_stopped_during_a_write_does_not_block_others_and_overwrites_nothing_later() {
    let (folder, left) = folder(false).await;
    fs::remove_file(left).unwrap();
    fs::write(folder.file(), "damaged").unwrap();
    let (enters, entered) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    // The write stops in the middle.
    let stopped = FileStore::new(folder.file()).on_warning(move |_| {
        enters.send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
    });
    let [theirs, ours] = [saved("t1").await, saved("t3").await];
    let late = tokio::spawn(async move { stopped.replace(&key(), None, &theirs).await });
    entered.recv().unwrap();
    let store = FileStore::new(folder.file());
    assert!(store.replace(&key(), None, &ours).await.unwrap());
    release.send(()).unwrap();
    assert!(!late.await.unwrap().unwrap(), "another process wrote meanwhile");
    assert_eq!(store.load(&key()).await.unwrap(), Some(ours.clone()));
    assert!(store.clear(&key(), &ours).await.unwrap());
}
