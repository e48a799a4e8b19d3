//! An API, an authorization server, and a browser that follows its redirects.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use reqwest_challenge::{BoxError, ChallengeMiddleware, Clock, RefreshError, Session, Unauthorized};
use reqwest_challenge_login::oauth::{AuthorizationCode, AuthorizationPrompt, Client, Issuer, OAuth, Registration};
use reqwest_challenge_testing::{Answer, MockApi, MockIdentityProvider, ReceivedRequest};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

pub(crate) fn client(origin: &str, oauth: OAuth) -> (ClientWithMiddleware, Session) {
    with_session(ChallengeMiddleware::new(origin, oauth).unwrap())
}

/// A client whose session has this clock.
pub(crate) fn client_by(clock: impl Clock, origin: &str, oauth: OAuth) -> (ClientWithMiddleware, Session) {
    with_session(ChallengeMiddleware::builder(origin, oauth).clock(clock).build().unwrap())
}

fn with_session(auth: ChallengeMiddleware) -> (ClientWithMiddleware, Session) {
    let session = auth.session();
    (ClientBuilder::new(reqwest::Client::new()).with(auth).build(), session)
}

/// An API whose `/api` accepts the provider's tokens and names the provider in its metadata.
pub(crate) async fn protected(provider: &MockIdentityProvider) -> MockApi {
    let api = MockApi::trusting(provider).await.unwrap();
    let metadata = api.url("/.well-known/oauth-protected-resource/api");
    let challenge = format!("Bearer resource_metadata=\"{metadata}\", scope=\"api:read\"");
    api.at("/api").requires("api:read").challenges_with([&*challenge]);
    names(&api, &api.url("/api"), &provider.issuer());
    api
}

/// Sets the resource and the issuer that the API's metadata name.
pub(crate) fn names(api: &MockApi, resource: &str, issuer: &str) {
    let document = serde_json::json!({ "resource": resource, "authorization_servers": [issuer] });
    api.at("/.well-known/oauth-protected-resource").open().answers(Answer::json(document));
}

/// A server with a token endpoint at `/token`.
pub(crate) async fn endpoint(answer: impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static) -> MockApi {
    let server = MockApi::start_with("auth", Default::default(), &Default::default()).await.unwrap();
    server.at("/token").answers_with(answer);
    server
}

/// A browser: opens the page and follows its redirects.
pub(crate) fn browser() -> (impl Fn(&AuthorizationPrompt) -> Result<(), BoxError> + Send + Sync + 'static, Seen) {
    let seen = Seen::default();
    let shown = seen.clone();
    let show = move |prompt: &AuthorizationPrompt| {
        let url = prompt.complete_url().clone();
        shown.0.lock().unwrap().push(url.clone());
        // The plain client follows redirects.
        tokio::spawn(async move { reqwest::get(url).await.unwrap().text().await.unwrap() });
        Ok(())
    };
    (show, seen)
}

/// The pages that the user saw.
#[derive(Clone, Default)]
pub(crate) struct Seen(pub(crate) Arc<Mutex<Vec<reqwest::Url>>>);

impl Seen {
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(crate) fn param(&self, number: usize, name: &str) -> Option<String> {
        let pages = self.0.lock().unwrap();
        pages[number].query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
    }
}

/// The error of the refresh behind a 401.
#[track_caller]
pub(crate) fn why(error: &reqwest_middleware::Error) -> RefreshError {
    let refused = Unauthorized::find(error).unwrap_or_else(|| panic!("{error:?}"));
    refused.refresh_error().unwrap_or_else(|| panic!("{error:?}")).clone()
}

/// An error and its causes in one line.
pub(crate) fn line(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        line += &format!(": {cause}");
        next = cause.source();
    }
    line
}

/// A server and its issuer. `device` changes the device authorization, in which `HERE` stands for the origin; `poll` answers the polls.
pub(crate) async fn device_server(
    device: serde_json::Value,
    poll: impl Fn(usize, &ReceivedRequest) -> Answer + Send + Sync + 'static,
) -> (MockApi, Issuer) {
    let server = MockApi::start().await.unwrap();
    let mut answer = serde_json::json!({
        "device_code": "hunter2-device", "user_code": "ABCD-EFGH", "expires_in": 600,
        "verification_uri": server.url("/device"),
    });
    for (name, value) in device.as_object().unwrap() {
        answer[name] = value.as_str().map_or(value.clone(), |text| text.replace("HERE", &server.origin()).into());
    }
    server.at("/device_authorization").answers(Answer::json(answer));
    let polls = Mutex::new(0);
    server.at("/token").answers_with(move |arrived| {
        let mut polls = polls.lock().unwrap();
        *polls += 1;
        poll(*polls, arrived)
    });
    let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    let issuer = issuer.device_authorization_endpoint(server.url("/device_authorization")).unwrap();
    (server, issuer)
}

/// A refresher that takes its issuer from the API, registers there and logs in with a browser.
pub(crate) fn registering() -> (OAuth, Seen) {
    let (show, seen) = browser();
    let client = Client::registered(Registration::named("a tool").with("software_id", "tool"));
    let oauth = OAuth::new(Issuer::from_challenge(), client, AuthorizationCode::new(show));
    (oauth.unwrap(), seen)
}

/// Redirects the browser to the client with a query, in which `STATE` stands for the state.
pub(crate) fn back(asked: &ReceivedRequest, with: &str) -> Answer {
    let query: HashMap<_, _> = asked.url().query_pairs().into_owned().collect();
    let with = with.replace("STATE", &query["state"]);
    Answer::redirect(format!("{}?{with}&state={}", query["redirect_uri"], query["state"]))
}
