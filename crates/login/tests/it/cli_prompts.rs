//! Prompts on a terminal. A child process of this binary runs on a pseudo-terminal.
#![cfg(target_os = "linux")]

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use reqwest_challenge::{ChallengeMiddleware, Refresh};
use reqwest_challenge_login::cli::Login;
use reqwest_challenge_login::oauth::{Client, Issuer};
use reqwest_challenge_login::store::{FileStore, Stored};
use reqwest_challenge_testing::{Answer, Gate, MockApi, Protection};
use reqwest_middleware::ClientBuilder;

use crate::support::folder::{Folder, key};
use crate::support::terminal::{Left, Terminal};

pub(crate) const KIND: &str = "REQWEST_CHALLENGE_PROMPT";

/// Logs in with a prompt, and prints the outcome on standard output.
#[test]
#[ignore = "another test runs it in a child process"]
fn child_that_prompts() {
    let Ok(kind) = std::env::var(KIND) else { return };
    let api = std::env::var("API").unwrap();
    let login = match &*kind {
        "token" => Login::token("https://example.com/tokens"),
        "password" => Login::password(None),
        "oauth" => {
            Login::oauth(Issuer::new(&api).unwrap(), Client::public("tool")).or_token("https://example.com/tokens")
        }
        _ => Login::password(Some("alice")),
    };
    let detected = reqwest_challenge_login::cli::Environment::detect();
    // Only the terminal counts. The variables of the test run, such as `CI`, are ignored.
    let environment = reqwest_challenge_login::cli::Environment::from_variables(detected.is_terminal(), |_| false);
    let login = login.command("tool login").prompting().environment(environment).build().unwrap();
    let refresher: Box<dyn Refresh> = match std::env::var_os("FILE") {
        Some(file) => {
            // A process that waits for the login of another process prints a line, and waits for an hour.
            let stored = Stored::new(login, FileStore::new(file), key()).lock_timeout(Duration::from_secs(3600));
            Box::new(stored.on_waiting(|| println!("waits for another process")))
        }
        None => Box::new(login),
    };
    let auth = ChallengeMiddleware::new(&api, refresher).unwrap();
    let session = auth.session();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let said = runtime.block_on(async {
        let answer = tokio::select! {
            answer = client.get(&api).send() => answer,
            _ = tokio::signal::ctrl_c() => {
                return format!("interrupted, settled: {}", session.wait_until_saved(Duration::from_secs(5)).await);
            }
        };
        answer.map_or_else(|error| format!("{error:#}"), |answer| answer.status().to_string())
    });
    println!("answer: {said}\nthe prompter has ended");
    runtime.shutdown_background();
}

