//! The example `quickstart` explains what happens at a URL of the user.

use reqwest_challenge_testing::{Answer, MockApi, Protection};

#[allow(dead_code)]
#[allow(unexpected_cfgs, reason = "the example names a feature of its own package")]
#[path = "../../examples/quickstart/ask.rs"]
mod ask;

use ask::{Login, ask};

fn token() -> Login {
    Login::Token("hunter2".to_owned())
}

fn password() -> Login {
    Login::Password("alice".to_owned(), "hunter2".to_owned())
}

/// The report of a request that the server answered, and whether it was good.
async fn answered(url: &str, login: Login) -> (String, bool) {
    let answered = ask(url, login).await.map_err(|why| panic!("{why}")).unwrap();
    assert!(!answered.report.contains("hunter2"), "{}", answered.report);
    (answered.report, answered.is_good)
}

async fn unanswered(url: &str, login: Login) -> String {
    let why = ask(url, login).await.err().expect("no answer");
    assert!(why.starts_with("error: ") && !why.contains("hunter2"), "{why}");
    why
}

#[tokio::test]
async fn a_refused_token_is_explained_with_the_message_of_the_api() {
    let api = MockApi::start().await.unwrap();
    api.at("/reports").accepts(Protection::bearer());
    api.at("/admin").requires("admin");
    api.tokens().accept_with("hunter2", ["read"], None);
    let (report, good) = answered(&api.url("/reports"), token()).await;
    assert!(good && report.ends_with("outcome: 200 OK\n"), "{report}");
    let (report, good) = answered(&api.url("/admin"), token()).await;
    assert!(!good && report.contains("(needs scope admin)"), "{report}");
    api.tokens().expire_all();
    let (report, good) = answered(&api.url("/reports"), token()).await;
    assert!(!good && report.starts_with("1 challenge(s), 0 defect(s)\n  Bearer realm=\"mock\""), "{report}");
    assert!(report.contains(": the token expired (the server refused this token (from env:API_TOKEN)"), "{report}");
    assert!(report.ends_with("set API_TOKEN to another token, and run this again\n"), "{report}");
    let (report, _) = answered(&api.url("/reports"), Login::Nothing).await;
    assert!(report.contains("set API_TOKEN, or API_USER and API_PASSWORD"), "{report}");
    // If a server repeats the token, the example does not print it.
    api.at("/echo").answers(Answer::unauthorized(["Bearer error_description=\"unknown token hunter2\""]));
    answered(&api.url("/echo"), token()).await;
}

#[tokio::test]
async fn a_refused_password_and_one_that_is_not_sent_are_told_apart() {
    let api = MockApi::start().await.unwrap();
    api.at("/basic").accepts(Protection::basic("alice", "other"));
    api.at("/bearer").accepts(Protection::bearer());
    let (report, _) = answered(&api.url("/basic"), password()).await;
    assert!(report.contains("the server refused this password"), "{report}");
    let (report, _) = answered(&api.url("/bearer"), password()).await;
    assert!(report.contains("the password is not sent, because the server does not ask for one"), "{report}");
}

#[tokio::test]
async fn a_request_without_an_answer_is_explained() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (url, login, wanted) in [
        ("api.example.com/reports", Login::Nothing, "relative URL without a base"),
        ("localhost:8080/reports", Login::Nothing, "not an http or https URL"),
        ("https://127.0.0.1:1/", Login::Nothing, "cargo run --features reqwest/rustls --example quickstart"),
        (&format!("http://{closed}/?key=hunter2"), Login::Nothing, "cannot be reached\n  error sending request"),
        (&format!("http://{closed}/"), Login::Nothing, "onnection refused"),
        ("http://192.0.2.1/", token(), "readable on the way"),
        ("http://127.0.0.1:1/", Login::Token("hunter2\n".to_owned()), "a control character"),
    ] {
        let why = unanswered(url, login).await;
        assert!(why.contains(wanted), "{url}: {why}");
    }
}
