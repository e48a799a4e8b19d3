//! A prompt under the job control of a shell: before the program stops or ends, the terminal is restored.
#![cfg(target_os = "linux")]

use reqwest_challenge::ChallengeMiddleware;
use reqwest_challenge_login::cli::{Environment, Login};
use reqwest_challenge_testing::MockApi;
use reqwest_middleware::ClientBuilder;

use crate::cli_prompts::KIND;
use crate::support::folder::Folder;
use crate::support::terminal::Terminal;

const SHELLS: [(&str, &[&str]); 2] = [("dash", &["-i"]), ("bash", &["--norc", "--noprofile", "--noediting", "-i"])];

const QUESTION: &str = "Token for 127.0.0.1";

/// Panics while the prompt of another task is shown.
#[test]
#[ignore = "another test runs it in a child process"]
fn child_that_panics() {
    if std::env::var(KIND).as_deref() != Ok("panic") {
        return;
    }
    let api = std::env::var("API").unwrap();
    let login = Login::token("https://example.com/tokens")
        .prompting()
        .environment(Environment::from_variables(true, |_| false));
    let auth = ChallengeMiddleware::new(&api, login.build().unwrap()).unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).build();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::select! {
            _ = client.get(&api).send() => {}
            _ = reqwest::get(format!("{api}/enough")) => {}
        }
        panic!("the program is broken");
    });
}

async fn api() -> MockApi {
    let api = MockApi::start().await.unwrap();
    api.at("/").requires("read");
    api.tokens().accept("hunter2-token");
    api
}

/// The command that prompts for a token.
fn prompting_command() -> String {
    let exe = std::env::current_exe().unwrap();
    format!("{} cli_prompts::child_that_prompts --exact --ignored --nocapture --test-threads=1", exe.display())
}

/// A shell in which the command was typed.
fn shell((program, args): (&str, &[&str]), api: &MockApi, command: &str) -> Terminal {
    let facts = [(KIND, "token"), ("API", &*api.origin()), ("PS1", "at-the-shell> "), ("ENV", "")];
    let mut shell = Terminal::run(program, args, &facts);
    shell.page_with("at-the-shell>");
    shell.types(&format!("{command}\n"));
    shell
}

/// Types the token, which the program accepts, and leaves the shell.
fn logs_in(mut shell: Terminal) {
    shell.answer(QUESTION, "hunter2-token\n");
    let page = shell.page_with("answer: 200 OK");
    assert!(!page.contains("hunter2") && !page.contains("half"), "{page}");
    shell.types("exit\n");
    assert!(shell.end().echo);
}

/// A command that waits until the shell's job is stopped.
fn stopped(folder: &Folder) -> String {
    std::fs::create_dir_all(&folder.0).unwrap();
    let jobs = folder.0.join("jobs");
    format!("until jobs > {0}; grep -q Stopped {0}; do :; done; echo is-it-$((40+2))", jobs.display())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_prompt_restores_the_echo_and_asks_again_with_hidden_input_after_fg() {
    let api = api().await;
    for kind in SHELLS {
        let mut shell = shell(kind, &api, &prompting_command());
        // Two rounds test that the second stop finds the same terminal settings as the first one.
        for _ in 0..2 {
            shell.answer(QUESTION, "half-a-secret\u{1a}");
            let page = shell.page_with("at-the-shell>");
            assert!(page.contains("Stopped") && !page.contains("half"), "{kind:?}: {page}");
            shell.commands("echo is-it-$((40+2))", "is-it-42");
            let page = shell.page_with("at-the-shell>");
            assert!(page.contains("echo is-it-$((40+2))"), "{kind:?}: {page}");
            shell.types("fg\n");
        }
        logs_in(shell);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_continues_in_the_background_stops_again_and_the_shell_keeps_the_terminal() {
    let (api, folder) = (api().await, Folder::new());
    for kind in SHELLS {
        let mut shell = shell(kind, &api, &prompting_command());
        shell.answer(QUESTION, "half-a-secret\u{1a}");
        shell.page_with("at-the-shell>");
        shell.commands("bg", "at-the-shell>");
        shell.commands(&stopped(&folder), "is-it-42");
        shell.page_with("at-the-shell>");
        shell.types("fg\n");
        logs_in(shell);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_starts_in_the_background_asks_only_in_the_foreground() {
    let (api, folder) = (api().await, Folder::new());
    for kind in SHELLS {
        let mut shell = shell(kind, &api, &format!("{} &", prompting_command()));
        shell.commands(&stopped(&folder), "is-it-42");
        let page = shell.page_with("is-it-42");
        assert!(!page.contains(QUESTION), "{kind:?}: {page}");
        shell.types("fg\n");
        logs_in(shell);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_background_prompt_of_a_process_that_cannot_be_stopped_is_an_error() {
    let api = api().await;
    let mut shell = shell(SHELLS[0], &api, &format!("(trap '' TTIN TTOU; exec {}) &", prompting_command()));
    let page = shell.page_with("the prompter has ended");
    assert!(page.contains("the process runs in the background of its terminal") && !page.contains(QUESTION), "{page}");
    shell.types("exit\n");
    assert!(shell.end().echo);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quit_key_ends_the_program_after_the_terminal_is_restored() {
    let api = api().await;
    for kind in SHELLS {
        let mut shell = shell(kind, &api, "ulimit -c 0");
        shell.commands(&prompting_command(), QUESTION);
        shell.answer(QUESTION, "half-a-secret\u{1c}");
        let page = shell.page_with("Quit");
        assert!(!page.contains("half"), "{kind:?}: {page}");
        shell.types("exit\n");
        assert!(shell.end().echo);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_ignored_signal_the_prompt_asks_again_and_keeps_the_input_hidden() {
    let api = api().await;
    let mut shell = shell(SHELLS[0], &api, &format!("(trap '' QUIT TSTP; {})", prompting_command()));
    for key in ["\u{1c}", "\u{1a}"] {
        shell.answer(QUESTION, &format!("half-a-secret{key}"));
        // The question is shown again.
        shell.answer(&format!("{QUESTION}: \r\n{QUESTION}"), "");
        shell.clear();
        shell.types("\n");
    }
    logs_in(shell);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_another_task_ends_the_prompt_and_restores_the_terminal() {
    let (api, enough) = (api().await, reqwest_challenge_testing::Gate::closed());
    api.at("/enough").open().hold_until(&enough);
    let exe = std::env::current_exe().unwrap();
    let args = ["cli_job_control::child_that_panics", "--exact", "--ignored", "--nocapture", "--test-threads=1"];
    let facts = [(KIND, "panic"), ("API", &*api.origin())];
    let mut terminal = Terminal::run(exe.to_str().unwrap(), &args, &facts);
    terminal.is_asked(QUESTION, true);
    enough.open();
    let left = terminal.end();
    assert!(left.shown.contains("the program is broken") && left.echo, "{}", left.shown);
}
