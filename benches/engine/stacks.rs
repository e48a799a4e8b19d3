//! The same calls through each middleware, to the last middleware of the client, which answers.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use http::Extensions;
use http::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Body, Method, Request, Response, ResponseBuilderExt, StatusCode, Url};
use reqwest_challenge::{BoxError, ChallengeMiddleware, Credential, Error, RefreshContext};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next, Result};

use super::peers::{Chain, Insert, Nothing, OfRealm, OfSource};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stack {
    Bare,
    Nothing,
    /// The usual middleware of 15 lines.
    Insert,
    /// In the way of reqwest-auth.
    Source,
    /// In the way of uv.
    Realm,
    /// `reqwest-chain`, and below it the usual middleware of 15 lines.
    Chain,
    Ours,
    /// Ours, with a refresher that waits once, like a refresher that sends a request.
    Waiting,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    Get,
    /// Five headers and a body of bytes.
    Post,
    /// A GET whose first answer is a 401 with a challenge.
    Refused,
    /// A GET that is answered with 403, a challenge and a body of JSON. The caller wants a typed error.
    Forbidden,
    /// Like `Forbidden`, but the caller wants the code, the message and the scopes too.
    Explained,
}

const STACKS: [Stack; 8] = [
    Stack::Bare,
    Stack::Nothing,
    Stack::Insert,
    Stack::Source,
    Stack::Realm,
    Stack::Chain,
    Stack::Ours,
    Stack::Waiting,
];
const SHAPES: [Shape; 5] = [Shape::Get, Shape::Post, Shape::Refused, Shape::Forbidden, Shape::Explained];

impl Stack {
    pub(crate) fn named(name: &str) -> Self {
        STACKS.into_iter().find(|stack| format!("{stack:?}") == name).unwrap()
    }

    /// A client with this middleware, and with the last middleware if there is one.
    pub(crate) fn client(self, origin: &str, http: reqwest::Client, last: Option<Last>) -> ClientWithMiddleware {
        let client = ClientBuilder::new(http);
        let client = match self {
            Self::Bare => client,
            Self::Nothing => client.with(Nothing),
            Self::Insert => client.with(Insert::new()),
            Self::Source => client.with(OfSource::new()),
            Self::Realm => client.with(OfRealm::new(origin)),
            Self::Chain => client.with(Chain::new()).with(Insert::new()),
            Self::Ours => client.with(ours(origin, false)),
            Self::Waiting => client.with(ours(origin, true)),
        };
        match last {
            Some(last) => client.with(last).build(),
            None => client.build(),
        }
    }
}

impl Shape {
    pub(crate) fn named(name: &str) -> Self {
        SHAPES.into_iter().find(|shape| format!("{shape:?}") == name).unwrap()
    }

    fn request(self, url: &Url) -> Request {
        if self != Self::Post {
            return Request::new(Method::GET, url.clone());
        }
        let mut request = Request::new(Method::POST, url.clone());
        for name in ["accept", "content-type", "x-request-id", "traceparent", "user-agent"] {
            // A constant, because each clone of a name that is made from text costs an allocation.
            request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static("value"));
        }
        *request.body_mut() = Some(Body::from(b"{\"name\": \"value\"}".to_vec()));
        request
    }

    fn is_forbidden(self) -> bool {
        matches!(self, Self::Forbidden | Self::Explained)
    }
}

fn ours(origin: &str, waits: bool) -> ChallengeMiddleware {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    // The two tokens alternate, so the count does not include the formatting of a number.
    let refresh = move |_: RefreshContext| async move {
        if waits {
            tokio::task::yield_now().await;
        }
        let token = if NUMBER.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) { "t0" } else { "t1" };
        Ok::<_, BoxError>(Credential::bearer(token))
    };
    ChallengeMiddleware::builder(origin, refresh).initial_credential(Credential::bearer("t0")).build().unwrap()
}

/// The last middleware. It answers as the shape says, and names the URL of each response, as a server's response does.
pub(crate) struct Last {
    shape: Shape,
    count: AtomicU64,
}

impl Last {
    pub(crate) fn new(shape: Shape) -> Self {
        Self { shape, count: AtomicU64::new(0) }
    }
}

const FORBIDDEN: &str = r#"{"error":{"code":"insufficient_permissions","message":"The token may not write reports"}}"#;

#[async_trait]
impl Middleware for Last {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> Result<Response> {
        let is_forbidden = self.shape.is_forbidden();
        let body = if is_forbidden { Body::from(FORBIDDEN) } else { Body::default() };
        let response = http::Response::builder().url(request.url().clone()).body(body);
        let mut response = response.map_err(reqwest_middleware::Error::middleware)?;
        if is_forbidden {
            *response.status_mut() = StatusCode::FORBIDDEN;
            let challenge = HeaderValue::from_static("Bearer error=\"insufficient_scope\", scope=\"write\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if self.shape == Shape::Refused && self.count.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            let challenge = HeaderValue::from_static("Bearer realm=\"example\", error=\"invalid_token\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        Ok(response.into())
    }
}

/// What a caller wants to know of a 403.
struct Refusal {
    code: String,
    message: String,
    scopes: Vec<String>,
}

/// Reads a 403 without the middleware.
async fn read_by_hand(response: Response) -> Option<Refusal> {
    let challenge = response.headers().get(WWW_AUTHENTICATE)?.to_str().ok()?.to_owned();
    let body: serde_json::Value = serde_json::from_slice(&response.bytes().await.ok()?).ok()?;
    let text = |name: &str| body["error"][name].as_str().map(str::to_owned);
    let scope = challenge.split_once("scope=\"")?.1.split_once('"')?.0;
    let scopes = scope.split(' ').map(str::to_owned).collect();
    Some(Refusal { code: text("code")?, message: text("message")?, scopes })
}

/// Reads a 403: the typed error, or the response by hand. By hand everything is read in any case, because a response
/// can be read only once; `is_explained` says what is read in the error.
async fn refusal(answer: Result<Response>, is_explained: bool) -> Option<Refusal> {
    match answer {
        Ok(response) => read_by_hand(response).await,
        Err(error) => match Error::from_middleware(error).ok()? {
            Error::Forbidden(error) if !is_explained => {
                assert_eq!(error.status(), StatusCode::FORBIDDEN);
                None
            }
            Error::Forbidden(error) => {
                Some(Refusal { code: error.error_code()?, message: error.message()?, scopes: error.required_scopes() })
            }
            _ => None,
        },
    }
}

/// Makes that many calls, one after the other.
pub(crate) fn run(stack: Stack, shape: Shape, rounds: u64) {
    let url = Url::parse("https://api.example.com/reports").unwrap();
    let client = stack.client("https://api.example.com", reqwest::Client::new(), Some(Last::new(shape)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for _ in 0..rounds {
            let answer = client.execute(shape.request(&url)).await;
            if shape.is_forbidden() {
                if let Some(Refusal { code, message, scopes }) = refusal(answer, shape == Shape::Explained).await {
                    assert!(code.starts_with("insufficient") && message.ends_with("reports") && scopes == ["write"]);
                }
            } else {
                assert_eq!(answer.unwrap().status(), 200);
            }
        }
    });
}
