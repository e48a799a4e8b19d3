//! oidc-provider (OpenID certified), and a resource that it protects.

use std::path::Path;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

use reqwest_challenge::dpop::{Dpop, Es256Key};
use reqwest_challenge::{
    AuthReport, BoxError, ChallengeMiddleware, Clock, Error, Forbidden, Secret, Session, StepUpKind,
};
use reqwest_challenge_login::oauth::{
    AuthorizationCode, AuthorizationPrompt, Client, ClientCredentials, DeviceCode, Grant, Issuer, OAuth, Registration,
};
use reqwest_challenge_testing::Gate;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde_json::Value;

use crate::all::{Check, Running};
use crate::check;

pub(crate) const CHECKS: [Check; 12] = [
    check!("client credentials", "the secret in Basic, and in the body", secrets),
    check!("client credentials", "`private_key_jwt` by ES256", assertion),
    check!("client credentials", "DPoP, with nonces at both ends", bound_service),
    check!("authorization code", "PKCE and a loopback redirect; a secret with `:%+/` in it", code),
    check!("authorization code", "DPoP, with nonces at both ends, renewed", bound_user),
    check!("authorization code", "discovery from the challenge, with a registration", discovered),
    check!("refresh token", "a token that expires is renewed, and the refresh token rotated", expiry),
    check!("refresh token", "100 requests with a revoked token: 1 refresh, no token used twice", concurrent),
    check!("refresh token", "a logout revokes it", revoked),
    check!("device code", "approved on another device", device),
    check!("device code", "denied on another device: `access_denied`", refused),
    check!("step-up", "a 403 that needs one more scope; a 403 that no scope solves", step_up),
];

/// The URLs and the key that the server prints on its first line.
struct Provider {
    issuer: String,
    rs: String,
    resource: String,
    key: Secret,
}

impl Provider {
    fn of(folder: &Path) -> Self {
        let began = Instant::now();
        let facts: Value = loop {
            // The server accepts connections before it writes the file.
            let text = std::fs::read_to_string(folder.join("facts")).unwrap_or_default();
            if let Some(facts) = text.lines().next().and_then(|line| serde_json::from_str(line).ok()) {
                break facts;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "the server prints nothing");
            std::thread::yield_now();
        };
        let text = |name: &str| facts[name].as_str().unwrap().to_owned();
        Self { issuer: text("issuer"), rs: text("rs"), resource: text("resource"), key: text("service_jwt_key").into() }
    }

    fn oauth(&self, client: Client, grant: impl Grant) -> OAuth {
        let oauth = OAuth::new(Issuer::new(&self.issuer).unwrap(), client, grant).unwrap();
        oauth.resource(&self.resource).scopes(["api:read"])
    }

    fn client(&self, oauth: OAuth) -> (ClientWithMiddleware, Session) {
        self.client_with_clock(oauth, SystemTime::now)
    }

    fn client_with_clock(&self, oauth: OAuth, clock: impl Clock) -> (ClientWithMiddleware, Session) {
        let auth = ChallengeMiddleware::builder(&self.rs, oauth).clock(clock).build().unwrap();
        let session = auth.session();
        (ClientBuilder::new(reqwest::Client::new()).with(auth).build(), session)
    }

    /// Opens the URL like a browser in which alice logs in and consents.
    fn browser(&self) -> impl Fn(&AuthorizationPrompt) -> Result<(), BoxError> + Send + Sync + 'static {
        let control = format!("{}/test/authorize", self.rs);
        move |prompt| {
            let mut control = reqwest::Url::parse(&control)?;
            control.query_pairs_mut().append_pair("url", prompt.url().as_str());
            tokio::spawn(async move {
                let back = reqwest::get(control).await.unwrap().text().await.unwrap();
                reqwest::get(back).await.unwrap();
            });
            Ok(())
        }
    }

    async fn control(&self, path: &str) -> String {
        reqwest::get(format!("{}/test/{path}", self.rs)).await.unwrap().text().await.unwrap()
    }

    async fn stats(&self) -> Value {
        serde_json::from_str(&self.control("stats").await).unwrap()
    }
}

async fn status(client: &ClientWithMiddleware, url: &str) -> u16 {
    let response = client.get(url).send().await.unwrap_or_else(|error| panic!("{error:?}"));
    response.status().as_u16()
}

