//! From a bare 401 with `resource_metadata` to a 200, and from a 403 to another: `cargo run -p reqwest-challenge-login --example protected_api --features oauth`
//!
//! It is the whole of what a client of the Model Context Protocol (specification of 2025-11-25) must do to be authorized: metadata
//! of the resource (RFC 9728) and of its authorization server (RFC 8414), a client that registers or is known by a document, a code
//! with PKCE for that resource alone (RFC 7636, RFC 8707), and a step-up. The servers are the example's own; a browser that agrees
//! to everything stands for the person, so that it runs without one.

use reqwest_challenge::{BoxError, ChallengeMiddleware, Forbidden, hardened};
use reqwest_challenge_login::oauth::{AuthorizationCode, AuthorizationPrompt, Client, Issuer, OAuth, Registration};
use reqwest_challenge_testing::{Answer, MockApi, MockIdentityProvider};

/// Shows the page. A program opens a browser here, and prints the URL in case that none opens.
fn show(prompt: &AuthorizationPrompt) -> Result<(), BoxError> {
    println!("login for {} at {}", prompt.api(), prompt.issuer());
    let page = prompt.url().clone();
    tokio::spawn(async move { reqwest::get(page).await });
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let (provider, api) = servers().await?;

    // The client. It knows a URL, and nothing of who guards it.
    let client = Client::metadata_document("https://tool.example/oauth-client.json")
        .or_registered(Registration::named("the example").with("software_id", "protected_api"));
    let oauth = OAuth::new(Issuer::from_challenge(), client, AuthorizationCode::new(show))?.prompting();
    let auth = ChallengeMiddleware::new(api.origin(), oauth)?;
    let session = auth.session();
    let client = hardened(reqwest::Client::builder(), auth)?;

    let response = client.get(api.url("/mcp")).send().await?;
    println!("GET /mcp: {} {}", response.status(), response.text().await?);

    // A tool that needs more than was granted.
    let error = client.post(api.url("/mcp/files")).body("{}").send().await.err().ok_or("it is allowed")?;
    let denied = Forbidden::find(&error).ok_or("not forbidden")?;
    println!("POST /mcp/files: {denied}");
    let credential = session.step_up(denied).await?;
    println!("granted now: {}", credential.scopes().unwrap_or_default().join(" "));
    let response = client.post(api.url("/mcp/files")).body("{}").send().await?;
    println!("POST /mcp/files: {}", response.status());

    // A token that ends is renewed by the refresh token, without anybody being asked.
    api.tokens().expire_all();
    let response = client.get(api.url("/mcp")).send().await?;
    println!("GET /mcp, when the token has expired: {}, with nobody asked", response.status());
    session.logout().await?;

    println!("\nwhat the servers saw:");
    for exchanged in provider.journal().exchanges() {
        let request = exchanged.request();
        let status = exchanged.status().map_or_else(String::new, |status| status.to_string());
        println!("  {:<8} {:<4} {:<45} {status}", request.server(), request.method(), request.path());
    }
    Ok(())
}

/// An API that says where its metadata are, and the authorization server that they name.
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
