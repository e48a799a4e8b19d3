//! A REST API on loopback. `POST /token` issues a token, and the newest token is the valid one until it is revoked.
//! `GET /reports` needs it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::header::{AUTHORIZATION, HeaderMap, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use reqwest_challenge::{BoxError, BuildError, ChallengeMiddleware, Credential, RefreshContext, Session};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokio::net::TcpListener;
use tokio::sync::Barrier;

/// The API. Clones are the same one.
#[derive(Clone)]
pub struct Api(Arc<Shared>);

struct Shared {
    address: SocketAddr,
    issued: AtomicUsize,
    requests: AtomicUsize,
    tokens: Mutex<Tokens>,
}

#[derive(Default)]
struct Tokens {
    valid: Option<String>,
    /// Whether new tokens are refused too.
    refuses_all: bool,
    /// Where refused requests wait for each other.
    gathering: Option<Arc<Barrier>>,
}

impl Api {
    /// Starts the API. `more` are routes in addition to `/reports` and `/token`.
    ///
    /// # Errors
    /// If loopback has no free port.
    pub async fn start(more: Router<Api>) -> Result<Self, BoxError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (issued, requests) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let api =
            Self(Arc::new(Shared { address: listener.local_addr()?, issued, requests, tokens: Mutex::default() }));
        let routes = more.route("/reports", get(reports)).route("/token", post(token)).with_state(api.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(api)
    }

    /// The URL of a path of the API.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.0.address)
    }

    /// A REST client of the API, which logs in after a 401, and the session that other clients share with it.
    ///
    /// # Errors
    /// If the middleware cannot be built.
    pub fn client(&self) -> Result<(ClientWithMiddleware, Session), BuildError> {
        let token_url = self.url("/token");
        let log_in = move |context: RefreshContext| {
            let token_url = token_url.clone();
            async move {
                let response = context.http_client()?.post(token_url).send().await?;
                Ok::<_, BoxError>(Credential::bearer(response.error_for_status()?.text().await?))
            }
        };
        let auth = ChallengeMiddleware::new(self.url(""), log_in)?;
        let session = auth.session();
        Ok((ClientBuilder::new(reqwest::Client::new()).with(auth).build(), session))
    }

    /// Whether the request has the valid token. Counts the request.
    pub fn accepts(&self, headers: &HeaderMap) -> bool {
        self.0.requests.fetch_add(1, Ordering::SeqCst);
        let tokens = self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        !tokens.refuses_all && token.is_some() && token == tokens.valid.as_deref()
    }

    /// Delays a refusal until as many requests are refused as [`gather`](Self::gather) says.
    pub async fn refuse(&self) {
        let gathering = self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner).gathering.clone();
        if let Some(barrier) = gathering {
            barrier.wait().await;
        }
    }

    /// Revokes the valid token.
    pub fn revoke(&self) {
        self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner).valid = None;
    }

    /// From now on, a refusal is sent only when that many requests are refused, so that all of them carry the old token.
    pub fn gather(&self, requests: usize) {
        let barrier = (requests > 0).then(|| Arc::new(Barrier::new(requests)));
        self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner).gathering = barrier;
    }

    /// From now on, every token is refused.
    pub fn refuse_all(&self) {
        self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner).refuses_all = true;
    }

    /// How many tokens were issued: the number of refreshes.
    pub fn issued(&self) -> usize {
        self.0.issued.load(Ordering::SeqCst)
    }

    /// How many requests arrived since the last call, without those for tokens.
    pub fn take_requests(&self) -> usize {
        self.0.requests.swap(0, Ordering::SeqCst)
    }
}

async fn token(State(api): State<Api>) -> String {
    let token = format!("token-{}", api.0.issued.fetch_add(1, Ordering::SeqCst) + 1);
    api.0.tokens.lock().unwrap_or_else(PoisonError::into_inner).valid = Some(token.clone());
    token
}

async fn reports(State(api): State<Api>, headers: HeaderMap) -> Response {
    if !api.accepts(&headers) {
        api.refuse().await;
        return challenge();
    }
    Json(serde_json::json!([{ "id": 1, "title": "January" }, { "id": 2, "title": "February" }])).into_response()
}

/// The refusal of a request without the valid token.
pub fn challenge() -> Response {
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer realm=\"reports\"")]).into_response()
}
