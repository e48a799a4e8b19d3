//! The main cases end to end, against a mock API over real sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest_challenge::{
    BoxError, ChallengeMiddleware, Credential, Error, Forbidden, RefreshContext, RefreshError, Unauthorized,
    UnauthorizedReason,
};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokio::sync::{Barrier, Semaphore};
use wiremock::matchers::{any, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const CHALLENGE: &str = r#"Bearer realm="api", error="invalid_token""#;

fn challenged() -> ResponseTemplate {
    ResponseTemplate::new(401).insert_header("www-authenticate", CHALLENGE).set_body_string("who are you?")
}

/// An API that accepts only the token `t1`.
async fn api() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(header("authorization", "Bearer t1"))
        .respond_with(ResponseTemplate::new(200))
        .with_priority(2)
        .mount(&server)
        .await;
    Mock::given(any()).respond_with(challenged()).with_priority(9).mount(&server).await;
    server
}

/// Counts its calls and returns `t1`, `t2`, ….
#[derive(Clone, Default)]
struct Counter(Arc<AtomicUsize>);

impl Counter {
    fn calls(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn refresher(
        &self,
    ) -> impl Fn(RefreshContext) -> std::future::Ready<Result<Credential, BoxError>> + Send + Sync + 'static {
        let calls = self.0.clone();
        move |_| {
            let number = calls.fetch_add(1, Ordering::SeqCst) + 1;
            std::future::ready(Ok(Credential::bearer(format!("t{number}"))))
        }
    }
}

fn client(auth: ChallengeMiddleware) -> ClientWithMiddleware {
    ClientBuilder::new(reqwest::Client::new()).with(auth).build()
}

async fn sends(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

#[tokio::test]
async fn a_401_without_a_credential_is_refreshed_and_sent_once_more() {
    let (server, refreshes) = (api().await, Counter::default());
    let auth = ChallengeMiddleware::new(server.uri(), refreshes.refresher()).unwrap();
    let response = client(auth).post(server.uri()).body("hello").header("x-mine", "kept").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let requests = server.received_requests().await.unwrap();
    assert_eq!((requests.len(), refreshes.calls()), (2, 1));
    assert_eq!(requests[0].headers.get("authorization"), None);
    assert_eq!(requests[1].headers.get_all("authorization").iter().collect::<Vec<_>>(), ["Bearer t1"]);
    assert!(requests.iter().all(|request| request.body == b"hello" && request.headers["x-mine"] == "kept"));
}

#[tokio::test]
async fn a_second_401_is_an_error_after_two_sends() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(challenged()).mount(&server).await;
    let refreshes = Counter::default();
    let auth = ChallengeMiddleware::new(server.uri(), refreshes.refresher()).unwrap();
    let error = client(auth).get(server.uri()).send().await.unwrap_err();
    let refused = Unauthorized::find(&error).unwrap();
    assert_eq!(refused.reason(), UnauthorizedReason::StillRejected);
    assert_eq!(refused.challenges().get("bearer").unwrap().realm().as_deref(), Some("api"));
    // There is no hint of a 403, because nothing shows that the token is valid.
    assert_eq!(refused.hint(), None);
    assert!(refused.to_string().ends_with("(the server refused this token)"), "{refused}");
    assert_eq!((sends(&server).await, refreshes.calls(), refused.report().attempts()), (2, 1, 2));
}

