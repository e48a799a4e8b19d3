//! The main job as a timeline: an API of the example's own on loopback, whose tokens live for a second.
//!
//! `cargo run --example quickstart`, or `cargo run --example quickstart -- URL` to ask that URL instead: it prints the
//! challenges, their defects and the outcome. If `API_TOKEN`, or `API_USER` and `API_PASSWORD`, are set, they are sent
//! by https or to this machine.

mod api;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use api::Api;
use reqwest_challenge::{
    BoxError, ChallengeMiddleware, Challenges, Credential, Forbidden, Origin, Password, RefreshContext, Session,
    Unauthorized,
};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    match std::env::args().nth(1) {
        Some(url) => ask(&url).await,
        None => timeline().await,
    }
}

/// `println!` would panic if the reader closes the pipe, as `head` does.
fn line(text: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a line with the time since the start, so that a person can follow.
fn say(start: Instant, text: impl std::fmt::Display) {
    line(format_args!("{:>5.2} s  {text}", start.elapsed().as_secs_f32()));
}

async fn timeline() -> Result<(), BoxError> {
    let start = Instant::now();
    let api = Api::start().await?;
    say(start, format_args!("an API listens on {}; its tokens live for a second", api.url("")));

    let refreshes = Arc::new(AtomicUsize::new(0));
    let (client, session) = client(start, &api, refreshes.clone())?;

    say(start, "GET /reports, without a credential");
    let response = client.get(api.url("/reports")).send().await?;
    say(start, format_args!("{} after {} requests: {}", response.status(), api.requests(), response.text().await?));

    tokio::time::sleep(Duration::from_millis(1_100)).await;
    say(start, "the token has expired; fifty requests at once");
    let before = (api.requests(), refreshes.load(Ordering::SeqCst));
    let calls: Vec<_> = (0..50).map(|_| tokio::spawn(client.get(api.url("/reports")).send())).collect();
    let mut good = 0;
    for call in calls {
        good += usize::from(call.await??.status().is_success());
    }
    let (requests, refreshed) = (api.requests() - before.0, refreshes.load(Ordering::SeqCst) - before.1);
    say(start, format_args!("{good} times 200 with {refreshed} refresh, {requests} requests in all"));

    say(start, "GET /admin");
    match client.get(api.url("/admin")).send().await {
        Ok(response) => say(start, format_args!("{}, which is a surprise", response.status())),
        Err(error) => match Forbidden::find(&error) {
            Some(denied) => {
                say(start, denied);
                say(
                    start,
                    format_args!("needed: {:?}, sent {} time", denied.required_scopes(), denied.report().attempts()),
                );
            }
            None => return Err(error.into()),
        },
    }

    say(start, "GET /never, which says 401 to everybody");
    let before = api.requests();
    let error = client.get(api.url("/never")).send().await.expect_err("it is refused");
    say(start, format_args!("given up after {} requests: {error}", api.requests() - before));

    tokio::time::sleep(Duration::from_millis(1_100)).await;
    say(start, "the token has expired; a caller asks, and goes away while it is renewed");
    let before = (api.requests(), refreshes.load(Ordering::SeqCst));
    let caller = tokio::spawn(client.get(api.url("/reports")).send());
    while refreshes.load(Ordering::SeqCst) == before.1 {
        tokio::task::yield_now().await;
    }
    caller.abort();
    session.wait_until_saved(Duration::from_secs(5)).await;
    let response = client.get(api.url("/reports")).send().await?;
    let refreshed = refreshes.load(Ordering::SeqCst) - before.1;
    say(start, format_args!("the next caller: {} with {refreshed} refresh in all", response.status()));

    session.logout().await?;
    say(start, "logged out");
    let error = client.get(api.url("/reports")).send().await.expect_err("it is refused");
    say(start, error);
    Ok(())
}

/// A client that fetches a token when the API asks for one.
fn client(start: Instant, api: &Api, refreshes: Arc<AtomicUsize>) -> Result<(ClientWithMiddleware, Session), BoxError> {
    let token_url = api.url("/token");
    let refresh = move |context: RefreshContext| {
        let (token_url, number) = (token_url.clone(), refreshes.fetch_add(1, Ordering::SeqCst) + 1);
        async move {
            let asked = context.challenges().iter().next().map(|challenge| challenge.to_string());
            say(start, format_args!("401: {}", asked.unwrap_or_default()));
            // A token endpoint on the other side of the world: whoever is refused meanwhile waits for the same answer.
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

/// Asks a server of the caller's and prints what it answers.
async fn ask(url: &str) -> Result<(), BoxError> {
    let url = reqwest_challenge::reqwest::Url::parse(url)?;
    let origin = Origin::of(&url).ok_or("an http or https URL is needed")?;
    let variable = |name| std::env::var(name).ok();
    let auth = match (variable("API_TOKEN"), variable("API_USER"), variable("API_PASSWORD")) {
        (Some(token), ..) => ChallengeMiddleware::builder(origin.to_string(), Credential::bearer(token)),
        // It is sent if the server asks for it, and not if the server asks only for Digest.
        (None, Some(user), Some(password)) => {
            ChallengeMiddleware::builder(origin.to_string(), Password::new(user, password))
        }
        // Plain http is allowed, because no credential is sent.
        _ => ChallengeMiddleware::builder(origin.to_string(), |_| async { Ok::<_, BoxError>(None) })
            .dangerous_allow_plaintext(),
    };
    let client = ClientBuilder::new(reqwest_challenge::reqwest::Client::new()).with(auth.build()?).build();
    match client.get(url).send().await {
        Ok(response) => {
            print(&Challenges::from_headers(response.headers()));
            line(format_args!("outcome: {}", response.status()));
        }
        Err(error) => {
            let refused = Unauthorized::find(&error).map(|refused| refused.challenges());
            if let Some(read) = refused.or_else(|| Forbidden::find(&error).map(|denied| denied.challenges())) {
                print(read);
            }
            line(format_args!("outcome: {error}"));
        }
    }
    Ok(())
}

fn print(read: &Challenges) {
    line(format_args!("{} challenge(s), {} defect(s)", read.len(), read.defects().len()));
    read.iter().for_each(|challenge| line(format_args!("  {challenge}")));
    for defect in read.defects() {
        line(format_args!("  {defect}\n    {}", defect.mark().to_string().replace('\n', "\n    ")));
    }
}
