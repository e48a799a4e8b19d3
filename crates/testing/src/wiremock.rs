//! Responders and matchers for a `wiremock::MockServer`, with the feature `wiremock`.
//!
//! The types are those of wiremock 0.6. A new major version of wiremock means a new major version of this crate.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use reqwest_challenge_testing::wiremock::{challenge, presents};
//! use wiremock::matchers::path;
//! use wiremock::{Mock, MockServer, ResponseTemplate};
//!
//! let server = MockServer::start().await;
//! let accepted = Mock::given(path("/reports")).and(presents("t2"));
//! accepted.respond_with(ResponseTemplate::new(200)).with_priority(1).mount(&server).await;
//! Mock::given(path("/reports")).respond_with(challenge("Bearer realm=\"a\"")).mount(&server).await;
//!
//! let url = format!("{}/reports", server.uri());
//! assert_eq!(reqwest::get(&url).await?.status(), 401);
//! let response = reqwest::Client::new().get(&url).header("authorization", "Bearer t2").send().await?;
//! assert_eq!(response.status(), 200);
//! # Ok(()) }
//! ```

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use wiremock::{Match, Request, Respond, ResponseTemplate};

use crate::protection::{Judgement, Protection, Tokens};

/// A 401 with this challenge, byte for byte.
#[must_use]
pub fn challenge(line: &str) -> ResponseTemplate {
    challenges([line])
}

/// A 401 with one `WWW-Authenticate` field per challenge, without one if there is no challenge.
#[must_use]
pub fn challenges<'c>(lines: impl IntoIterator<Item = &'c str>) -> ResponseTemplate {
    lines
        .into_iter()
        .fold(ResponseTemplate::new(401), |template, line| template.append_header(WWW_AUTHENTICATE.as_str(), line))
}

/// A 403 `insufficient_scope` with this scope (RFC 6750 §3.1).
#[must_use]
pub fn insufficient_scope(scope: &str) -> ResponseTemplate {
    let line = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
    ResponseTemplate::new(403).append_header(WWW_AUTHENTICATE.as_str(), line.as_str())
}

/// Checks the bearer token of the request. If the table accepts the token, the answer is the template. Otherwise it is a 401
/// or a 403 (RFC 6750 §3.1).
#[must_use]
pub fn protected(tokens: &Tokens, scope: Option<&str>, template: ResponseTemplate) -> impl Respond + use<> {
    Protected { tokens: tokens.clone(), scope: scope.map(str::to_owned), template }
}

struct Protected {
    tokens: Tokens,
    scope: Option<String>,
    template: ResponseTemplate,
}

impl Respond for Protected {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let judgement = self.tokens.judge(token(request).unwrap_or_default(), self.scope.as_deref());
        let Some(answer) = Protection::bearer().refusal(&judgement) else { return self.template.clone() };
        answer.headers().iter().fold(ResponseTemplate::new(answer.status().as_u16()), |template, (name, value)| {
            template.append_header(name.as_str(), value.to_str().unwrap_or_default())
        })
    }
}

/// Matches a request with this bearer token.
#[must_use]
pub fn presents(token: &str) -> impl Match + use<> {
    Presents(Some(token.to_owned()))
}

/// Matches a request without `Authorization`.
#[must_use]
pub fn presents_nothing() -> impl Match + use<> {
    Presents(None)
}

struct Presents(Option<String>);

impl Match for Presents {
    fn matches(&self, request: &Request) -> bool {
        match &self.0 {
            Some(wanted) => token(request) == Some(wanted),
            None => !request.headers.contains_key(AUTHORIZATION),
        }
    }
}

/// Matches a request whose bearer token has this judgement.
#[must_use]
pub fn judged(tokens: &Tokens, judgement: Judgement) -> impl Match + use<> {
    let tokens = tokens.clone();
    move |request: &Request| tokens.judge(token(request).unwrap_or_default(), None) == judgement
}

fn token(request: &Request) -> Option<&str> {
    let (scheme, token) = request.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
}