#[tokio::test]
async fn a_403_is_an_error_that_names_the_missing_scopes_and_is_sent_once() {
    let server = MockServer::start().await;
    let forbidden = ResponseTemplate::new(403)
        .insert_header("www-authenticate", r#"Bearer error="insufficient_scope", scope="reports:write admin""#)
        .insert_header("retry-after", "7")
        .set_body_json(
            serde_json::json!({ "message": "reports are for admins", "documentation_url": "https://docs.example" }),
        );
    Mock::given(any()).respond_with(forbidden).mount(&server).await;
    let refreshes = Counter::default();
    let auth = ChallengeMiddleware::new(server.uri(), refreshes.refresher()).unwrap();
    let error = client(auth).get(format!("{}/reports?token=hunter2", server.uri())).send().await.unwrap_err();
    let denied = Forbidden::find(&error).unwrap();
    assert_eq!(denied.required_scopes(), ["reports:write", "admin"]);
    assert_eq!(denied.error_code().as_deref(), Some("insufficient_scope"));
    assert_eq!(denied.message().as_deref(), Some("reports are for admins"));
    assert_eq!((denied.help_url(), denied.retry_after()), (Some("https://docs.example"), Some(Duration::from_secs(7))));
    assert!(!denied.is_authenticated() && denied.is_body_whole());
    let line = error.to_string();
    assert_eq!(
        line,
        format!(
            "403 to GET {}/reports: reports are for admins (needs scope reports:write admin; no credential was sent)",
            server.uri()
        )
    );
    assert_eq!((sends(&server).await, refreshes.calls()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_concurrent_401s_start_one_refresh() {
    let server = api().await;
    let refreshes = Arc::new(AtomicUsize::new(0));
    let gate = Arc::new(Semaphore::new(0));
    let refresher = {
        let (refreshes, gate) = (refreshes.clone(), gate.clone());
        move |_: RefreshContext| {
            let (number, gate) = (refreshes.fetch_add(1, Ordering::SeqCst) + 1, gate.clone());
            async move {
                let _open = gate.acquire().await;
                Ok::<_, BoxError>(Credential::bearer(format!("t{number}")))
            }
        }
    };
    let client = client(ChallengeMiddleware::new(server.uri(), refresher).unwrap());
    let barrier = Arc::new(Barrier::new(100));
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let (client, url, barrier) = (client.clone(), server.uri(), barrier.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                client.get(url).send().await.map(|response| response.status().as_u16())
            })
        })
        .collect();
    // The refresh ends only after all requests have been refused.
    while sends(&server).await < 100 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(1);
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), 200);
    }
    assert_eq!((refreshes.load(Ordering::SeqCst), sends(&server).await), (1, 200));
}

#[tokio::test]
async fn a_401_of_another_server_after_a_redirect_starts_no_refresh() {
    let (server, other) = (MockServer::start().await, MockServer::start().await);
    let away = ResponseTemplate::new(307).insert_header("location", format!("{}/", other.uri()));
    Mock::given(any()).respond_with(away).mount(&server).await;
    Mock::given(any()).respond_with(challenged()).mount(&other).await;
    let refreshes = Counter::default();
    let auth = ChallengeMiddleware::builder(server.uri(), refreshes.refresher())
        .initial_credential(Credential::bearer("t0"))
        .build()
        .unwrap();
    let error = client(auth).get(server.uri()).send().await.unwrap_err();
    let refused = Unauthorized::find(&error).unwrap();
    assert_eq!((refused.reason(), refused.is_foreign()), (UnauthorizedReason::ForeignOrigin, true));
    assert_eq!(refreshes.calls(), 0);
    let arrived = other.received_requests().await.unwrap();
    assert_eq!((arrived.len(), arrived[0].headers.get("authorization")), (1, None));
}

#[tokio::test]
async fn a_request_outside_the_origins_and_its_response_are_unchanged() {
    let (server, other) = (api().await, MockServer::start().await);
    Mock::given(any()).respond_with(challenged()).mount(&other).await;
    let refreshes = Counter::default();
    let auth = ChallengeMiddleware::builder(server.uri(), refreshes.refresher())
        .initial_credential(Credential::bearer("t1"))
        .build()
        .unwrap();
    let response = client(auth).get(other.uri()).send().await.unwrap();
    assert_eq!((response.status().as_u16(), refreshes.calls()), (401, 0));
    assert_eq!(other.received_requests().await.unwrap()[0].headers.get("authorization"), None);
}

