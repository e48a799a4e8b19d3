//! A small typed client for an API, with its own error enum. `cargo run --example wrap_an_api`

#[path = "quickstart/api.rs"]
#[allow(dead_code)]
mod api;

use reqwest_challenge::{BoxError, BuildError, ChallengeMiddleware, Credential, Forbidden, RefreshContext, reqwest};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

/// The failures that a caller of this client handles differently.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the token lacks the scope {}", .0.join(", "))]
    Denied(Vec<String>),
    #[error("the request failed")]
    Request(#[source] reqwest_middleware::Error),
}

impl From<reqwest_middleware::Error> for Failure {
    fn from(error: reqwest_middleware::Error) -> Self {
        match Forbidden::find(&error) {
            Some(denied) => Self::Denied(denied.required_scopes()),
            None => Self::Request(error),
        }
    }
}

struct Reports {
    http: ClientWithMiddleware,
    url: String,
}

impl Reports {
    fn new(url: String) -> Result<Self, BuildError> {
        let token_url = format!("{url}/token");
        let log_in = move |context: RefreshContext| {
            let token_url = token_url.clone();
            async move {
                let token = context.http_client()?.post(token_url).send().await?.text().await?;
                Ok::<_, BoxError>(Credential::bearer(token))
            }
        };
        let auth = ChallengeMiddleware::new(&url, log_in)?;
        Ok(Self { http: ClientBuilder::new(reqwest::Client::new()).with(auth).build(), url })
    }

    async fn get(&self, path: &str) -> Result<String, Failure> {
        let response = self.http.get(format!("{}{path}", self.url)).send().await?;
        response.text().await.map_err(|error| Failure::Request(error.into()))
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let reports = Reports::new(api::Api::start().await?.url(""))?;
    println!("{}", reports.get("/reports").await?);
    println!("{}", reports.get("/admin").await.expect_err("the scope is missing"));
    Ok(())
}
