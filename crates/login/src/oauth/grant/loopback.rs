//! The redirect URI: a port of this machine, for one authorization response (RFC 8252 §7.3).

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use reqwest::Body;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use url::form_urlencoded;

use crate::util::unless;
use reqwest_challenge::Secret;

/// How long one connection may take.
const MAX_CONNECTION: Duration = Duration::from_secs(10);
/// How long the head of a request may take. A connection that sends nothing is closed then.
const MAX_HEAD: Duration = Duration::from_secs(3);
/// The longest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 16 << 10;
/// How many connections are served at once. A browser opens a few in advance.
const MAX_CONNECTIONS: usize = 16;
/// How long to wait after a connection could not be accepted, for example because there are no free file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A port of this machine.
pub(super) struct Loopback {
    listener: TcpListener,
    path: String,
}

/// The parameters of an authorization response (RFC 6749 §4.1.2).
#[derive(Clone)]
pub(super) struct AuthorizationResponse(Vec<(String, Secret)>);

impl AuthorizationResponse {
    fn parse(query: &str) -> Self {
        let parameters = form_urlencoded::parse(query.as_bytes());
        Self(parameters.map(|(name, value)| (name.into_owned(), Secret::new(value))).collect())
    }

    /// All values of a parameter. More than one is an error (RFC 6749 §3.1).
    pub(super) fn all(&self, name: &str) -> Vec<&Secret> {
        self.0.iter().filter(|(other, _)| other == name).map(|(_, value)| value).collect()
    }
}

/// The response that is awaited.
struct Awaited {
    path: String,
    state: Secret,
    sender: mpsc::Sender<AuthorizationResponse>,
}

impl Loopback {
    pub(super) async fn listen(path: &str) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind("127.0.0.1:0").await?, path: path.to_owned() })
    }

    /// The redirect URI. It has an IP address, because a name could lead to another machine.
    pub(super) fn uri(&self) -> io::Result<String> {
        Ok(format!("http://{}{}", self.listener.local_addr()?, self.path))
    }

    /// Waits for the request with the path of the redirect URI and with this state. Other requests get a 404.
    pub(super) async fn response(self, state: &Secret) -> AuthorizationResponse {
        let (sender, mut receiver) = mpsc::channel(1);
        let awaited = Arc::new(Awaited { path: self.path, state: state.clone(), sender });
        match unless(pin!(receiver.recv()), pin!(serve(self.listener, awaited))).await {
            Ok(never) => match never {},
            Err(response) => response.unwrap_or(AuthorizationResponse(Vec::new())),
        }
    }
}

async fn serve(listener: TcpListener, awaited: Arc<Awaited>) -> Infallible {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let permit = connections.clone().acquire_owned().await;
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let awaited = awaited.clone();
        // On its own task, because the page is still being sent when the response has arrived.
        drop(tokio::spawn(async move {
            let _permit = permit;
            let _ = tokio::time::timeout(MAX_CONNECTION, serve_connection(stream, awaited)).await;
        }));
    }
}

async fn serve_connection(stream: TcpStream, awaited: Arc<Awaited>) {
    let service = service_fn(move |request| {
        let awaited = awaited.clone();
        async move { Ok::<_, Infallible>(awaited.respond(&request)) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(MAX_HEAD).max_buf_size(MAX_HEAD_BYTES).keep_alive(false);
    // The error of one connection does not end the login.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

impl Awaited {
    fn respond(&self, request: &Request<Incoming>) -> Response<Body> {
        match self.matching(request) {
            // The channel has space for one response, so only the first one is accepted.
            Some(response) if self.sender.try_send(response.clone()).is_ok() => {
                page(StatusCode::OK, if response.all("error").is_empty() { DONE } else { FAILED })
            }
            _ => page(StatusCode::NOT_FOUND, NOT_FOUND),
        }
    }

    fn matching(&self, request: &Request<Incoming>) -> Option<AuthorizationResponse> {
        let is_ours = request.method() == Method::GET && request.uri().path() == self.path;
        let response = AuthorizationResponse::parse(request.uri().query().filter(|_| is_ours)?);
        let is_expected = matches!(response.all("state")[..], [state] if *state == self.state);
        is_expected.then_some(response)
    }
}

const DONE: &str = "The login was received. You can close this page and return to the program.";
const FAILED: &str = "The login failed. You can close this page. The program shows the reason.";
const NOT_FOUND: &str = "There is nothing here.";

fn page(status: StatusCode, text: &str) -> Response<Body> {
    let html = format!("<!doctype html><meta charset=utf-8><title>Login</title><p>{text}</p>\n");
    let mut response = Response::new(Body::from(Bytes::from(html)));
    *response.status_mut() = status;
    let headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("connection", "close"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
