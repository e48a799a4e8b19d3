//! The example `quickstart` explains what happens at a URL of the user.

use reqwest_challenge_testing::{Answer, MockApi, Protection};

#[allow(dead_code)]
#[allow(unexpected_cfgs, reason = "the example names a feature of its package")]
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
async fn a_refusal_of_another_server_names_the_url_to_request() {
    let api = MockApi::start().await.unwrap();
    let other = api.another("other").await.unwrap();
    other.at("/secret").accepts(Protection::bearer());
    other.at("/admin").answers(Answer::new(403));
    for path in ["/secret", "/admin"] {
        api.at("/moved").redirects_to(other.url(path));
        for login in [Login::Nothing, token(), password()] {
            let (report, good) = answered(&api.url("/moved"), login).await;
            let wanted = format!("request that URL itself: {}\n", other.url(path));
            assert!(!good && report.ends_with(&wanted), "{report}");
        }
    }
}

#[tokio::test]
async fn a_401_that_asks_for_another_credential_names_its_variables() {
    let api = MockApi::start().await.unwrap();
    api.at("/basic").accepts(Protection::basic("alice", "other"));
    api.at("/both").answers(Answer::unauthorized(["Basic realm=\"a\"", "Bearer"]));
    api.at("/silent").answers(Answer::new(401));
    for (path, login, wanted) in [
        ("/basic", token(), "the server asks for Basic: set API_USER and API_PASSWORD, and unset API_TOKEN\n"),
        ("/basic", Login::Nothing, "the server asks for Basic: set API_USER and API_PASSWORD, and run this again\n"),
        ("/both", token(), "\nset API_TOKEN to another token, and run this again\n"),
        (
            "/silent",
            token(),
            "(RFC 9110 §15.5.2): set API_TOKEN to another token, or read the documentation of the API\n",
        ),
        (
            "/silent",
            password(),
            "the server does not say how to log in (RFC 9110 §15.5.2), so the password is not sent\n",
        ),
        (
            "/silent",
            Login::Nothing,
            "the server does not say how to log in (RFC 9110 §15.5.2): read the documentation of the API\n",
        ),
    ] {
        let (report, good) = answered(&api.url(path), login).await;
        assert!(!good && report.ends_with(wanted), "{path}: {report}");
    }
}

#[tokio::test]
async fn a_403_has_a_remedy() {
    let api = MockApi::start().await.unwrap();
    api.at("/admin").answers(Answer::new(403));
    api.at("/report").accepts(Protection::basic("alice", "hunter2")).answers(Answer::new(403));
    for (path, login, wanted) in [
        (
            "/admin",
            Login::Nothing,
            "no credential was sent: set API_TOKEN, or API_USER and API_PASSWORD, and run this again\n",
        ),
        ("/admin", token(), "if the server reports an expired token by 403, see `Builder::expired_when`\n"),
        ("/admin", password(), "if the API accepts a token, set API_TOKEN\n"),
        ("/report", password(), "ask the operator of the API to give this user the permission\n"),
    ] {
        let (report, good) = answered(&api.url(path), login).await;
        assert!(!good && report.ends_with(wanted), "{path}: {report}");
    }
}

#[test]
fn half_of_a_password_login_names_the_missing_variable() {
    let login = |set: &[&str]| {
        Login::from_variables(|name| set.contains(&name).then(|| "hunter2".to_owned()).or(Some(String::new())))
    };
    assert!(matches!(login(&[]), Ok(Login::Nothing)));
    assert!(matches!(login(&["API_TOKEN", "API_USER"]), Ok(Login::Token(_))));
    assert!(matches!(login(&["API_USER", "API_PASSWORD"]), Ok(Login::Password(..))));
    let missing = |set| login(set).err().unwrap();
    assert_eq!(missing(&["API_USER"]), "error: API_USER is set, but API_PASSWORD is not: set API_PASSWORD too\n");
    assert_eq!(missing(&["API_PASSWORD"]), "error: API_PASSWORD is set, but API_USER is not: set API_USER too\n");
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
