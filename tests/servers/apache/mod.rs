//! Apache httpd 2.4.

use std::time::{Duration, Instant};

use reqwest_challenge::{
    AuthReport, ChallengeMiddleware, Forbidden, Password, Renewed, Unauthorized, UnauthorizedReason, hardened,
};
use reqwest_middleware::ClientBuilder;

use crate::all::{Check, Running, alice, client};
use crate::check;

const PASSWORD: &str = "s3cret pass:word";

pub(crate) const CHECKS: [Check; 10] = [
    check!("Basic", "a correct password, with a colon; a wrong one", basic),
    check!("Digest", "MD5, one nonce for a hundred requests, the proof of the server", digest),
    check!("Digest", "a wrong password ends after two sends", wrong),
    check!("Digest", "a nonce that is too old is answered without a refresh", stale),
    check!("Digest", "nonces that are valid once, with `nextnonce`", one_time),
    check!("Digest", "a domain with two paths", domain),
    check!("Digest", "a folder without its slash is redirected, and each URL is answered", folder),
    check!("Digest", "a user name in UTF-8", utf8),
    check!("Basic", "a 401 for a user without access: StillRejected", refused),
    check!("Basic", "a 403 for a user without access: `Forbidden`", forbidden),
];

async fn basic(Running { url, .. }: Running) {
    let response = alice(&url, PASSWORD).get(format!("{url}/basic/")).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "ok basic\n");
    let error = alice(&url, "no").get(format!("{url}/basic/")).send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::StillRejected);
}

async fn digest(Running { url, .. }: Running) {
    let client = alice(&url, PASSWORD);
    let mut attempts = 0;
    for number in 0..100 {
        let response = client.get(format!("{url}/digest/?number={number}")).send().await.unwrap();
        assert!(
            response
                .headers()
                .get("authentication-info")
                .is_some_and(|info| info.to_str().unwrap().contains("rspauth"))
        );
        attempts += u32::from(AuthReport::of(&response).attempts());
    }
    assert_eq!(attempts, 101);
}

async fn wrong(Running { url, .. }: Running) {
    let error = alice(&url, "no").get(format!("{url}/digest/")).send().await.unwrap_err();
    let refused = Unauthorized::find(&error).unwrap();
    assert_eq!((refused.reason(), refused.report().attempts()), (UnauthorizedReason::StillRejected, 2));
}

async fn stale(Running { url, .. }: Running) {
    let client = alice(&url, PASSWORD);
    client.get(format!("{url}/stale/")).send().await.unwrap();
    // The nonce expires after a second by the clock of the server. Each response brings the next nonce, so no request is sent
    // in this time.
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(2_100) {
        std::thread::yield_now();
    }
    let response = client.get(format!("{url}/stale/")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), AuthReport::of(&response).renewed()), (200, Some(Renewed::ByScheme)));
}

async fn one_time(Running { url, .. }: Running) {
    let client = alice(&url, PASSWORD);
    for number in 0..20 {
        let response = client.get(format!("{url}/onetime/")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let report = AuthReport::of(&response);
        assert!(report.attempts() == 1 || number == 0, "{number}: {report:?}");
    }
}

async fn domain(Running { url, .. }: Running) {
    let client = alice(&url, PASSWORD);
    for (path, attempts) in [("/domain/", 2), ("/digest/", 1), ("/domain/", 1), ("/elsewhere/", 2)] {
        let response = client.get(format!("{url}{path}")).send().await.unwrap();
        assert_eq!(AuthReport::of(&response).attempts(), attempts, "{path}");
    }
}

async fn folder(Running { url, .. }: Running) {
    let auth = || ChallengeMiddleware::new(&url, Password::new("alice", PASSWORD)).unwrap();
    let client = hardened(reqwest::Client::builder(), auth()).unwrap();
    let response = client.get(format!("{url}/domain")).send().await.unwrap();
    assert_eq!(response.url().path(), "/domain/");
    assert_eq!(response.text().await.unwrap(), "ok domain\n");
    // A client that follows redirects below the middleware sends the answer for the first URL to the second.
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth()).build();
    let error = client.get(format!("{url}/domain")).send().await.unwrap_err();
    assert!(format!("{:#}", anyhow::Error::from(error)).contains("`FollowRedirects`"));
}

async fn utf8(Running { url, .. }: Running) {
    let client = client(&url, Password::new("j\u{fc}rgen", PASSWORD));
    assert_eq!(client.get(format!("{url}/digest/")).send().await.unwrap().status(), 200);
}

async fn refused(Running { url, .. }: Running) {
    let error = alice(&url, PASSWORD).get(format!("{url}/forbidden/")).send().await.unwrap_err();
    let refused = Unauthorized::find(&error).unwrap();
    assert_eq!((refused.reason(), refused.report().attempts()), (UnauthorizedReason::StillRejected, 2));
}

async fn forbidden(Running { url, .. }: Running) {
    let error = alice(&url, PASSWORD).get(format!("{url}/forbidden403/")).send().await.unwrap_err();
    assert!(Forbidden::find(&error).unwrap().is_authenticated());
}
