//! A server of HTTP/2 without TLS, on loopback.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// How many streams a connection has at the same time.
const MAX_STREAMS: u32 = 100;

/// A server that accepts the newest token and answers any other request with 401.
pub(crate) struct H2Server {
    url: String,
    token: Mutex<String>,
    refusal: Bytes,
    requests: AtomicUsize,
    /// Notified of each request.
    arrived: Notify,
    connections: AtomicUsize,
}

impl H2Server {
    /// Starts a server whose refusals have a body of that many octets.
    pub(crate) async fn start(refusal: usize) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Arc::new(Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            token: Mutex::new("t0".to_owned()),
            refusal: Bytes::from(vec![b'x'; refusal]),
            requests: AtomicUsize::new(0),
            arrived: Notify::new(),
            connections: AtomicUsize::new(0),
        });
        tokio::spawn(Self::accept(server.clone(), listener));
        server
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            self.connections.fetch_add(1, Ordering::SeqCst);
            let server = self.clone();
            let service = service_fn(move |request| std::future::ready(Ok::<_, Infallible>(server.answer(&request))));
            let mut connection = http2::Builder::new(TokioExecutor::new());
            connection.max_concurrent_streams(MAX_STREAMS);
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
        }
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        self.arrived.notify_waiters();
        let wanted = format!("Bearer {}", self.token.lock().unwrap_or_else(PoisonError::into_inner));
        if request.headers().get(AUTHORIZATION).is_some_and(|value| value == wanted.as_str()) {
            return Response::new(Full::new(Bytes::from_static(b"in")));
        }
        let response = Response::builder().status(401).header(WWW_AUTHENTICATE, "Bearer realm=\"api\"");
        response.body(Full::new(self.refusal.clone())).unwrap()
    }

    /// Waits until that many requests have arrived.
    pub(crate) async fn wait_for_requests(&self, number: usize) {
        loop {
            let arrived = self.arrived.notified();
            if self.requests() >= number {
                return;
            }
            arrived.await;
        }
    }

    /// Issues another token, which is the only one that is accepted from then on.
    pub(crate) fn new_token(&self) -> String {
        let token = format!("t{}", self.requests());
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&token);
        token
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}
