//! The command line of the browser. One child process of this binary logs in, and another one is its browser.
#![cfg(target_os = "linux")]

use std::process::Command;
use std::time::Duration;

use reqwest_challenge::ChallengeMiddleware;
use reqwest_challenge_login::cli::{Environment, Login};
use reqwest_challenge_login::oauth::{Client, Issuer};
use reqwest_challenge_testing::MockIdentityProvider;

use crate::support::folder::Folder;

const ISSUER: &str = "REQWEST_CHALLENGE_ISSUER";

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

/// Logs in with the system's browser, at a page whose URL contains shell commands.
#[test]
#[ignore = "another test runs it in a child process"]
fn child_that_logs_in() {
    let Ok(issuer) = std::env::var(ISSUER) else { return };
    let page = format!("{issuer}/authorize?x=$(touch${{IFS}}pwned);`id`&y='|*>z&{ISSUER}=%s%20--help");
    let issuer = Issuer::new(&issuer).unwrap().token_endpoint(format!("{issuer}/token")).unwrap();
    let issuer = issuer.authorization_endpoint(page).unwrap();
    let environment = Environment::from_variables(true, |name| name == "DISPLAY");
    let login = Login::oauth(issuer, Client::public("tool")).environment(environment).build().unwrap();
    let session = ChallengeMiddleware::new("http://127.0.0.1:1", login).unwrap().session();
    // If the browser fails, the test does not wait for as long as a user may take.
    let login = async { tokio::time::timeout(Duration::from_secs(30), session.login()).await };
    runtime().block_on(login).unwrap().unwrap();
    println!("logged in");
}

/// Plays the browser: opens the page that its only argument with a URL names.
#[test]
#[ignore = "another test runs it in a child process"]
fn child_that_opens_the_page() {
    if std::env::var(ISSUER).is_err() {
        return;
    }
    let given: Vec<_> = std::env::args().filter(|argument| argument.contains("authorize")).collect();
    let [page] = &given[..] else { panic!("{given:?}") };
    // The last argument is the whole URL of the page.
    assert_eq!(std::env::args().next_back().as_ref(), Some(page));
    assert!(page.contains("x=$(touch${IFS}pwned);`id`&y=%27|*%3Ez&") && page.contains("code_challenge="), "{page}");
    runtime().block_on(async { reqwest::get(page).await.unwrap() });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_gets_the_url_as_one_argument_and_no_shell_interprets_it() {
    // A child process never starts this test, even if its arguments are misread.
    assert!(std::env::var(ISSUER).is_err());
    let provider = MockIdentityProvider::start().await.unwrap();
    let exe = std::env::current_exe().unwrap();
    let folder = Folder::new();
    std::fs::create_dir(&folder.0).unwrap();
    let child = Command::new(&exe)
        .args(["cli_browser::child_that_logs_in", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(ISSUER, provider.issuer())
        // `%c` is a colon. A plain colon separates two browsers.
        .env("BROWSER", format!("{} cli_browser%c%cchild_that_opens_the_page --exact --ignored", exe.display()))
        .current_dir(&folder.0)
        .output();
    let ended = child.unwrap();
    let shown = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && shown.contains("logged in"), "{shown}{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0, "a shell ran a command");
}