/// The state of the terminal after the child has ended. The user has typed the keys at each of the prompts.
fn typed(kind: &str, api: &str, steps: &[(&str, &str)]) -> Left {
    let exe = std::env::current_exe().unwrap();
    let args = ["cli_prompts::child_that_prompts", "--exact", "--ignored", "--nocapture", "--test-threads=1"];
    let mut terminal = Terminal::run(exe.to_str().unwrap(), &args, &[(KIND, kind), ("API", api)]);
    for (question, keys) in steps {
        terminal.is_asked(question, !question.starts_with("User name"));
        terminal.types(keys);
    }
    terminal.end()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_for_a_secret_names_the_host_and_hides_the_input() {
    let api = MockApi::start().await.unwrap();
    api.at("/").requires("read");
    api.tokens().accept("hunter2-token");
    // An authorization server without an authorization page and without device codes.
    let metadata = serde_json::json!({ "issuer": api.origin(), "token_endpoint": api.url("/token") });
    api.at("/.well-known/oauth-authorization-server").open().answers(Answer::json(metadata));
    let token = [("Token for 127.0.0.1", "hunter2-token\n")];
    let left = typed("oauth", &api.origin(), &token);
    assert!(left.shown.contains("answer: 200 OK") && !left.shown.contains("hunter2"), "{}", left.shown);
    let left = typed("token", &api.origin(), &token);
    assert!(left.shown.contains("answer: 200 OK") && !left.shown.contains("hunter2"), "{}", left.shown);
    assert!(left.shown.contains("https://example.com/tokens"), "{}", left.shown);
    let api = MockApi::start().await.unwrap();
    api.at("/").accepts(Protection::basic("alice", "hunter2 pass"));
    let password = ("Password of alice for 127.0.0.1", "hunter2 pass\n");
    let left = typed("alice", &api.origin(), &[password]);
    assert!(left.shown.contains("answer: 200 OK") && !left.shown.contains("hunter2"), "{}", left.shown);
    let left = typed("password", &api.origin(), &[("User name for 127.0.0.1", "alice\n"), password]);
    assert!(left.shown.contains("answer: 200 OK") && !left.shown.contains("hunter2"), "{}", left.shown);
    let left = typed("alice", &api.origin(), &[(password.0, "wrong\n")]);
    assert!(left.shown.contains("answer: 401") && left.echo, "{}", left.shown);
    // The terminal turns Ctrl-C into a signal: the prompt is abandoned, and the terminal is restored.
    let left = typed("alice", &api.origin(), &[(password.0, "\u{3}")]);
    assert!(left.shown.contains("answer: interrupted, settled: true") && left.echo, "{}", left.shown);
}

/// Prompts for two tokens of two APIs at the same time.
#[test]
#[ignore = "another test runs it in a child process"]
fn child_with_two_prompts() {
    if std::env::var(KIND).as_deref() != Ok("two") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let get = async |api: String| {
        let environment = reqwest_challenge_login::cli::Environment::from_variables(true, |_| false);
        let login = Login::token("https://example.com/tokens").prompting().environment(environment).build().unwrap();
        let auth = ChallengeMiddleware::new(&api, login).unwrap();
        let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
        client.get(&api).send().await.map_or_else(|error| format!("{error:#}"), |answer| answer.status().to_string())
    };
    let apis = ["API", "OTHER"].map(|name| std::env::var(name).unwrap());
    let [one, other] = apis.map(get);
    let (one, other) = runtime.block_on(async { tokio::join!(one, other) });
    println!("answers: {one} and {other}");
    runtime.shutdown_background();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_concurrent_prompts_get_their_own_answers_and_hide_both() {
    let [one, other] = [MockApi::start().await.unwrap(), MockApi::start().await.unwrap()];
    for (api, token) in [(&one, "hunter2-one"), (&other, "hunter2-other")] {
        api.at("/").requires("read");
        api.tokens().accept(token);
    }
    let other = other.origin().replace("127.0.0.1", "localhost");
    let exe = std::env::current_exe().unwrap();
    let args = ["cli_prompts::child_with_two_prompts", "--exact", "--ignored", "--nocapture", "--test-threads=1"];
    let facts = [(KIND, "two"), ("API", &*one.origin()), ("OTHER", &*other)];
    let mut terminal = Terminal::run(exe.to_str().unwrap(), &args, &facts);
    terminal.answer_each(vec![("Token for 127.0.0.1:", "hunter2-one\n"), ("Token for localhost:", "hunter2-other\n")]);
    let left = terminal.end();
    assert!(left.shown.contains("answers: 200 OK and 200 OK"), "{}", left.shown);
    assert!(left.echo && !left.shown.contains("hunter2"), "{}", left.shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_can_be_longer_than_a_terminal_line_and_can_be_corrected() {
    let api = MockApi::start().await.unwrap();
    api.at("/").requires("read");
    let long = "hunter2-".repeat(2000);
    for token in ["hunter2-token", &long] {
        api.tokens().accept(token);
    }
    // Ctrl-U deletes the line, and the delete key deletes a character of two octets.
    let corrected = "wrong\u{15}hunter2-é\u{7f}token\n";
    for keys in [&format!("{long}\n"), corrected, &format!("\n{corrected}")] {
        let left = typed("token", &api.origin(), &[("Token for 127.0.0.1", keys)]);
        assert!(
            left.shown.contains("answer: 200 OK") && left.echo && !left.shown.contains("hunter2"),
            "{}",
            left.shown
        );
    }
    let sent = api.requests().len();
    for (keys, why) in [(&*"x".repeat(1 << 16), "fewer than 65536 octets"), ("\u{4}", "nothing was typed")] {
        let left = typed("token", &api.origin(), &[("Token for 127.0.0.1", keys)]);
        assert!(left.shown.contains(why) && left.echo, "{}", left.shown);
    }
    assert_eq!(api.requests().len(), sent + 2, "each child sent one request without a token");
}

/// Drops a request while its prompt is shown, and then sends another one.
#[test]
#[ignore = "another test runs it in a child process"]
fn child_that_abandons_a_prompt() {
    if std::env::var(KIND).as_deref() != Ok("impatient") {
        return;
    }
    let api = std::env::var("API").unwrap();
    let environment = reqwest_challenge_login::cli::Environment::from_variables(true, |_| false);
    let login = Login::token("https://example.com/tokens").prompting().environment(environment).build().unwrap();
    let auth = ChallengeMiddleware::new(&api, login).unwrap();
    let session = auth.session();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::select! {
            _ = client.get(&api).send() => panic!("the prompt got no answer"),
            _ = reqwest::get(format!("{api}/enough")) => {}
        }
        println!("given up, settled: {}", session.wait_until_saved(Duration::from_secs(20)).await);
        println!("answer: {}", client.get(&api).send().await.unwrap().status());
    });
    runtime.shutdown_background();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_prompt_does_not_read_the_input_of_the_next_prompt() {
    let api = MockApi::start().await.unwrap();
    let enough = Gate::closed();
    api.at("/").requires("read");
    api.at("/enough").open().answers(Answer::ok("").hold_until(&enough));
    api.tokens().accept("hunter2-token");
    let exe = std::env::current_exe().unwrap();
    let args = ["cli_prompts::child_that_abandons_a_prompt", "--exact", "--ignored", "--nocapture", "--test-threads=1"];
    let facts = [(KIND, "impatient"), ("API", &*api.origin())];
    let mut terminal = Terminal::run(exe.to_str().unwrap(), &args, &facts);
    // Half a secret, which the prompt discards.
    terminal.answer("Token for 127.0.0.1", "half");
    terminal.clear();
    enough.open();
    terminal.answer("Token for 127.0.0.1", "hunter2-token\n");
    let left = terminal.end();
    assert!(left.shown.contains("given up, settled: true"), "{}", left.shown);
    assert!(left.shown.contains("answer: 200 OK") && left.echo, "{}", left.shown);
}

/// The standard output and the standard error of a child without a terminal.
fn without_a_terminal(facts: &[(&str, &str)]) -> (String, String) {
    // Standard input stays open and empty, so a child that reads it hangs.
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["cli_prompts::child_that_prompts", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .envs(facts.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut shown, mut errors) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(child.wait().unwrap().success());
    (shown, errors)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_no_prompt_is_shown_and_no_input_is_read() {
    let api = MockApi::start().await.unwrap();
    api.at("/").requires("read");
    let (shown, errors) = without_a_terminal(&[(KIND, "token"), ("API", &*api.origin())]);
    assert!(shown.contains("a login is required: run `tool login` at a terminal"), "{shown}");
    assert!(!errors.contains("Token"), "{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_a_terminal_does_not_wait_for_the_prompt_of_another_process() {
    let (api, folder) = (MockApi::start().await.unwrap(), Folder::new());
    api.at("/").requires("read");
    api.tokens().accept("hunter2-token");
    let file = folder.file();
    let facts = [(KIND, "token"), ("API", &*api.origin()), ("FILE", file.to_str().unwrap())];
    let exe = std::env::current_exe().unwrap();
    let args = ["cli_prompts::child_that_prompts", "--exact", "--ignored", "--nocapture", "--test-threads=1"];
    let mut terminal = Terminal::run(exe.to_str().unwrap(), &args, &facts);
    terminal.is_asked("Token for 127.0.0.1", true);
    let (shown, _) = without_a_terminal(&facts);
    assert!(shown.contains("a login is required: run `tool login` at a terminal"), "{shown}");
    assert!(!shown.contains("waits for another process"), "{shown}");
    terminal.types("hunter2-token\n");
    let left = terminal.end();
    assert!(left.shown.contains("answer: 200 OK"), "{}", left.shown);
    let (shown, _) = without_a_terminal(&facts);
    assert!(shown.contains("answer: 200 OK"), "{shown}");
}
