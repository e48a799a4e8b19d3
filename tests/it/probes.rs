//! The example `probe` sends no credential that the middleware would not send.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest_challenge_testing::{Answer, MockApi, Protection};

#[allow(dead_code)]
#[path = "../../examples/probe/main.rs"]
mod probe;

use probe::{arguments::Arguments, run};

/// A temporary folder, removed on drop.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let path = std::env::temp_dir().join(format!("reqwest-challenge-probe-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("credential")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs the example against that server, with the credential in a file.
async fn probes(url: &str, option: &str, secret: &str) -> Result<bool, String> {
    let folder = Folder::new();
    std::fs::write(folder.file(), secret).unwrap();
    let words = [url, option, folder.file().to_str().unwrap()].map(str::to_owned);
    let arguments = Arguments::read(words.into_iter())?;
    run(&arguments).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_password_is_not_sent_by_basic_if_the_server_offers_digest() {
    let digest = "Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
    let both = format!("Basic realm=\"a\", {digest}");
    for lines in [vec![digest], vec!["Basic realm=\"a\"", digest], vec![&both], vec!["digest realm=\"a\", nonce=n"]] {
        let api = MockApi::start().await.unwrap();
        api.at("/").accepts(Protection::basic("alice", "hunter2")).challenges_with(lines.iter().copied());
        let refused = probes(&api.url("/"), "--basic-file", "alice:hunter2").await.unwrap_err();
        assert!(refused.contains("the server offers Digest"), "{refused}");
        assert!(api.requests().iter().all(|arrived| arrived.credential().is_none()), "{lines:?}");
    }
    // The same holds if the response that offers Digest has another status.
    let api = MockApi::start().await.unwrap();
    api.at("/").answers(Answer::ok("").header("www-authenticate", digest));
    probes(&api.url("/"), "--basic-file", "alice:hunter2").await.unwrap_err();
    assert!(api.requests().iter().all(|arrived| arrived.credential().is_none()));
    let api = MockApi::start().await.unwrap();
    api.at("/").accepts(Protection::basic("alice", "hunter2"));
    probes(&api.url("/"), "--basic-file", "alice:hunter2").await.unwrap();
    assert_eq!(api.requests_with("Basic YWxpY2U6aHVudGVyMg=="), 1);
    // A token is not a password.
    let api = MockApi::start().await.unwrap();
    api.at("/").accepts(Protection::bearer()).challenges_with([digest]);
    api.tokens().accept("t1");
    probes(&api.url("/"), "--bearer-file", "t1").await.unwrap();
    assert_eq!(api.requests_with("t1"), 1);
}

#[tokio::test]
async fn no_credential_is_sent_over_plain_http_to_another_machine() {
    for url in
        ["http://api.example.com/", "http://192.0.2.1/", "http://[2001:db8::1]/", "http://localhost.example.com/"]
    {
        for option in ["--basic-file", "--bearer-file"] {
            let refused = probes(url, option, "alice:hunter2").await.unwrap_err();
            assert!(refused.contains("could read the credential"), "{url}: {refused}");
        }
    }
    // A request without a credential is allowed over plain HTTP.
    assert!(Arguments::read(["http://192.0.2.1/".to_owned()].into_iter()).is_ok());
}
