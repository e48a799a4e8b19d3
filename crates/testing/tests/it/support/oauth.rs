//! An API and an authorization server that answer as the test says, and a browser that follows each prompt.

use std::sync::{Arc, Mutex};

use reqwest_challenge::{BoxError, ChallengeMiddleware, Clock, RefreshError, Session, Unauthorized};
use reqwest_challenge_login::oauth::{AuthorizationCode, AuthorizationPrompt, Client, Issuer, OAuth, Registration};
use reqwest_challenge_testing::{Answer, MockApi, MockIdentityProvider, ReceivedRequest};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

pub(crate) fn client(origin: &str, oauth: OAuth) -> (ClientWithMiddleware, Session) {
    client_by(std::time::SystemTime::now, origin, oauth)
}

/// A client whose middleware uses that clock.
pub(crate) fn client_by(clock: impl Clock, origin: &str, oauth: OAuth) -> (ClientWithMiddleware, Session) {
    let auth = ChallengeMiddleware::builder(origin, oauth).clock(clock).build().unwrap();
    let session = auth.session();
    (ClientBuilder::new(reqwest::Client::new()).with(auth).build(), session)
}

/// An API whose `/api` takes the provider's tokens and whose metadata names the provider.
pub(crate) async fn protected(provider: &MockIdentityProvider) -> MockApi {
    let api = MockApi::trusting(provider).await.unwrap();
    let metadata = api.url("/.well-known/oauth-protected-resource/api");
    let challenge = format!("Bearer resource_metadata=\"{metadata}\", scope=\"api:read\"");
    api.at("/api").requires("api:read").challenges_with([&*challenge]);
    let document = serde_json::json!({ "resource": api.url("/api"), "authorization_servers": [provider.issuer()] });
    api.at("/.well-known/oauth-protected-resource").open().answers(Answer::json(document));
    api
}

/// Opens each page as a browser does, and follows its redirects.
pub(crate) fn browser() -> (impl Fn(&AuthorizationPrompt) -> Result<(), BoxError> + Send + Sync + 'static, Seen) {
    let seen = Seen::default();
    let shown = seen.clone();
    let show = move |prompt: &AuthorizationPrompt| {
        let url = prompt.complete_url().clone();
        shown.0.lock().unwrap().push(url.clone());
        tokio::spawn(async move { reqwest::get(url).await.unwrap().text().await.unwrap() });
        Ok(())
    };
    (show, seen)
}

/// The pages that the browser opened.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<reqwest::Url>>>);

impl Seen {
    pub(crate) fn param(&self, number: usize, name: &str) -> Option<String> {
        let pages = self.0.lock().unwrap();
        pages[number].query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
    }
}

/// The error of the refresh that made the call fail.
#[track_caller]
pub(crate) fn why(error: &reqwest_middleware::Error) -> RefreshError {
    let refused = Unauthorized::find(error).unwrap_or_else(|| panic!("{error:?}"));
    refused.refresh_error().unwrap_or_else(|| panic!("{error:?}")).clone()
}

/// A server with that response to a device authorization request, and with these answers to polls.
pub(crate) async fn device_server(
    device: serde_json::Value,
    poll: impl Fn(usize, &ReceivedRequest) -> Answer + Send + Sync + 'static,
) -> MockApi {
    let server = MockApi::start().await.unwrap();
    let mut answer = serde_json::json!({
        "device_code": "hunter2-device", "user_code": "ABCD-EFGH", "expires_in": 600,
        "verification_uri": server.url("/device"),
    });
    for (name, value) in device.as_object().unwrap() {
        answer[name] = value.clone();
    }
    server.at("/device_authorization").answers(Answer::json(answer));
    let polls = Mutex::new(0);
    server.at("/token").answers_with(move |arrived| {
        let mut polls = polls.lock().unwrap();
        *polls += 1;
        poll(*polls, arrived)
    });
    server
}

/// A client that logs in with a browser at the server that the API names, and registers there.
pub(crate) fn anybody() -> (OAuth, Seen) {
    let (show, seen) = browser();
    let client = Client::registered(Registration::named("a tool").with("software_id", "tool"));
    let oauth = OAuth::new(Issuer::from_challenge(), client, AuthorizationCode::new(show));
    (oauth.unwrap(), seen)
}
