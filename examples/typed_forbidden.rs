//! A 403 and a step-up: the caller requests a credential with the missing scopes, and sends the request again.
//!
//! `cargo run --example typed_forbidden`

use http::{Extensions, Response};
use reqwest_challenge::reqwest::{self, Body, Client, Request, ResponseBuilderExt};
use reqwest_challenge::{BoxError, ChallengeMiddleware, Credential, Forbidden, RefreshContext};
use reqwest_middleware::{ClientBuilder, Middleware, Next};

/// An API without a socket. Every request needs the scope `write`.
struct Api;

#[async_trait::async_trait]
impl Middleware for Api {
    async fn handle(
        &self,
        request: Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let sent = request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let answer = match sent {
            "" => Response::builder().status(401).header("www-authenticate", "Bearer realm=\"notes\""),
            sent if sent.contains("write") => Response::builder().status(200),
            _ => Response::builder()
                .status(403)
                .header("www-authenticate", "Bearer error=\"insufficient_scope\", scope=\"write\""),
        };
        // A response from a server has a URL, so this one has one too.
        let answer = answer.url(request.url().clone());
        Ok(answer.body(Body::default()).map_err(reqwest_middleware::Error::middleware)?.into())
    }
}

/// Returns a credential with the requested scopes, or with `read`.
async fn log_in(context: RefreshContext) -> Result<Credential, BoxError> {
    let scopes = match context.demand().scopes() {
        [] => vec!["read".to_owned()],
        scopes => scopes.to_vec(),
    };
    println!("log in with the scopes {scopes:?}, reason: {:?}", context.reason());
    Ok(Credential::bearer(scopes.join("+")).with_scopes(scopes))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let auth = ChallengeMiddleware::new("https://notes.example.com", log_in)?;
    let session = auth.session();
    let client = ClientBuilder::new(Client::new()).with(auth).with(Api).build();

    let error = client.get("https://notes.example.com/1").send().await.expect_err("the scope is missing");
    let denied = Forbidden::find(&error).ok_or("another error")?;
    println!("{denied}");
    session.step_up(denied).await?;
    println!("{}", client.get("https://notes.example.com/1").send().await?.status());
    Ok(())
}
