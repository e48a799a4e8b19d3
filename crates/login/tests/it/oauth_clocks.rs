//! Which clock the requests of a grant use, if the clock of the server is another one.

use std::time::{Duration, SystemTime};

use reqwest_challenge::dpop::{Es256Key, ProofKey};
use reqwest_challenge::{ClockSkew, Refresh, RefreshContext};
use reqwest_challenge_login::oauth::{Client, ClientCredentials, JwtBearer, OAuth};
use reqwest_challenge_testing::{Answer, ManualClock, MockApi, ReceivedRequest};
use serde_json::{Value, json};

use crate::oauth_grants::{issuer, verified};

const LIFETIME: Duration = Duration::from_secs(3600);

fn skew() -> ClockSkew {
    ClockSkew::server_behind(Duration::from_secs(900))
}

/// Runs the grant in a context whose server is 15 minutes behind. Checks the lifetime of the token, and returns the time of
/// the session's clock and the token request.
async fn requested(oauth: impl FnOnce(&MockApi) -> OAuth) -> (SystemTime, ReceivedRequest) {
    let (server, clock) = (MockApi::start().await.unwrap(), ManualClock::new());
    let token = json!({ "access_token": "granted", "token_type": "bearer", "expires_in": LIFETIME.as_secs() });
    server.at("/token").answers(Answer::json(token));
    let context = RefreshContext::builder(server.url("/")).clock(clock.clone()).clock_skew(skew()).build().unwrap();
    let credential = oauth(&server).refresh(context).await.unwrap().unwrap();
    assert_eq!(credential.expiry(), Some(clock.time_in(LIFETIME)));
    (clock.time(), server.requests().pop().unwrap())
}

fn issued_at(claims: &Value) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(claims["iat"].as_u64().unwrap())
}

#[tokio::test]
async fn an_assertion_names_the_time_of_the_server_and_a_lifetime_counts_from_the_sessions_clock() {
    let key = Es256Key::generate().unwrap();
    let jwk = key.public_jwk();
    let grant = JwtBearer::new("robot@example.com", "alice", key);
    let (now, sent) = requested(|server| OAuth::new(issuer(server), Client::public("robot"), grant).unwrap()).await;
    let [_, claims] = verified(&sent.form("assertion").unwrap(), &jwk);
    assert_eq!(issued_at(&claims), skew().server_time(now));
}

#[tokio::test]
async fn a_client_assertion_names_the_time_of_the_server() {
    let key = Es256Key::generate().unwrap();
    let jwk = key.public_jwk();
    let client = Client::private_key_jwt("robot", key, None);
    let (now, sent) = requested(|server| OAuth::new(issuer(server), client, ClientCredentials).unwrap()).await;
    let [_, claims] = verified(&sent.form("client_assertion").unwrap(), &jwk);
    assert_eq!(issued_at(&claims), skew().server_time(now));
}
