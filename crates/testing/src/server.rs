//! A server on loopback: what it answers is decided elsewhere.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderName, Request, Response};
use http_body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use url::Url;

use crate::answer::{Answer, Payload};
use crate::arrived::Arrived;
use crate::journal::Journal;
use crate::purpose::Purpose;

/// Decides about requests.
pub(super) trait Decide: Send + Sync + 'static {
    fn answer(&self, arrived: &Arrived) -> Answer;

    /// The header that keys are taken from at that path.
    fn key(&self, path: &str) -> Option<HeaderName>;

    /// The purpose of that request.
    fn purpose(&self, arrived: &Arrived) -> Purpose;
}

/// Listens until it is dropped.
pub(super) struct Server {
    address: SocketAddr,
    inner: Arc<Inner>,
    task: AbortHandle,
}

struct Inner {
    name: Arc<str>,
    journal: Journal,
    connections: AtomicUsize,
    decide: Arc<dyn Decide>,
}

impl Server {
    /// Listens on a free port of 127.0.0.1.
    pub(super) async fn start(name: &str, journal: Journal, decide: Arc<dyn Decide>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        journal.server(name);
        let inner = Arc::new(Inner { name: name.into(), journal, connections: AtomicUsize::new(0), decide });
        let accepting = accept(listener, inner.clone());
        Ok(Self { address, inner, task: tokio::spawn(accepting).abort_handle() })
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn name(&self) -> &str {
        &self.inner.name
    }

    pub(super) fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    pub(super) fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its connections are in its set, and go with it.
        self.task.abort();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("name", &self.name()).field("address", &self.address).finish_non_exhaustive()
    }
}

async fn accept(listener: TcpListener, inner: Arc<Inner>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        // A failure to accept is of one connection: out of descriptors, or gone before it was accepted.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let number = inner.connections.fetch_add(1, Ordering::SeqCst) + 1;
        connections.spawn(serve(stream, number, inner.clone()));
    }
}

async fn serve(stream: TcpStream, number: usize, inner: Arc<Inner>) {
    let service = service_fn(|request| {
        let inner = inner.clone();
        async move { inner.answer(request, number).await }
    });
    // What is wrong with a connection is seen by whoever holds its other end.
    let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
}

impl Inner {
    async fn answer(
        &self,
        request: Request<hyper::body::Incoming>,
        connection: usize,
    ) -> io::Result<Response<Payload>> {
        let (head, body) = request.into_parts();
        let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
        // `OPTIONS *` and a host that is none are requests too, and are remembered.
        let url = Url::parse(&format!("http://{host}{}", head.uri)).or_else(|_| Url::parse("http://127.0.0.1/"));
        let url = url.map_err(io::Error::other)?;
        let (body, broken) = read(body).await.map_or_else(|error| (Bytes::new(), Some(error)), |body| (body, None));
        let arrived = Arrived {
            server: self.name.clone(),
            key: self.decide.key(url.path()),
            method: head.method,
            headers: head.headers,
            body,
            version: head.version,
            timeout: None,
            connection: Some(connection),
            url,
        };
        let place = self.journal.arrived(arrived.clone(), self.decide.purpose(&arrived));
        if let Some(error) = broken {
            return Err(error);
        }
        let answer = self.decide.answer(&arrived);
        answer.due().await;
        self.journal.answered(place, &answer);
        if answer.cut { Err(io::Error::other("cut")) } else { Ok(answer.into_response()) }
    }
}

/// Reads a whole body.
pub(super) async fn read<B>(mut body: B) -> io::Result<Bytes>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut octets = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame.map_err(io::Error::other)?.into_data() {
            octets.extend_from_slice(&data);
        }
    }
    Ok(octets.into())
}
