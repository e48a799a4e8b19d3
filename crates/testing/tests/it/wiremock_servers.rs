//! The responders and matchers for a `wiremock::MockServer`.

use reqwest_challenge_testing::wiremock::{challenges, insufficient_scope, judged, presents_nothing, protected};
use reqwest_challenge_testing::{Judgement, Tokens};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn get(server: &MockServer, at: &str, token: Option<&str>) -> (u16, Vec<String>) {
    let request = reqwest::Client::new().get(format!("{}{at}", server.uri()));
    let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
    let response = request.send().await.unwrap();
    let lines = response.headers().get_all("www-authenticate").iter();
    (response.status().as_u16(), lines.map(|line| line.to_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn a_wiremock_server_accepts_the_tokens_of_the_table() {
    let (server, tokens) = (MockServer::start().await, Tokens::new());
    tokens.accept_with("good", ["read"], None);
    let reports = protected(&tokens, Some("read"), ResponseTemplate::new(200));
    Mock::given(path("/reports")).respond_with(reports).mount(&server).await;
    let admin = protected(&tokens, Some("admin"), ResponseTemplate::new(200));
    Mock::given(path("/admin")).respond_with(admin).mount(&server).await;
    assert_eq!(get(&server, "/reports", Some("good")).await.0, 200);
    assert_eq!(get(&server, "/reports", None).await, (401, vec!["Bearer realm=\"mock\"".to_owned()]));
    let (status, lines) = get(&server, "/admin", Some("good")).await;
    assert!(status == 403 && lines[0].contains("scope=\"admin\""), "{lines:?}");
    tokens.expire_now("good");
    let (status, lines) = get(&server, "/reports", Some("good")).await;
    assert!(status == 401 && lines[0].contains("the token expired"), "{lines:?}");
}

#[tokio::test]
async fn requests_are_matched_by_their_credential() {
    let (server, tokens) = (MockServer::start().await, Tokens::new());
    tokens.accept("good");
    Mock::given(presents_nothing()).respond_with(challenges(["Basic realm=\"a\"", "Bearer"])).mount(&server).await;
    Mock::given(judged(&tokens, Judgement::Accepted)).respond_with(insufficient_scope("x")).mount(&server).await;
    assert_eq!(get(&server, "/", None).await.1.len(), 2);
    assert_eq!(get(&server, "/", Some("good")).await.0, 403);
    assert_eq!(get(&server, "/", Some("bad")).await.0, 404);
}
