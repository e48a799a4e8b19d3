//! Two generated clients and a REST client with one session:
//! `cargo run --manifest-path examples/clients/Cargo.toml --bin generated`
//!
//! Both are generated from `spec/reports.json` and checked in unchanged:
//!
//! - `progenitor.rs` is what progenitor 0.15 generates with the inner type `reqwest_challenge::Session`. `hooks.rs` is what it
//!   needs.
//! - The package `openapi-generator` is what openapi-generator 7 generates with `-g rust` and
//!   `library=reqwest,supportMiddleware=true,packageName=reports-openapi`. It takes the client of `reqwest_middleware` itself.

mod hooks;
#[rustfmt::skip]
#[allow(clippy::all, dead_code)]
mod progenitor;

use clients::{Api, expect};
use reports_openapi::apis::configuration::Configuration;
use reports_openapi::apis::default_api;
use reqwest_challenge::BoxError;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let api = Api::start(axum::Router::new()).await?;
    let (rest, session) = api.client()?;
    let progenitor = progenitor::Client::new_with_client(&api.url(""), reqwest::Client::new(), session);
    let openapi = Configuration { base_path: api.url(""), client: rest.clone(), ..Configuration::default() };

    println!("REST: {}", rest.get(api.url("/reports")).send().await?.status());
    expect("requests of the first REST call", api.take_requests(), 2)?;

    println!("progenitor: {} reports", progenitor.list_reports().await?.len());
    println!("openapi-generator: {} reports", default_api::list_reports(&openapi).await?.len());
    expect("requests of the generated clients", api.take_requests(), 2)?;
    expect("refreshes: the token of the REST call is used", api.issued(), 1)?;

    api.revoke();
    println!("the token was revoked; progenitor: {} reports", progenitor.list_reports().await?.len());
    expect("requests: one is refused, one succeeds", api.take_requests(), 2)?;
    println!("openapi-generator: {} reports", default_api::list_reports(&openapi).await?.len());
    expect("requests with the token that progenitor has renewed", api.take_requests(), 1)?;
    expect("refreshes", api.issued(), 2)?;

    api.revoke();
    println!("the token was revoked; openapi-generator: {} reports", default_api::list_reports(&openapi).await?.len());
    expect("requests: one is refused, one succeeds", api.take_requests(), 2)?;
    println!("progenitor: {} reports", progenitor.list_reports().await?.len());
    expect("requests with the token that openapi-generator has renewed", api.take_requests(), 1)?;
    expect("refreshes", api.issued(), 3)?;

    api.refuse_all();
    let error = progenitor.list_reports().await.err().ok_or("the call succeeds without a token")?;
    println!("the server refuses every token: {:?}", error.status());
    expect("requests: never a third one", api.take_requests(), 2)?;
    println!("ok");
    Ok(())
}
