//! Each step of a login, done in a way of one's own.

use std::io;
use std::sync::{Arc, Mutex};

use reqwest_challenge::{BoxError, ChallengeMiddleware, RefreshErrorKind};
use reqwest_challenge_login::cli::{Environment, Login, LoginBuilder};
use reqwest_challenge_login::oauth::{AuthorizationPrompt, Client, Issuer, Way};
use reqwest_challenge_testing::{MockApi, MockIdentityProvider, Protection};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use crate::support::oauth::{protected, why};

/// Where there is a person with a browser.
fn desk() -> Environment {
    Environment::from_variables(true, |name| name == "DISPLAY")
}

fn client(origin: &str, login: LoginBuilder) -> ClientWithMiddleware {
    let login = login.environment(desk()).prompting().build().unwrap();
    let auth = ChallengeMiddleware::new(origin, login).unwrap();
    ClientBuilder::new(reqwest::Client::new()).with(auth).build()
}

/// What was asked, and whether the answer was hidden.
type Asked = Arc<Mutex<Vec<(String, bool)>>>;

fn answers(
    asked: &Asked,
    secret: &'static str,
) -> impl Fn(&str, bool) -> io::Result<String> + Send + Sync + 'static + use<> {
    let asked = asked.clone();
    move |question, hidden| {
        asked.lock().unwrap().push((question.to_owned(), hidden));
        Ok(if hidden { secret.to_owned() } else { "alice".to_owned() })
    }
}

fn nowhere() -> Issuer {
    Issuer::new("http://127.0.0.1:1").unwrap()
}

#[tokio::test]
async fn where_the_api_takes_a_password_alone_one_is_asked_for() {
    let (api, asked) = (MockApi::start().await.unwrap(), Asked::default());
    api.at("/").accepts(Protection::basic("alice", "hunter2"));
    let login = Login::oauth(nowhere(), Client::public("tool")).or_password(None).prompt(answers(&asked, "hunter2"));
    assert_eq!(client(&api.origin(), login).get(api.origin()).send().await.unwrap().status(), 200);
    let questions = [("User name for 127.0.0.1", false), ("Password of alice for 127.0.0.1", true)];
    assert_eq!(*asked.lock().unwrap(), questions.map(|(question, hidden)| (question.to_owned(), hidden)));
    // A bearer token is the issuer's business, also where a password would do.
    api.at("/").challenges_with(["Basic realm=\"a\"", "Bearer realm=\"a\""]);
    let login = Login::oauth(nowhere(), Client::public("tool")).or_password(None).prompt(answers(&asked, "hunter2"));
    let error = client(&api.origin(), login).get(api.origin()).send().await.unwrap_err();
    assert!(matches!(why(&error).kind(), RefreshErrorKind::Transient { .. }), "{error:?}");
    assert_eq!(asked.lock().unwrap().len(), 2, "nobody was asked again");
}

#[tokio::test]
async fn a_question_escapes_control_characters_in_names() {
    let (api, asked) = (MockApi::start().await.unwrap(), Asked::default());
    api.at("/x").accepts(Protection::basic("alice", "hunter2"));
    let login = Login::password(Some("al\u{202e}i\u{3164}ce")).prompt(answers(&asked, "hunter2"));
    client(&api.origin(), login).get(api.url("/x")).send().await.unwrap_err();
    assert_eq!(asked.lock().unwrap()[0].0, "Password of al\\u{202e}i\\u{3164}ce for 127.0.0.1");
}

#[tokio::test]
async fn a_prompt_of_ones_own_gives_a_token_and_may_fail() {
    let (api, asked) = (MockApi::start().await.unwrap(), Asked::default());
    api.at("/").requires("read");
    api.tokens().accept("hunter2-token");
    let login =
        Login::token("https://example.com/tokens").output(io::sink()).prompt(answers(&asked, " hunter2-token\n"));
    assert_eq!(client(&api.origin(), login).get(api.origin()).send().await.unwrap().status(), 200);
    assert_eq!(*asked.lock().unwrap(), [("Token for 127.0.0.1".to_owned(), true)]);
    let closed = |_: &str, _: bool| Err(io::Error::other("the window was closed"));
    let login = Login::token("https://example.com/tokens").output(io::sink()).prompt(closed);
    let error = client(&api.origin(), login).get(api.origin()).send().await.unwrap_err();
    let required = why(&error);
    assert!(matches!(required.kind(), RefreshErrorKind::LoginRequired { .. }), "{required:?}");
    assert!(format!("{required:?}").contains("the window was closed"), "{required:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_and_a_code_are_shown_in_a_way_of_ones_own() {
    for way in [Way::Browser, Way::Device] {
        let provider = Arc::new(MockIdentityProvider::start().await.unwrap());
        provider.set_device_interval(std::time::Duration::from_secs(1));
        let api = protected(&provider).await;
        let (shown, decides) = (Arc::new(Mutex::new(0)), provider.clone());
        let count = shown.clone();
        let show = move |invitation: &AuthorizationPrompt| -> Result<(), BoxError> {
            *count.lock().unwrap() += 1;
            match invitation.user_code() {
                Some(code) => assert!(decides.decide_login(code, true)),
                None => drop(tokio::spawn(reqwest::get(invitation.url().clone()))),
            }
            Ok(())
        };
        let login = Login::oauth(Issuer::new(provider.issuer()).unwrap(), Client::public("tool"));
        let login = login.way(way).show(show).browser(|_| panic!("a browser opens")).output(Untouched);
        let client = client(&api.origin(), login.configure_oauth(|oauth| oauth.scopes(["api:read"])));
        assert_eq!(client.get(api.url("/api")).send().await.unwrap().status(), 200, "{way:?}");
        assert_eq!(*shown.lock().unwrap(), 1);
    }
}

/// A screen that nobody may write on.
struct Untouched;

impl io::Write for Untouched {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        panic!("{}", String::from_utf8_lossy(octets));
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
