//! Where a browser comes back to: a port of this machine, for one answer (RFC 8252 §7.3).

use std::convert::Infallible;
use std::io;
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

use reqwest_challenge::Secret;

/// How long a request may take to come, and its answer to go.
const LONGEST: Duration = Duration::from_secs(10);
/// How long its head may take: who says nothing is in nobody's way for longer.
const HEAD: Duration = Duration::from_secs(3);
/// How much of a request is read.
const BYTES: usize = 16 << 10;
/// How many connections are served at once: a browser opens a few ahead of time.
const CONNECTIONS: usize = 16;

/// A port of this machine.
pub(super) struct Loopback {
    listener: TcpListener,
    path: String,
}

/// The names and values that came back.
pub(super) type Pairs = Vec<(String, Secret)>;

struct Awaited {
    path: String,
    state: Secret,
    came: mpsc::Sender<Pairs>,
}

impl Loopback {
    pub(super) async fn listen(path: &str) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind("127.0.0.1:0").await?, path: path.to_owned() })
    }

    /// The redirect URI: by address, for a name could be somebody else's.
    pub(super) fn uri(&self) -> io::Result<String> {
        Ok(format!("http://{}{}", self.listener.local_addr()?, self.path))
    }

    /// Waits for the one request with that path and that state; all others are told that there is nothing.
    pub(super) async fn answer(self, state: &Secret) -> Pairs {
        let (came, mut awaited) = mpsc::channel(1);
        let inner = Arc::new(Awaited { path: self.path, state: state.clone(), came });
        let serving = std::pin::pin!(serve(self.listener, inner));
        let coming = std::pin::pin!(awaited.recv());
        match crate::util::unless(coming, serving).await {
            Ok(never) => match never {},
            Err(pairs) => pairs.unwrap_or_default(),
        }
    }
}

async fn serve(listener: TcpListener, awaited: Arc<Awaited>) -> Infallible {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let permit = room.clone().acquire_owned().await;
        let Ok((stream, _)) = listener.accept().await else {
            // Of one connection, or for want of descriptors, which takes a moment to mend.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let awaited = awaited.clone();
        // On a task of its own: the page is still on its way when the answer has come.
        drop(tokio::spawn(async move {
            let _permit = permit;
            let _ = tokio::time::timeout(LONGEST, connection(stream, awaited)).await;
        }));
    }
}

async fn connection(stream: TcpStream, awaited: Arc<Awaited>) {
    let service = service_fn(move |request| {
        let awaited = awaited.clone();
        async move { Ok::<_, Infallible>(awaited.respond(&request)) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BYTES).keep_alive(false);
    // What is wrong with a connection is seen by whoever holds its other end.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

impl Awaited {
    fn respond(&self, request: &Request<Incoming>) -> Response<Body> {
        match self.matching(request) {
            // Only the first one is taken.
            Some(pairs) if self.came.try_send(pairs.clone()).is_ok() => {
                let failed = pairs.iter().any(|(name, _)| name == "error");
                page(StatusCode::OK, if failed { FAILED } else { DONE })
            }
            _ => page(StatusCode::NOT_FOUND, NOTHING),
        }
    }

    fn matching(&self, request: &Request<Incoming>) -> Option<Pairs> {
        let is_ours = request.method() == Method::GET && request.uri().path() == self.path;
        let query = request.uri().query().filter(|_| is_ours)?;
        let pairs: Pairs = form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.into_owned(), Secret::new(value)))
            .collect();
        let states: Vec<_> = pairs.iter().filter(|(name, _)| name == "state").collect();
        // One that comes twice is nobody's answer (RFC 6749 §3.1).
        (states.len() == 1 && states[0].1 == self.state).then_some(pairs)
    }
}

const DONE: &str = "You are logged in, or will be in a moment. You can close this page and go back to the program.";
const FAILED: &str = "The login came to nothing. You can close this page; the program says why.";
const NOTHING: &str = "There is nothing here.";

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
