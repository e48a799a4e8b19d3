//! Redirects of requests that contain secrets.

use reqwest_challenge::{Builder, ChallengeMiddleware, Refresh};
use reqwest_challenge_testing::{Answer, MockApi};

pub(crate) const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

/// Where the caller gives a client that follows redirects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FollowsWhere {
    InBuilder,
    /// In the refresher, to which the test gives the client.
    InOAuth,
}

impl FollowsWhere {
    /// All values, each with every redirect status.
    pub(crate) fn each() -> Vec<(Self, u16)> {
        [Self::InBuilder, Self::InOAuth].iter().flat_map(|follows| STATUSES.map(|status| (*follows, status))).collect()
    }
}

pub(crate) fn builder(server: &MockApi, refresher: impl Refresh, follows: FollowsWhere) -> Builder {
    let builder = ChallengeMiddleware::builder(server.origin(), refresher);
    if follows == FollowsWhere::InBuilder { builder.refresh_client(reqwest::Client::new()) } else { builder }
}

/// A second server, which answers every request with `gives`.
pub(crate) async fn elsewhere(gives: impl Fn(&MockApi) -> Answer) -> MockApi {
    let server = MockApi::start().await.unwrap();
    server.at("/").open().answers(gives(&server));
    server
}

/// Checks that the server got nothing, or a GET without a secret, after a redirect of a request.
#[track_caller]
pub(crate) fn is_untouched(server: &MockApi, status: u16, method: &str) {
    let arrived = server.requests();
    let by_get = status == 303 || method == "POST" && matches!(status, 301 | 302);
    assert!(by_get || arrived.is_empty(), "{status}\n{}", server.journal());
    for one in arrived {
        let has_secret = one.contains("hunter2") || one.header("authorization").is_some() || !one.body().is_empty();
        assert!(one.method() == "GET" && !has_secret, "{status}\n{}", server.journal());
    }
}
