//! A file of credentials: its permissions, the files that are refused, damaged files, and its lock.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use reqwest_challenge_login::store::{FileStore, Key, Saved, Store, StoreError};

use crate::support::folder::{Folder, key};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

async fn put(store: &FileStore, key: &Key, old: Option<&str>, new: &str) -> Result<bool, StoreError> {
    store.replace(key, old.map(Saved::new).as_ref(), &Saved::new(new)).await
}

async fn get(store: &FileStore) -> Result<Option<String>, StoreError> {
    Ok(store.load(&key()).await?.map(|saved| saved.expose().to_owned()))
}

#[tokio::test]
async fn only_the_owner_can_read_the_file_and_the_folders_that_the_store_creates() {
    let folder = Folder::new();
    let deep = folder.0.join("a/b/credentials.json");
    let store = FileStore::new(&deep);
    assert!(put(&store, &key(), None, "first").await.unwrap());
    let modes = [&*deep, deep.parent().unwrap(), deep.parent().unwrap().parent().unwrap(), &*folder.0].map(mode);
    assert_eq!(modes, [0o600, 0o700, 0o700, 0o700]);
    let _lock = store.lock(&key(), std::time::Duration::ZERO).await.unwrap();
    for beside in fs::read_dir(deep.parent().unwrap()).unwrap() {
        let path = beside.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        assert!(!path.to_string_lossy().contains(".new"), "no temporary file is left: {}", path.display());
    }
}

#[tokio::test]
async fn a_file_that_others_can_read_is_made_private() {
    let folder = Folder::new();
    let store = FileStore::new(folder.file());
    put(&store, &key(), None, "first").await.unwrap();
    fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(get(&store).await.unwrap().as_deref(), Some("first"));
    assert_eq!(mode(&folder.file()), 0o600);
}

#[track_caller]
fn is_not_ours<T: std::fmt::Debug>(result: Result<T, StoreError>, why: &str) {
    let error = result.unwrap_err();
    assert!(matches!(&error, StoreError::NotPrivate { .. }) && error.to_string().contains(why), "{error}");
}

#[tokio::test]
async fn a_symbolic_link_or_a_folder_in_place_of_the_file_is_refused() {
    let (folder, elsewhere) = (Folder::new(), Folder::new());
    put(&FileStore::new(elsewhere.file()), &key(), None, "not ours").await.unwrap();
    put(&FileStore::new(folder.0.join("other")), &key(), None, "x").await.unwrap();
    symlink(elsewhere.file(), folder.file()).unwrap();
    let store = FileStore::new(folder.file());
    is_not_ours(get(&store).await, "not a regular file");
    is_not_ours(put(&store, &key(), None, "new").await, "not a regular file");
    let there = get(&FileStore::new(elsewhere.file())).await.unwrap();
    assert_eq!(there.as_deref(), Some("not ours"), "the link's target is unchanged");
    fs::remove_file(folder.file()).unwrap();
    fs::create_dir(folder.file()).unwrap();
    is_not_ours(get(&store).await, "not a regular file");
}