#[tokio::test]
async fn a_header_credential_is_sent_with_the_first_request() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/"))
        .and(header("x-api-key", "k"))
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    let key = Credential::header("x-api-key".parse().unwrap(), "k");
    let client = client(ChallengeMiddleware::new(server.uri(), key).unwrap());
    assert_eq!(client.get(server.uri()).send().await.unwrap().status(), 204);
    assert_eq!(sends(&server).await, 1);
}

#[tokio::test]
async fn a_failed_refresh_is_the_source_of_an_unauthorized_with_the_body_of_the_401() {
    let server = api().await;
    let refresher = |_| async { Err::<Credential, _>(RefreshError::credential_revoked("invalid_grant")) };
    let error =
        client(ChallengeMiddleware::new(server.uri(), refresher).unwrap()).get(server.uri()).send().await.unwrap_err();
    let refused = Unauthorized::find(&error).unwrap();
    assert_eq!(refused.reason(), UnauthorizedReason::RefreshFailed);
    assert_eq!(refused.refresh_error(), Some(&RefreshError::credential_revoked("invalid_grant")));
    assert_eq!(refused.body().as_ref(), b"who are you?");
    assert_eq!(sends(&server).await, 1);
}

#[tokio::test]
async fn the_body_of_a_long_401_is_truncated() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(challenged().set_body_bytes(vec![b'x'; 10 << 20])).mount(&server).await;
    let client = client(ChallengeMiddleware::new(server.uri(), Counter::default().refresher()).unwrap());
    let error = client.get(server.uri()).send().await.unwrap_err();
    let refused = Unauthorized::find(&error).unwrap();
    assert_eq!((refused.body().len(), refused.is_body_whole()), (64 << 10, false));
}

#[tokio::test]
async fn a_credential_of_the_caller_is_not_replaced() {
    let (server, refreshes) = (api().await, Counter::default());
    let client = client(ChallengeMiddleware::new(server.uri(), refreshes.refresher()).unwrap());
    let error = client.get(server.uri()).bearer_auth("mine").send().await.unwrap_err();
    assert_eq!(Unauthorized::find(&error).unwrap().reason(), UnauthorizedReason::CallerCredential);
    assert_eq!((sends(&server).await, refreshes.calls()), (1, 0));
}

#[test]
fn a_plaintext_origin_that_is_not_loopback_is_an_error() {
    let key = || Credential::bearer("t");
    let error = ChallengeMiddleware::new("http://api.example.com", key()).unwrap_err();
    assert!(error.to_string().contains("write https"), "{error}");
    assert!(ChallengeMiddleware::builder("http://api.example.com", key()).dangerous_allow_plaintext().build().is_ok());
    for host in ["127.0.0.1", "[::1]", "localhost", "localhost.", "api.localhost", "api.localhost."] {
        assert!(ChallengeMiddleware::new(format!("http://{host}:1"), key()).is_ok(), "{host}");
    }
    for host in ["localhost.example.com", "apilocalhost", "0.0.0.0"] {
        assert!(ChallengeMiddleware::new(format!("http://{host}:1"), key()).is_err(), "{host}");
    }
}

#[tokio::test]
async fn plain_http_to_a_listed_https_host_is_an_error_before_the_send() {
    let client = client(ChallengeMiddleware::new("https://localhost", Credential::bearer("t")).unwrap());
    let error = client.get("http://localhost:1/").send().await.unwrap_err();
    assert!(matches!(Error::find(&error), Some(Error::Insecure(_))), "{error:?}");
}

#[tokio::test]
async fn a_token_with_an_invalid_character_is_an_error_that_does_not_show_it() {
    let server = api().await;
    let refresher = |_| async { Ok::<_, BoxError>(Credential::bearer("hunter2\n")) };
    let error =
        client(ChallengeMiddleware::new(server.uri(), refresher).unwrap()).get(server.uri()).send().await.unwrap_err();
    let chain = [format!("{error:?} {error}"), format!("{:#}", anyhow::Error::from(error))].concat();
    assert!(chain.contains("(byte 7)") && !chain.contains("hunter2"), "{chain}");
}
