//! Several processes with one file of credentials. Each child process is this binary, which runs one test that is otherwise ignored.
#![cfg(unix)]

use std::time::{Duration, Instant};

use reqwest_challenge::ChallengeMiddleware;
use reqwest_challenge_login::oauth::{AuthorizationCode, Client, Issuer, OAuth, RefreshToken};
use reqwest_challenge_login::store::{FileStore, Saved, Store, Stored};
use reqwest_challenge_testing::{MockApi, MockIdentityProvider};
use reqwest_middleware::ClientBuilder;

use crate::support::folder::{Folder, key};
use crate::support::peer::{Peer, ROLE, fact, spawn};

fn issuer() -> Issuer {
    Issuer::new(fact("ISSUER")).unwrap()
}

/// Calls the API for each line of its input.
#[test]
#[ignore = "another test runs it in a child process"]
fn child_that_calls() {
    if std::env::var(ROLE).as_deref() != Ok("caller") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // A prompt fails, so the stored credential must suffice.
    let login =
        OAuth::new(issuer(), Client::public("tool"), AuthorizationCode::new(|_| Err("a prompt was shown".into())))
            .unwrap();
    let stored = Stored::new(login, FileStore::new(fact("FILE")), key());
    let auth = ChallengeMiddleware::new(fact("API"), stored).unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
    println!("answer: ready");
    for line in std::io::stdin().lines() {
        let url = format!("{}/?{}", fact("API"), line.unwrap());
        let answer = runtime.block_on(async { client.get(url).send().await });
        println!("answer: {}", answer.map_or_else(|error| format!("{error:#}"), |answer| answer.status().to_string()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_share_a_rotating_refresh_token_renew_once_in_each_of_fifty_rounds() {
    let folder = Folder::new();
    let provider = MockIdentityProvider::start().await.unwrap();
    let api = MockApi::trusting(&provider).await.unwrap();
    api.at("/").requires("read");
    // A user has logged in.
    let login = provider.log_in(["read"]);
    let first = OAuth::new(
        Issuer::new(provider.issuer()).unwrap(),
        Client::public("tool"),
        RefreshToken::new(login.refresh_token),
    );
    let auth =
        ChallengeMiddleware::new(api.origin(), Stored::new(first.unwrap(), FileStore::new(folder.file()), key()));
    auth.unwrap().session().login().await.unwrap();
    let (file, origin, issuer) = (folder.file(), api.origin(), provider.issuer());
    let facts = [("FILE", file.to_str().unwrap()), ("API", &*origin), ("ISSUER", &*issuer)];
    let mut peers = [(); 2].map(|()| Peer::of(spawn("caller", "store_processes::child_that_calls", &facts)));
    for peer in &mut peers {
        assert_eq!(peer.hear(), "ready");
    }
    for round in 1..=50 {
        api.tokens().expire_all();
        for peer in &mut peers {
            peer.say(&round.to_string());
        }
        for peer in &mut peers {
            assert_eq!(peer.hear(), "200 OK", "round {round}");
        }
        // The first login was a renewal too.
        assert_eq!((provider.grants("refresh_token"), provider.reuses()), (1 + round, 0), "round {round}");
    }
}

/// Writes until it is killed.
#[test]
#[ignore = "another test runs it in a child process"]
fn child_that_writes() {
    if std::env::var(ROLE).as_deref() != Ok("writer") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = FileStore::new(fact("FILE"));
    runtime.block_on(async {
        let mut old = store.load(&key()).await.unwrap();
        println!("answer: ready");
        for number in 0_u64.. {
            let _lock = store.lock(&key(), Duration::from_secs(10)).await.unwrap();
            let new = Saved::new(complete(number));
            assert!(store.replace(&key(), old.as_ref(), &new).await.unwrap(), "no other process writes");
            old = Some(new);
        }
    });
}

/// A text that is recognizably incomplete if a part of it is missing.
fn complete(number: u64) -> String {
    let number = number.to_string();
    format!("{number} {} {number}", number.repeat(4000 / number.len()))
}

/// The number of a complete text.
fn number(text: &str) -> Option<u64> {
    let number = text.split(' ').next().and_then(|number| number.parse().ok());
    number.filter(|&number| complete(number) == text)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_two_hundred_kills_the_file_is_complete_and_its_locks_are_free() {
    let folder = Folder::new();
    let (file, store) = (folder.file(), FileStore::new(folder.file()).on_warning(|warning| panic!("{warning}")));
    let (mut there, mut random) = (false, 0x2545_F491_4F6C_DD1D_u64);
    for round in 0..200 {
        let facts = [("FILE", file.to_str().unwrap())];
        let mut peer = Peer::of(spawn("writer", "store_processes::child_that_writes", &facts));
        assert_eq!(peer.hear(), "ready");
        // The kill hits one of the first writes at a random point.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let (began, span) = (Instant::now(), Duration::from_micros(random % 8000));
        while began.elapsed() < span {
            std::hint::spin_loop();
        }
        peer.child.kill().unwrap();
        peer.child.wait().unwrap();
        drop(store.lock(&key(), Duration::ZERO).await.unwrap());
        match store.load(&key()).await.unwrap() {
            Some(saved) => {
                let size = saved.expose().len();
                number(saved.expose()).unwrap_or_else(|| panic!("round {round}: {size} octets"));
                there = true;
            }
            None => assert!(!there, "round {round}: it is gone"),
        }
    }
    assert!(there, "nothing was ever written");
    let saved = store.load(&key()).await.unwrap();
    assert!(store.replace(&key(), saved.as_ref(), &Saved::new("last")).await.unwrap());
    // A half-written file contains secrets, so the next write removes it.
    let left: Vec<_> = std::fs::read_dir(&folder.0).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "the file and its two locks: {left:?}");
}
