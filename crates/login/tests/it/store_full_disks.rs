//! Full disks and read-only folders: no refresh token is spent if the new one cannot be saved, and a logout still works.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use reqwest_challenge::{ChallengeMiddleware, Refresh};
use reqwest_challenge_login::oauth::{AuthorizationCode, Client, Issuer, OAuth, RefreshToken};
use reqwest_challenge_login::store::{FileStore, Key, Saved, Store, Stored};
use reqwest_challenge_testing::{MockApi, MockIdentityProvider};
use reqwest_middleware::ClientBuilder;

use crate::support::contexts::{initial, logout};
use crate::support::folder::{Folder, key};
use crate::support::oauth::line;
use crate::support::peer::{Peer, ROLE, fact, spawn_after};

/// A shell command after which no file can be written, not even by root. Files can still be read and truncated.
const FULL_DISK: &str = "trap '' XFSZ && ulimit -f 0";
/// A shell command that changes nothing.
pub(crate) const FREE_DISK: &str = ":";

/// A tool that runs the commands `get`, `login` and `logout`.
#[test]
#[ignore = "another test runs it in a child process"]
fn child_tool() {
    if std::env::var(ROLE).as_deref() != Ok("tool") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let issuer = Issuer::new(fact("ISSUER")).unwrap();
    let login = match std::env::var("REFRESH_TOKEN") {
        Ok(token) => OAuth::new(issuer, Client::public("tool"), RefreshToken::new(token)),
        Err(_) => {
            OAuth::new(issuer, Client::public("tool"), AuthorizationCode::new(|_| Err("a prompt was shown".into())))
        }
    };
    let stored = Arc::new(Stored::new(login.unwrap().prompting(), FileStore::new(fact("FILE")), key()));
    let auth = ChallengeMiddleware::new(fact("API"), stored.clone()).unwrap();
    let session = auth.session();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
    println!("answer: ready");
    for command in std::io::stdin().lines() {
        let answer = runtime.block_on(async {
            match &*command.unwrap() {
                "get" => match client.get(fact("API")).send().await {
                    Ok(answer) => answer.status().to_string(),
                    Err(error) => line(&error),
                },
                "login" => session.login().await.map_or_else(|error| line(&error), |_| "logged in".to_owned()),
                _ => {
                    let held = stored.initial(initial()).await.unwrap();
                    stored.forget(logout(held)).await.map_or_else(|error| line(&error), |()| "logged out".to_owned())
                }
            }
        });
        println!("answer: {answer}");
    }
}

/// A provider whose refresh tokens are valid once, an API, and a file with a login.
pub(crate) struct World {
    pub(crate) provider: MockIdentityProvider,
    pub(crate) api: MockApi,
    pub(crate) folder: Folder,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::at(Folder::new()).await
    }

    async fn at(folder: Folder) -> Self {
        let provider = MockIdentityProvider::start().await.unwrap();
        let api = MockApi::trusting(&provider).await.unwrap();
        api.at("/").requires("read");
        let world = Self { provider, api, folder };
        let token = world.provider.log_in(["read"]).refresh_token;
        let login =
            OAuth::new(Issuer::new(world.provider.issuer()).unwrap(), Client::public("tool"), RefreshToken::new(token));
        let stored = Stored::new(login.unwrap(), FileStore::new(world.folder.file()), key());
        ChallengeMiddleware::new(world.api.origin(), stored).unwrap().session().login().await.unwrap();
        world
    }

    pub(crate) fn tool(&self, setup: &str) -> Peer {
        self.tool_with(setup, &[])
    }

    fn tool_with(&self, setup: &str, more: &[(&str, &str)]) -> Peer {
        let (file, origin, issuer) = (self.folder.file(), self.api.origin(), self.provider.issuer());
        let facts = [&[("FILE", file.to_str().unwrap()), ("API", &*origin), ("ISSUER", &*issuer)], more].concat();
        let mut peer = Peer::of(spawn_after(setup, "tool", "store_full_disks::child_tool", &facts));
        assert_eq!(peer.hear(), "ready");
        peer
    }

    pub(crate) fn does(&self, setup: &str, command: &str) -> String {
        let mut tool = self.tool(setup);
        tool.say(command);
        tool.hear()
    }

    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.folder.file()).unwrap_or_default()
    }

    /// The number of renewals, and the number of renewals with a replaced refresh token.
    fn renewals(&self) -> (usize, usize) {
        (self.provider.grants("refresh_token"), self.provider.reuses())
    }

    pub(crate) fn revocations(&self) -> usize {
        self.provider.journal().exchanges().iter().filter(|one| one.request().path() == "/revoke").count()
    }

    /// Checks that no refresh token is spent while nothing can be saved.
    fn spends_nothing(&self, setup: &str) {
        let (before, renewals) = (self.text(), self.renewals());
        self.api.tokens().expire_all();
        let mut tool = self.tool(setup);
        for _ in 0..2 {
            tool.say("get");
            let said = tool.hear();
            assert!(said.contains("cannot prepare to save") && said.contains("credentials.json"), "{said}");
        }
        assert_eq!(
            (self.text(), self.renewals()),
            (before, renewals),
            "no refresh token is spent, and the old one is kept"
        );
    }

    /// Checks that a renewal works once a save is possible.
    fn recovers(&self) {
        let (renewals, _) = self.renewals();
        assert_eq!(self.does(FREE_DISK, "get"), "200 OK");
        assert_eq!(self.renewals(), (renewals + 1, 0));
        assert_eq!(left(&self.folder.0), Vec::<String>::new());
    }
}