async fn secrets(server: Running) {
    let provider = Provider::of(&server.folder);
    for client in
        [Client::secret_basic("service", "service-secret"), Client::secret_post("service-post", "service-secret")]
    {
        let (client, _) = provider.client(provider.oauth(client, ClientCredentials));
        assert_eq!(status(&client, &provider.resource).await, 200);
    }
    let (client, _) = provider.client(provider.oauth(Client::secret_basic("service", "wrong"), ClientCredentials));
    let error = client.get(&provider.resource).send().await.unwrap_err();
    assert!(format!("{error:#}").contains("invalid_client"), "{error:#}");
}

async fn assertion(server: Running) {
    let provider = Provider::of(&server.folder);
    let key = Es256Key::from_pem(&provider.key).unwrap();
    let (client, _) =
        provider.client(provider.oauth(Client::private_key_jwt("service-jwt", key, Some("k1")), ClientCredentials));
    assert_eq!(status(&client, &provider.resource).await, 200);
}

async fn bound_service(server: Running) {
    let provider = Provider::of(&server.folder);
    let oauth = provider.oauth(Client::secret_basic("service-dpop", "service-secret"), ClientCredentials);
    let (client, session) = provider.client(oauth.dpop(Dpop::new(Es256Key::generate().unwrap())));
    provider.control("stats?reset").await;
    // Logs in first. Without a token, the call would need three sends: for the token, for the nonce, and with both.
    session.login().await.unwrap();
    for _ in 0..3 {
        assert_eq!(status(&client, &format!("{}/dpop", provider.resource)).await, 200);
    }
    // The token endpoint and the API each asked once for a nonce.
    let stats = provider.stats().await;
    let token = serde_json::json!({ "client_credentials 400 use_dpop_nonce": 1, "client_credentials 200": 1 });
    assert_eq!((&stats["token"], &stats["rs"]["401"], &stats["rs"]["200"]), (&token, &1.into(), &3.into()), "{stats}");
}

async fn code(server: Running) {
    let provider = Provider::of(&server.folder);
    for client in [Client::public("native"), Client::secret_basic("web", "web secret:%+/")] {
        let (client, session) = provider.client(provider.oauth(client, AuthorizationCode::new(provider.browser())));
        let error = client.get(&provider.resource).send().await.unwrap_err();
        assert!(format!("{error:#}").contains("log in"), "{error:#}");
        session.login().await.unwrap();
        assert_eq!(status(&client, &provider.resource).await, 200);
    }
}

async fn bound_user(server: Running) {
    let provider = Provider::of(&server.folder);
    let oauth = provider.oauth(Client::public("native-dpop"), AuthorizationCode::new(provider.browser()));
    let (client, session) = provider.client(oauth.dpop(Dpop::new(Es256Key::generate().unwrap())));
    let path = format!("{}/dpop", provider.resource);
    session.login().await.unwrap();
    assert_eq!(status(&client, &path).await, 200);
    provider.control("stats?reset").await;
    provider.control("revoke-all").await;
    assert_eq!(status(&client, &path).await, 200);
    assert_eq!(provider.stats().await["token"]["refresh_token 200"], 1);
}

async fn discovered(server: Running) {
    let provider = Provider::of(&server.folder);
    let client = Client::registered(Registration::named("a tool"));
    let oauth = OAuth::new(Issuer::from_challenge(), client, AuthorizationCode::new(provider.browser()));
    let (client, session) = provider.client(oauth.unwrap().prompting());
    assert_eq!(status(&client, &provider.resource).await, 200);
    provider.control("revoke-all").await;
    assert_eq!(status(&client, &provider.resource).await, 200, "the registered client renews the token");
    session.login().await.unwrap();
}

async fn expiry(server: Running) {
    let provider = Provider::of(&server.folder);
    let oauth = provider.oauth(Client::public("native"), AuthorizationCode::new(provider.browser())).prompting();
    let (client, _) = provider.client(oauth);
    assert_eq!(status(&client, &provider.resource).await, 200);
    provider.control("stats?reset").await;
    let began = Instant::now();
    // A token expires after five seconds.
    while provider.stats().await["token"]["refresh_token 200"].as_u64() < Some(2) {
        assert_eq!(status(&client, &provider.resource).await, 200);
        assert!(began.elapsed() < Duration::from_secs(30), "{}", provider.stats().await);
    }
}

