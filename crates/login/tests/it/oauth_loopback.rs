//! Only a server on this machine, or the caller, can make the client call another server on this machine.

use std::time::SystemTime;

use reqwest_challenge::{Clock, Credential, Refresh, RefreshContext, RefreshError};
use reqwest_challenge_login::oauth::{
    AuthorizationCode, Client, ClientCredentials, DeviceCode, Issuer, OAuth, Registration,
};
use reqwest_challenge_testing::{Answer, ManualClock, MockApi, until};
use serde_json::json;

use crate::support::oauth::{endpoint, line};

const PUBLIC: &str = "https://api.example.com/v1";

fn token() -> Answer {
    Answer::json(json!({ "access_token": "t", "token_type": "Bearer" }))
}

/// The outcome of a refresh after a 401 whose challenge names the metadata.
async fn refreshed(oauth: &OAuth, api: &str, metadata: &str) -> Result<Option<Credential>, RefreshError> {
    refreshed_by(SystemTime::now, oauth, api, metadata).await
}

/// The outcome of a refresh by a session with this clock, after a 401 whose challenge names the metadata.
async fn refreshed_by(
    clock: impl Clock,
    oauth: &OAuth,
    api: &str,
    metadata: &str,
) -> Result<Option<Credential>, RefreshError> {
    let challenge = format!("Bearer resource_metadata=\"{metadata}\"");
    let context = RefreshContext::builder(api).challenge(&challenge).clock(clock);
    oauth.refresh(context.build().unwrap()).await
}

fn service(server: &MockApi) -> OAuth {
    let issuer = Issuer::new(server.origin()).unwrap().token_endpoint(server.url("/token")).unwrap();
    OAuth::new(issuer, Client::secret_basic("c", "s"), ClientCredentials).unwrap()
}

#[tokio::test]
async fn a_public_api_cannot_make_the_client_call_this_machine_even_if_the_issuer_is_local() {
    let (server, other) = (endpoint(|_| token()).await, MockApi::start().await.unwrap());
    let hosts = |port: &str| {
        [format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}"), format!("http://[::1]:{port}")]
    };
    let port = |server: &MockApi| server.origin().rsplit(':').next().unwrap().to_owned();
    // The API must not choose a path on the issuer's origin either.
    for host in hosts(&port(&other)).into_iter().chain(hosts(&port(&server))) {
        let got = refreshed(&service(&server), PUBLIC, &format!("{host}/admin/restart?now=1")).await;
        assert!(got.is_ok_and(|got| got.is_some()), "{host}: the metadata are not needed");
    }
    assert_eq!(other.requests().len(), 0);
    assert!(server.requests().iter().all(|one| one.path() == "/token"), "{:?}", server.requests());
    // A user's login with an issuer that the API names is refused with a reason.
    let login = |issuer: Issuer| {
        let client = Client::registered(Registration::named("tool"));
        OAuth::new(issuer, client, AuthorizationCode::new(|_| Err("shown".into()))).unwrap().prompting()
    };
    for issuer in [Issuer::from_challenge(), Issuer::from_challenge().also("http://127.0.0.1:1").unwrap()] {
        let error = refreshed(&login(issuer), PUBLIC, &other.url("/admin")).await.unwrap_err();
        assert!(line(&error).contains("untrusted_url"), "{}", line(&error));
    }
    assert_eq!(other.requests().len(), 0);
}

#[tokio::test]
async fn a_public_api_cannot_choose_a_path_on_a_private_issuer() {
    let server = endpoint(|_| token()).await;
    for metadata in ["https://10.0.0.5/admin", "https://10.0.0.5:8443/admin"] {
        let issuer = Issuer::new("https://10.0.0.5").unwrap().token_endpoint(server.url("/token")).unwrap();
        let oauth = OAuth::new(issuer, Client::secret_basic("c", "s"), ClientCredentials).unwrap();
        // The clock does not move, so a metadata request would wait forever.
        let got = refreshed_by(ManualClock::new(), &oauth, PUBLIC, metadata).await;
        assert!(got.is_ok(), "{}", line(&got.unwrap_err()));
    }
}