/// The temporary files in a folder.
fn left(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".new")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_no_refresh_token_is_spent() {
    let world = World::new().await;
    world.spends_nothing(FULL_DISK);
    world.recovers();
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_read_only_folder_no_refresh_token_is_spent() {
    let world = World::new().await;
    fs::set_permissions(&world.folder.0, fs::Permissions::from_mode(0o500)).unwrap();
    // Root can still write there.
    if fs::write(world.folder.0.join("x"), "").is_err() {
        world.spends_nothing(FREE_DISK);
    }
    fs::set_permissions(&world.folder.0, fs::Permissions::from_mode(0o700)).unwrap();
    world.api.tokens().expire_all();
    world.recovers();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_from_the_caller_is_not_spent_if_nothing_can_be_saved() {
    let world = World::new().await;
    fs::remove_file(world.folder.file()).unwrap();
    let token = world.provider.log_in(["read"]).refresh_token;
    let renewals = world.renewals();
    for command in ["get", "login"] {
        let mut tool = world.tool_with(FULL_DISK, &[("REFRESH_TOKEN", &token)]);
        tool.say(command);
        let said = tool.hear();
        assert!(said.contains("cannot prepare to save"), "{said}");
    }
    assert_eq!(world.renewals(), renewals);
    let mut tool = world.tool_with(FREE_DISK, &[("REFRESH_TOKEN", &token)]);
    tool.say("get");
    assert_eq!((tool.hear(), world.renewals()), ("200 OK".to_owned(), (renewals.0 + 1, 0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_is_not_asked_for_a_login_that_cannot_be_saved() {
    let world = World::new().await;
    fs::remove_file(world.folder.file()).unwrap();
    for command in ["get", "login"] {
        let said = world.does(FULL_DISK, command);
        assert!(said.contains("cannot prepare to save") && !said.contains("a prompt was shown"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_on_a_full_disk_revokes_and_removes_the_login() {
    let world = World::new().await;
    assert_eq!(world.does(FULL_DISK, "logout"), "logged out");
    assert_eq!((world.revocations(), world.text()), (1, String::new()));
    let renewals = world.renewals();
    assert!(world.does(FREE_DISK, "get").contains("a prompt was shown"));
    assert_eq!(world.renewals(), renewals);
}

fn other() -> Key {
    key().account("bob")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_that_cannot_remove_one_login_from_a_file_revokes_it_and_reports_the_failure() {
    let world = World::new().await;
    let bobs = Saved::new("{\"bob\":\"x\"}");
    assert!(FileStore::new(world.folder.file()).replace(&other(), None, &bobs).await.unwrap());
    let before = world.text();
    let said = world.does(FULL_DISK, "logout");
    assert!(said.contains("could not be removed from file:") && said.contains("credentials.json"), "{said}");
    assert!(said.contains("by hand") && !said.contains("did not revoke"), "{said}");
    assert_eq!((world.revocations(), world.text()), (1, before), "the login of another account stays");
}

/// A file system of 64 KiB. Only root can mount it.
struct Small(Folder);

impl Small {
    fn mount() -> Option<Self> {
        let folder = Folder::new();
        fs::create_dir_all(&folder.0).unwrap();
        let options = "size=64k,mode=0700";
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&folder.0).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }

    fn fill(&self) {
        let filler = fs::OpenOptions::new().create(true).append(true).open(self.0.0.join("filler")).unwrap();
        while std::io::Write::write_all(&mut &filler, &[0; 4096]).is_ok() {}
    }

    fn empty(&self) {
        fs::remove_file(self.0.0.join("filler")).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0.0).output();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_file_system_nothing_is_spent_and_a_logout_removes_one_login_from_the_file() {
    let Some(small) = Small::mount() else { return };
    let world = World::at(Folder(small.0.0.join("tool"))).await;
    let bobs = Saved::new("{\"bob\":\"x\"}");
    let store = FileStore::new(world.folder.file());
    assert!(store.replace(&other(), None, &bobs).await.unwrap());
    small.fill();
    world.spends_nothing(FREE_DISK);
    small.empty();
    world.recovers();
    small.fill();
    assert_eq!(world.does(FREE_DISK, "logout"), "logged out");
    assert_eq!((world.revocations(), store.load(&key()).await.unwrap()), (1, None));
    assert_eq!(store.load(&other()).await.unwrap(), Some(bobs));
    assert!(!world.text().contains("refresh_token"), "{}", world.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn if_a_sync_or_a_rename_fails_nothing_is_spent_and_a_logout_still_succeeds() {
    if !Command::new("strace").args(["-o", "/dev/null", "true"]).output().is_ok_and(|output| output.status.success()) {
        return;
    }
    for fault in ["fsync:error=EIO", "/^rename:error=EACCES", "/^rename:error=EROFS", "fsync:error=EDQUOT"] {
        let fails = format!("exec strace -f -qq -o /dev/null -e inject={fault} \"$0\" \"$@\"");
        let world = World::new().await;
        world.spends_nothing(&fails);
        world.recovers();
        assert_eq!(world.does(&fails, "logout"), "logged out", "{fault}");
        assert_eq!(world.revocations(), 1, "{fault}");
        assert!(!world.text().contains("refresh_token"), "{fault}: {}", world.text());
    }
}