async fn concurrent(server: Running) {
    let provider = Provider::of(&server.folder);
    let oauth = provider.oauth(Client::public("native"), AuthorizationCode::new(provider.browser())).prompting();
    let (client, session) = provider.client(oauth);
    for _ in 0..5 {
        session.login().await.unwrap();
        provider.control("stats?reset").await;
        provider.control("revoke-all").await;
        let all: Vec<_> = (0..100)
            .map(|_| {
                let (client, url) = (client.clone(), provider.resource.clone());
                tokio::spawn(async move { status(&client, &url).await })
            })
            .collect();
        for one in all {
            assert_eq!(one.await.unwrap(), 200);
        }
        let stats = provider.stats().await;
        assert_eq!(stats["token"], serde_json::json!({ "refresh_token 200": 1 }), "{stats}");
        assert_eq!((&stats["rs"]["401"], &stats["rs"]["200"]), (&100.into(), &100.into()), "{stats}");
    }
}

async fn revoked(server: Running) {
    let provider = Provider::of(&server.folder);
    let oauth = provider.oauth(Client::public("native"), AuthorizationCode::new(provider.browser()));
    let (_, session) = provider.client(oauth);
    let credential = session.login().await.unwrap();
    session.logout().await.unwrap();
    // A copy of the credential cannot be renewed.
    let oauth = provider.oauth(Client::public("native"), AuthorizationCode::new(provider.browser()));
    let auth = ChallengeMiddleware::builder(&provider.rs, oauth).initial_credential(credential).build().unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
    provider.control("revoke-all").await;
    let error = client.get(&provider.resource).send().await.unwrap_err();
    assert!(format!("{error:#}").contains("invalid_grant"), "{error:#}");
}

/// A clock whose waits end when the gate opens.
struct GateClock(Gate);

impl Clock for GateClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let gate = self.0.clone();
        Box::pin(async move { gate.pass().await })
    }
}

async fn on_another_device(provider: &Provider, decision: &'static str) -> Result<u16, Error> {
    let decided = Gate::closed();
    let (gate, control) = (decided.clone(), format!("{}/test/approve", provider.rs));
    let grant = DeviceCode::new(move |prompt: &AuthorizationPrompt| {
        let url = format!("{control}?user_code={}{decision}", prompt.user_code().unwrap());
        let gate = gate.clone();
        tokio::spawn(async move {
            reqwest::get(url).await.unwrap().text().await.unwrap();
            gate.open();
        });
        Ok(())
    });
    let oauth = provider.oauth(Client::public("native"), grant);
    let (client, session) = provider.client_with_clock(oauth, GateClock(decided));
    session.login().await?;
    Ok(status(&client, &provider.resource).await)
}

async fn device(server: Running) {
    let provider = Provider::of(&server.folder);
    assert_eq!(on_another_device(&provider, "").await.unwrap(), 200);
}

async fn refused(server: Running) {
    let provider = Provider::of(&server.folder);
    let error = on_another_device(&provider, "&abort").await.unwrap_err();
    assert!(format!("{error:?}").contains("access_denied"), "{error:?}");
}

async fn step_up(server: Running) {
    let provider = Provider::of(&server.folder);
    let oauth = provider.oauth(Client::public("native"), AuthorizationCode::new(provider.browser())).prompting();
    let (client, session) = provider.client(oauth);
    let write = format!("{}/write", provider.resource);
    assert_eq!(status(&client, &provider.resource).await, 200);
    let error = client.get(&write).send().await.unwrap_err();
    let denied = Forbidden::find(&error).unwrap();
    assert_eq!(denied.required_scopes(), ["api:write"]);
    let credential = session.step_up(denied).await.unwrap();
    assert_eq!(credential.scopes().unwrap(), ["api:read", "api:write"]);
    let response = client.get(&write).send().await.unwrap();
    assert_eq!((response.status().as_u16(), AuthReport::of(&response).attempts()), (200, 1), "at once");
    let error = client.get(format!("{}/admin", provider.resource)).send().await.unwrap_err();
    let Err(Error::StepUp(error)) = session.step_up(Forbidden::find(&error).unwrap()).await else { panic!() };
    assert_eq!(error.kind(), StepUpKind::NotGranted, "the user does not have that scope");
}