#[tokio::test]
async fn a_local_endpoint_that_the_caller_sets_is_called_for_any_issuer() {
    let server = endpoint(|_| token()).await;
    let given = Issuer::new("https://auth.example.com").unwrap().token_endpoint(server.url("/token")).unwrap();
    let oauth = OAuth::new(given, Client::secret_basic("c", "s"), ClientCredentials).unwrap();
    assert!(oauth.refresh(RefreshContext::builder(PUBLIC).build().unwrap()).await.unwrap().is_some());
}

#[tokio::test]
async fn metadata_that_a_pinned_issuer_does_not_need_never_fail_the_grant() {
    let server = endpoint(|_| token()).await;
    let api = MockApi::start().await.unwrap();
    let unreachable = {
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/metadata", gone.local_addr().unwrap())
    };
    let mismatched = json!({ "resource": "https://another.example", "authorization_servers": [server.origin()] });
    for answer in [
        Answer::cut(),
        Answer::new(500),
        Answer::new(429),
        Answer::new(404),
        Answer::ok("<html>"),
        Answer::json("[1]"),
        Answer::json("{}"),
        Answer::json(mismatched),
        Answer::json(json!({ "resource": api.url("/v1") })),
        Answer::redirect("https://10.0.0.1/"),
        Answer::redirect("nonsense://"),
        Answer::ok("x").body_of_size(2 << 20),
    ] {
        api.at("/metadata").answers(answer.clone());
        let got = refreshed(&service(&server), &api.url("/v1"), &api.url("/metadata")).await;
        assert!(got.is_ok(), "{answer:?}: {}", line(&got.unwrap_err()));
    }
    for metadata in [&*unreachable, "nonsense", "https://user@api.example/", "ftp://127.0.0.1/", "https://10.0.0.1/"] {
        let got = refreshed(&service(&server), &api.url("/v1"), metadata).await;
        assert!(got.is_ok(), "{metadata}: {}", line(&got.unwrap_err()));
    }
    assert!(server.requests().iter().all(|one| one.form("resource").is_none()));
}

#[tokio::test]
async fn a_pinned_issuer_does_not_wait_for_metadata_that_never_arrive() {
    let server = endpoint(|_| token()).await;
    let api = MockApi::start().await.unwrap();
    api.at("/metadata").answers(Answer::ok("{").stall_body());
    let clock = ManualClock::new();
    let (oauth, moved) = (service(&server), clock.clone());
    let (base, metadata) = (api.url("/v1"), api.url("/metadata"));
    let waiting = tokio::spawn(async move { refreshed_by(moved, &oauth, &base, &metadata).await });
    until(|| clock.waiting() == 1 && api.requests_to("/metadata") == 1).await;
    clock.forward(std::time::Duration::from_secs(5));
    assert!(waiting.await.unwrap().unwrap().is_some());
}

#[tokio::test]
async fn a_local_issuer_that_the_caller_names_works_for_a_public_api() {
    let server = MockApi::start().await.unwrap();
    server.at("/.well-known/oauth-authorization-server").answers(Answer::json(json!({
        "issuer": server.origin(), "token_endpoint": server.url("/token"),
        "device_authorization_endpoint": server.url("/device"),
    })));
    server.at("/token").answers(token());
    server.at("/device").answers(Answer::json(json!({
        "device_code": "d", "user_code": "A", "verification_uri": server.url("/page"), "interval": 1, "expires_in": 60,
    })));
    let issuer = || Issuer::new(server.origin()).unwrap();
    let oauth = OAuth::new(issuer(), Client::secret_basic("c", "s"), ClientCredentials).unwrap();
    assert!(oauth.refresh(RefreshContext::builder(PUBLIC).build().unwrap()).await.unwrap().is_some());
    let device = OAuth::new(issuer(), Client::public("c"), DeviceCode::new(|_| Err("shown".into()))).unwrap();
    let error = device.prompting().refresh(RefreshContext::builder(PUBLIC).build().unwrap()).await.unwrap_err();
    assert!(line(&error).contains("shown"), "{}", line(&error));
}
