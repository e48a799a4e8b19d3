//! A client that renews with a refresh token, and its contract test. Prints one line per passed check.
//!
//! `cargo run -p reqwest-challenge-testing --example contract_test`

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{
    BoxError, ChallengeMiddleware, Clock, Credential, Forbidden, Refresh, RefreshContext, RefreshError,
};
use reqwest_challenge_testing::{
    Answer, Failure, Gate, ManualClock, MockApi, MockIdentityProvider, Protection, refresher_contract,
};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokio::sync::Mutex;

/// The refresher. It renews with a refresh token, and each renewal returns a new refresh token.
struct Renew {
    url: String,
    token: Mutex<String>,
}

#[async_trait]
impl Refresh for Renew {
    async fn refresh(&self, context: RefreshContext) -> Result<Option<Credential>, RefreshError> {
        let mut token = self.token.lock().await;
        let form = format!("grant_type=refresh_token&refresh_token={token}");
        let request =
            context.http_client()?.post(&self.url).header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(form).send().await?;
        match answer.status().as_u16() {
            200 => {}
            400 => return Err(RefreshError::credential_revoked("invalid_grant")),
            _ => return Err(RefreshError::transient(None)),
        }
        let answer: serde_json::Value = answer.json().await?;
        *token = answer["refresh_token"].as_str().unwrap_or_default().to_owned();
        Ok(Some(Credential::bearer(answer["access_token"].as_str().unwrap_or_default())))
    }
}

fn client(api: &str, renew: Renew, clock: impl Clock) -> Result<ClientWithMiddleware, BoxError> {
    let auth = ChallengeMiddleware::builder(api, renew).clock(clock).build()?;
    Ok(ClientBuilder::new(reqwest::Client::new()).with(auth).build())
}

/// The servers, the clock and the client of the test. In a project, each scenario is a `#[tokio::test]`.
async fn start() -> Result<(MockIdentityProvider, MockApi, ManualClock, ClientWithMiddleware), BoxError> {
    let provider = MockIdentityProvider::start().await?;
    let api = MockApi::trusting(&provider).await?;
    api.at("/reports").accepts(Protection::bearer()).answers(Answer::ok("3 reports"));
    api.forbid("/admin", "admin");
    let (clock, token) = (ManualClock::new(), provider.log_in(["reports:read"]).refresh_token);
    let client = client(&api.origin(), Renew { url: provider.token_url(), token: token.into() }, clock.clone())?;
    Ok((provider, api, clock, client))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let (provider, api, clock, client) = start().await?;
    let reports = || client.get(api.url("/reports")).send();
    for _ in 0..3 {
        assert_eq!(reports().await?.text().await?, "3 reports");
        provider.tokens().expire_all();
    }
    assert_eq!((provider.grants("refresh_token"), provider.reuses()), (3, 0));
    println!("ok: an expired token is renewed, and refresh tokens are rotated");

    let gate = Gate::closed();
    api.at("/shared").accepts(Protection::bearer()).hold_until(&gate);
    let calls: Vec<_> = (0..50).map(|_| tokio::spawn(client.get(api.url("/shared")).send())).collect();
    gate.reached_by(50).await;
    gate.open();
    for call in calls {
        assert_eq!(call.await??.status(), 200);
    }
    api.journal().assert_refreshes(4);
    println!("ok: one refresh serves 50 callers");

    let error = client.get(api.url("/admin")).send().await.expect_err("the token lacks the scope");
    assert_eq!(Forbidden::find(&error).expect("a 403").required_scopes(), ["admin"]);
    api.journal().assert_sends("/admin", 1);
    api.journal().assert_no_403_was_resent();
    println!("ok: a 403 is a typed error and is sent once");

    provider.tokens().expire_all();
    provider.begin_outage(Failure::ServerError);
    println!("during the outage: {}", reports().await.expect_err("the provider is down"));
    provider.end_outage();
    // The pause after a transient error is over.
    clock.forward(Duration::from_secs(2));
    assert_eq!(reports().await?.status(), 200);
    println!("ok: the client recovers after the outage");

    let provider = Arc::new(provider);
    let [begin, end, revoked, new] = [(); 4].map(|()| provider.clone());
    let renew = move || Renew { url: new.token_url(), token: new.log_in(["*"]).refresh_token.into() };
    let contract = refresher_contract(renew)
        .outage(move || begin.begin_outage(Failure::ServerError), move || end.end_outage())
        .revocation(move || revoked.fail_next(Failure::InvalidGrant));
    let report = contract.run().await;
    report.assert_passed();
    print!("the contract of the refresher:\n{report}");
    Ok(())
}
