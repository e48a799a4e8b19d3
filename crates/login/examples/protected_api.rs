//! A client turns a 401 with `resource_metadata` into a 200, and steps up after a 403. Run it with
//! `cargo run -p reqwest-challenge-login --example protected_api --features oauth`.
//!
//! This is the authorization that the Model Context Protocol (2025-11-25) requires of a client: metadata of the resource (RFC 9728)
//! and of its authorization server (RFC 8414), registration or a client metadata document, a code with PKCE for one resource
//! (RFC 7636, RFC 8707), and a step-up. The example starts its own servers. A browser that accepts every login replaces the user.

use reqwest_challenge::{BoxError, ChallengeMiddleware, Forbidden, hardened};
use reqwest_challenge_login::oauth::{AuthorizationCode, AuthorizationPrompt, Client, Issuer, OAuth, Registration};
use reqwest_challenge_testing::{Answer, MockApi, MockIdentityProvider};

/// Opens the login page. A real program opens a browser here, and prints the URL in case no browser opens.
fn show(prompt: &AuthorizationPrompt) -> Result<(), BoxError> {
    println!("log in to {} at {}", prompt.api(), prompt.issuer());
    let page = prompt.url().clone();
    tokio::spawn(async move { reqwest::get(page).await });
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let (provider, api) = servers().await?;

    // The client knows only the URL of the API. The challenge names the authorization server.
    let client = Client::metadata_document("https://tool.example/oauth-client.json")
        .or_registered(Registration::named("the example").with("software_id", "protected_api"));
    let oauth = OAuth::new(Issuer::from_challenge(), client, AuthorizationCode::new(show))?.prompting();
    let auth = ChallengeMiddleware::new(api.origin(), oauth)?;
    let session = auth.session();
    let client = hardened(reqwest::Client::builder(), auth)?;

    let response = client.get(api.url("/mcp")).send().await?;
    println!("GET /mcp: {} {}", response.status(), response.text().await?);

    // This request needs another scope: the API answers 403, and a step-up requests the scope.
    let error = client.post(api.url("/mcp/files")).body("{}").send().await.err().ok_or("no step-up needed")?;
    let denied = Forbidden::find(&error).ok_or("not a 403")?;
    println!("POST /mcp/files: {denied}");
    let credential = session.step_up(denied).await?;
    println!("scopes after the step-up: {}", credential.scopes().unwrap_or_default().join(" "));
    let response = client.post(api.url("/mcp/files")).body("{}").send().await?;
    println!("POST /mcp/files: {}", response.status());

    // The refresh token renews an expired token without a prompt.
    api.tokens().expire_all();
    let response = client.get(api.url("/mcp")).send().await?;
    println!("GET /mcp after the token has expired: {}, without a prompt", response.status());
    session.logout().await?;

    println!("\nrequests to the servers:");
    for exchange in provider.journal().exchanges() {
        let request = exchange.request();
        let status = exchange.status().map_or_else(String::new, |status| status.to_string());
        println!("  {:<8} {:<4} {:<45} {status}", request.server(), request.method(), request.path());
    }
    Ok(())
}

/// An API whose challenge names its metadata, and the authorization server that the metadata name.
async fn servers() -> Result<(MockIdentityProvider, MockApi), BoxError> {
    let provider = MockIdentityProvider::start().await?;
    let api = MockApi::trusting(&provider).await?;
    let metadata = api.url("/.well-known/oauth-protected-resource/mcp");
    let challenge = format!("Bearer resource_metadata=\"{metadata}\", scope=\"mcp:tools\"");
    api.at("/mcp").requires("mcp:tools").answers(Answer::ok("three tools")).challenges_with([&*challenge]);
    api.at("/mcp/files").requires("mcp:files").answers(Answer::ok("done"));
    let document = format!(
        r#"{{"resource":"{}","authorization_servers":["{}"],"scopes_supported":["mcp:tools","mcp:files"]}}"#,
        api.url("/mcp"),
        provider.issuer()
    );
    api.at("/.well-known/oauth-protected-resource/mcp").open().answers(Answer::json(document));
    Ok((provider, api))
}
