//! The scheme signs requests, corrects its clock once, and can be stored.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest_challenge::reqwest::{Client, header::AUTHORIZATION};
use reqwest_challenge::{AuthReport, Authorize, ChallengeMiddleware, Credential, Error, Secret, UnauthorizedReason};
use reqwest_challenge_login::store::{from_saved, to_saved};
use reqwest_challenge_testing::{Answer, ManualClock, ReceivedRequest, Script};
use third_party::signature_scheme::SignatureScheme;

fn scheme() -> SignatureScheme {
    SignatureScheme::new("key-1", Secret::new("s3cret:with a colon")).unwrap()
}

fn seconds(time: SystemTime) -> i64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// A server that accepts only signatures with the time of the server's clock.
fn server(time: i64) -> Script {
    let key = scheme();
    Script::new(move |request: &ReceivedRequest, _before| {
        let url = request.url();
        let target = url.query().map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let expected = key.value(request.method().as_str(), &target, request.body(), time).unwrap();
        match request.credential() == Some(&expected) {
            true => Answer::ok("3 reports"),
            false => {
                Answer::unauthorized([format!("Signature realm=\"a\", error=\"skewed\", time=\"{time}\"").as_str()])
            }
        }
    })
}

fn middleware(clock: &ManualClock) -> ChallengeMiddleware {
    let credential = Credential::custom(scheme());
    ChallengeMiddleware::builder("https://api.example.com", credential).clock(clock.clone()).build().unwrap()
}

#[tokio::test]
async fn a_request_is_signed_with_the_time_of_the_session() {
    let clock = ManualClock::new();
    let server = server(seconds(clock.time()));
    let client = server.client(&middleware(&clock));
    let request = client.post("https://api.example.com/reports?page=2").body("new");
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert_eq!(server.sends(), 1);
}

#[tokio::test]
async fn a_clock_that_differs_is_corrected_with_a_second_send() {
    let clock = ManualClock::new();
    let server = server(seconds(clock.time_in(Duration::from_secs(3600))));
    let client = server.client(&middleware(&clock));
    let response = client.get("https://api.example.com/reports").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(AuthReport::of(&response).attempts(), 2);
    // The next request needs no second send.
    client.get("https://api.example.com/reports").send().await.unwrap();
    server.journal().assert_sends("/reports", 3);
}

#[tokio::test]
async fn a_server_that_always_refuses_the_time_gets_two_sends() {
    let clock = ManualClock::new();
    let refusal = format!("Signature error=\"skewed\", time=\"{}\"", seconds(clock.time()));
    let server = Script::always(Answer::unauthorized([refusal.as_str()]));
    let client = server.client(&middleware(&clock));
    let error = client.get("https://api.example.com/reports").send().await.unwrap_err();
    let Some(Error::Unauthorized(unauthorized)) = Error::find(&error) else { panic!("{error}") };
    assert_eq!(unauthorized.reason(), UnauthorizedReason::StillRejected);
    assert_eq!(server.sends(), 2);
}

#[tokio::test]
async fn a_server_whose_time_is_far_off_is_an_error_of_the_scheme() {
    let server = Script::always(Answer::unauthorized(["Signature error=\"skewed\", time=\"1\""]));
    let client = server.client(&middleware(&ManualClock::new()));
    let error = client.get("https://api.example.com/reports").send().await.unwrap_err();
    let Some(Error::Authorize(refused)) = Error::find(&error) else { panic!("{error}") };
    assert!(refused.was_sent());
    assert_eq!(server.sends(), 1);
}

#[tokio::test]
async fn the_header_is_sensitive() {
    let mut request = Client::new().get("https://api.example.com/reports").build().unwrap();
    scheme().authorize(&mut request, SystemTime::now()).await.unwrap();
    assert!(request.headers()[AUTHORIZATION].is_sensitive());
}

#[tokio::test]
async fn a_stored_credential_signs_alike() {
    let credential = Credential::custom(scheme());
    let text = to_saved(&credential).unwrap();
    assert!(from_saved(&text, |_scheme, _exported| None).is_none());
    let restored = from_saved(&text, SignatureScheme::restore).unwrap();
    assert_eq!(restored, credential);
    let mut headers = Vec::new();
    for credential in [credential, restored] {
        let mut request = Client::new().get("https://api.example.com/reports").build().unwrap();
        let signer: Arc<dyn Authorize> = credential.authorizer().unwrap().clone();
        signer.authorize(&mut request, SystemTime::UNIX_EPOCH).await.unwrap();
        headers.push(request.headers()[AUTHORIZATION].clone());
    }
    assert_eq!(headers[0], headers[1]);
}
