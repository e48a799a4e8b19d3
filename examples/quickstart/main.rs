//! A timeline of requests, refreshes and errors. The example runs an API on loopback whose tokens live for one second.
//!
//! `cargo run --example quickstart`
//!
//! `cargo run --example quickstart -- URL` requests that URL instead, and prints the challenges, their defects and the
//! outcome. If `API_TOKEN`, or `API_USER` and `API_PASSWORD`, are set, it authenticates with them, by https or on this
//! machine. The exit code is 1 if the request fails. For an https URL add `--features reqwest/rustls`.

mod api;
mod ask;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use api::Api;
use ask::{Answered, Login};
use reqwest_challenge::support::error_lines;
use reqwest_challenge::{BoxError, ChallengeMiddleware, Credential, Forbidden, RefreshContext, Session};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

const USAGE: &str = "\
usage: quickstart [URL]

Without a URL, prints a timeline with an API on this machine. With a URL, requests it, and prints the challenges, their
defects and the outcome.

  API_TOKEN               the token to send
  API_USER, API_PASSWORD  the user and the password to send, if the server asks for them

The exit code is 1 if the request fails. An https URL needs TLS:
  cargo run --features reqwest/rustls --example quickstart -- URL
";

#[tokio::main]
async fn main() -> ExitCode {
    let (out, good) = match std::env::args_os().nth(1) {
        Some(help) if help == "--help" || help == "-h" => (USAGE.to_owned(), true),
        Some(url) => match request(&url.to_string_lossy()).await {
            Ok(answered) => (answered.report, answered.is_good),
            Err(why) => {
                let _ = write!(std::io::stderr(), "{why}");
                return ExitCode::FAILURE;
            }
        },
        None => match timeline().await {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => (format!("error: {}\n", error_lines(&*error).join("\n  ")), false),
        },
    };
    let _ = write!(std::io::stdout(), "{out}");
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn request(url: &str) -> Result<Answered, String> {
    ask::ask(url, Login::from_env()?).await
}

/// Prints a line with the time since the start, so that a user can follow.
///
/// `println!` panics if the reader closes the pipe, as `head` does.
fn say(start: Instant, text: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{:>5.2} s  {text}", start.elapsed().as_secs_f32());
}

async fn timeline() -> Result<(), BoxError> {
    let start = Instant::now();
    let api = Api::start().await?;
    say(start, format_args!("an API listens on {}; its tokens live for one second", api.url("")));

    let refreshes = Arc::new(AtomicUsize::new(0));
    let (client, session) = client(start, &api, refreshes.clone())?;

    say(start, "GET /reports, without a credential");
    let response = client.get(api.url("/reports")).send().await?;
    say(start, format_args!("{} after {} requests: {}", response.status(), api.requests(), response.text().await?));

    expire().await;
    say(start, "the token has expired; 50 requests start at once");
    let before = (api.requests(), refreshes.load(Ordering::SeqCst));
    let calls: Vec<_> = (0..50).map(|_| tokio::spawn(client.get(api.url("/reports")).send())).collect();
    let mut good = 0;
    for call in calls {
        good += usize::from(call.await??.status().is_success());
    }
    let (requests, refreshed) = (api.requests() - before.0, refreshes.load(Ordering::SeqCst) - before.1);
    say(
        start,
        format_args!("200 OK for {good} of 50 requests, with {refreshed} refresh and {requests} requests in all"),
    );

    refusals(start, &api, &client).await?;

    expire().await;
    say(start, "the token has expired; a request starts, and is cancelled during the refresh");
    let before = refreshes.load(Ordering::SeqCst);
    let caller = tokio::spawn(client.get(api.url("/reports")).send());
    while refreshes.load(Ordering::SeqCst) == before {
        tokio::task::yield_now().await;
    }
    caller.abort();
    session.wait_until_saved(Duration::from_secs(5)).await;
    let response = client.get(api.url("/reports")).send().await?;
    let refreshed = refreshes.load(Ordering::SeqCst) - before;
    say(start, format_args!("the next request: {}, with {refreshed} refresh in all", response.status()));

    session.logout().await?;
    say(start, "logged out");
    let error = client.get(api.url("/reports")).send().await.expect_err("the API refuses it");
    say(start, error);
    Ok(())
}

/// Waits until the token of the API has expired.
async fn expire() {
    tokio::time::sleep(Duration::from_millis(1_100)).await;
}

/// Requests that the API never allows: a 403, and a 401 that a new token does not help against.
async fn refusals(start: Instant, api: &Api, client: &ClientWithMiddleware) -> Result<(), BoxError> {
    say(start, "GET /admin");
    let error = client.get(api.url("/admin")).send().await.expect_err("the API refuses it");
    let Some(denied) = Forbidden::find(&error) else { return Err(error.into()) };
    say(start, denied);
    say(
        start,
        format_args!("missing scopes: {:?}; requests sent: {}", denied.required_scopes(), denied.report().attempts()),
    );

    say(start, "GET /never, which refuses every token");
    let before = api.requests();
    let error = client.get(api.url("/never")).send().await.expect_err("the API refuses it");
    say(start, format_args!("error after {} requests: {error}", api.requests() - before));
    Ok(())
}

/// A client that fetches a token when the API asks for one.
fn client(start: Instant, api: &Api, refreshes: Arc<AtomicUsize>) -> Result<(ClientWithMiddleware, Session), BoxError> {
    let token_url = api.url("/token");
    let refresh = move |context: RefreshContext| {
        let (token_url, number) = (token_url.clone(), refreshes.fetch_add(1, Ordering::SeqCst) + 1);
        async move {
            let challenge = context.challenges().iter().next().map(|challenge| challenge.to_string());
            say(start, format_args!("401: {}", challenge.unwrap_or_default()));
            // A slow token endpoint. All requests that are refused meanwhile wait for the same refresh.
            tokio::time::sleep(Duration::from_millis(200)).await;
            let token = context.http_client()?.post(token_url).send().await?.text().await?;
            say(start, format_args!("refresh {number}: a new token"));
            Ok::<_, BoxError>(Credential::bearer(token))
        }
    };
    let auth = ChallengeMiddleware::new(api.url(""), refresh)?;
    let session = auth.session();
    Ok((ClientBuilder::new(reqwest_challenge::reqwest::Client::new()).with(auth).build(), session))
}