#[tokio::test]
async fn a_folder_that_others_own_or_can_write_is_refused() {
    let folder = Folder::new();
    let store = FileStore::new(folder.file());
    put(&store, &key(), None, "first").await.unwrap();
    for mode in [0o777, 0o770, 0o1777, 0o702] {
        fs::set_permissions(&folder.0, fs::Permissions::from_mode(mode)).unwrap();
        is_not_ours(get(&store).await, "other users can write");
        is_not_ours(put(&store, &key(), Some("first"), "second").await, "other users can write");
    }
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(get(&store).await.unwrap().as_deref(), Some("first"), "other users may read the folder");
    // Only root can change the owner of a folder.
    if chown(&folder.0, Some(65_534), None).is_ok() {
        is_not_ours(get(&store).await, "belongs to another user");
        is_not_ours(put(&store, &key(), Some("first"), "second").await, "belongs to another user");
        chown(&folder.0, Some(0), None).unwrap();
        chown(folder.file(), Some(65_534), None).unwrap();
        is_not_ours(get(&store).await, "belongs to another user");
    }
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_an_error_and_stays_unchanged() {
    let folder = Folder::new();
    let store = FileStore::new(folder.file());
    put(&store, &key(), None, "first").await.unwrap();
    let newer = fs::read_to_string(folder.file()).unwrap().replace("\"version\":1", "\"version\":2");
    fs::write(folder.file(), &newer).unwrap();
    for result in [get(&store).await.map(drop), put(&store, &key(), None, "second").await.map(drop)] {
        let error = result.unwrap_err();
        assert!(matches!(error, StoreError::NewerVersion { found: 2, .. }), "{error}");
        assert!(error.to_string().contains("newer version"));
    }
    assert_eq!(fs::read_to_string(folder.file()).unwrap(), newer);
}

#[tokio::test]
async fn a_damaged_file_counts_as_empty_with_a_warning_and_is_kept_under_another_name() {
    for damaged in ["", "{\"version\":1,\"credentials\":{\"a", "[]", "\u{0}\u{0}", "{\"version\":1}", "{}"] {
        let folder = Folder::new();
        put(&FileStore::new(folder.0.join("other")), &key(), None, "x").await.unwrap();
        fs::write(folder.file(), damaged).unwrap();
        let warnings = Arc::new(Mutex::new(Vec::new()));
        let heard = warnings.clone();
        let store =
            FileStore::new(folder.file()).on_warning(move |warning| heard.lock().unwrap().push(warning.to_owned()));
        assert_eq!(get(&store).await.unwrap(), None, "{damaged}");
        assert!(warnings.lock().unwrap()[0].contains("cannot be read"));
        assert!(put(&store, &key(), None, "new").await.unwrap());
        assert_eq!(get(&store).await.unwrap().as_deref(), Some("new"));
        let aside = folder.0.join("credentials.json.damaged");
        assert_eq!(fs::read_to_string(aside).unwrap(), damaged, "the damaged file is kept");
    }
}

#[tokio::test]
async fn a_credential_that_is_too_large_is_an_error_and_the_file_stays_unchanged() {
    let folder = Folder::new();
    let store = FileStore::new(folder.file());
    put(&store, &key(), None, "first").await.unwrap();
    let error = put(&store, &key(), Some("first"), &"x".repeat(2 << 20)).await.unwrap_err();
    assert!(matches!(error, StoreError::FileTooLarge { limit: 1_048_576, size: 2_097_152.., .. }), "{error}");
    assert_eq!(get(&store).await.unwrap().as_deref(), Some("first"));
}

#[tokio::test]
async fn an_error_names_the_folder_that_cannot_be_created() {
    let folder = Folder::new();
    put(&FileStore::new(folder.file()), &key(), None, "first").await.unwrap();
    let below = FileStore::new(folder.file().join("below"));
    let error = put(&below, &key(), None, "second").await.unwrap_err();
    assert!(error.to_string().contains("credentials.json"), "{error}");
    #[cfg(target_os = "linux")]
    for path in ["/proc/none/credentials.json", "/proc/none/deeper/credentials.json"] {
        let error = put(&FileStore::new(path), &key(), None, "second").await.unwrap_err();
        assert!(error.to_string().contains("cannot make /proc/none"), "{error}");
    }
}

#[tokio::test]
async fn other_files_in_the_folder_are_not_removed() {
    let folder = Folder::new();
    let store = FileStore::new(folder.file());
    put(&store, &key(), None, "first").await.unwrap();
    let others = [".credentials.json.notes.new", ".credentials.json.work.0123456789abcdef.new", "x.new"];
    for other in others {
        fs::write(folder.0.join(other), "not ours").unwrap();
    }
    fs::write(folder.0.join(".credentials.json.0123456789abcdef.new"), "half").unwrap();
    put(&store, &key(), Some("first"), "second").await.unwrap();
    for other in others {
        assert!(folder.0.join(other).exists(), "{other}");
    }
    assert!(!folder.0.join(".credentials.json.0123456789abcdef.new").exists());
}

/// Sends a message when it is dropped.
struct SendsOnDrop(mpsc::Sender<()>);

impl Drop for SendsOnDrop {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[test]
fn the_lock_is_held_until_the_write_ends_even_after_the_runtime_has_shut_down() {
    let folder = Folder::new();
    fs::create_dir_all(&folder.0).unwrap();
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(folder.file(), "damaged").unwrap();
    let ((enters, entered), (dropping, dropped), (release, released)) =
        (mpsc::channel(), mpsc::channel(), mpsc::channel());
    let released = Mutex::new(released);
    // The warning stops the write in the middle.
    let store = FileStore::new(folder.file()).on_warning(move |_| {
        enters.send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
    });
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let ends = runtime();
    ends.spawn(async move {
        let _dropped = SendsOnDrop(dropping);
        let _lock = store.lock(&key(), Duration::from_secs(5)).await.unwrap();
        put(&store, &key(), None, "new").await.unwrap();
    });
    entered.recv().unwrap();
    ends.shutdown_background();
    dropped.recv().unwrap();
    let (other, there) = (FileStore::new(folder.file()), runtime());
    let early = there.block_on(other.lock(&key(), Duration::ZERO)).map(drop);
    assert!(matches!(early, Err(StoreError::Locked { .. })), "{early:?}");
    release.send(()).unwrap();
    drop(there.block_on(other.lock(&key(), Duration::from_secs(30))).unwrap());
    assert_eq!(there.block_on(get(&other)).unwrap().as_deref(), Some("new"));
}
