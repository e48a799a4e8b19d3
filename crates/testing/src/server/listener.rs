//! A server on a loopback port.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::header::HOST;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use url::Url;

use super::body::read;
use super::respond::Respond;
use crate::journal::Journal;
use crate::message::{Payload, ReceivedRequest};

/// A server on a loopback port. It stops when it is dropped.
pub(crate) struct Listener {
    address: SocketAddr,
    inner: Arc<Inner>,
    task: AbortHandle,
}

struct Inner {
    name: Arc<str>,
    journal: Journal,
    connections: AtomicUsize,
    respond: Arc<dyn Respond>,
}

impl Listener {
    /// Listens on a free port of 127.0.0.1.
    pub(crate) async fn start(name: &str, journal: Journal, respond: Arc<dyn Respond>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        journal.add_server(name);
        let inner = Arc::new(Inner { name: name.into(), journal, connections: AtomicUsize::new(0), respond });
        let accepting = accept(listener, inner.clone());
        Ok(Self { address, inner, task: tokio::spawn(accepting).abort_handle() })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn name(&self) -> &str {
        &self.inner.name
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    /// How many connections were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // The task owns the set of its connections, so they end with it.
        self.task.abort();
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("name", &self.name()).field("address", &self.address).finish_non_exhaustive()
    }
}

async fn accept(listener: TcpListener, inner: Arc<Inner>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        // An error here concerns one connection, so the server goes on. One cause is a lack of file descriptors.
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
        async move { inner.respond(request, number).await }
    });
    // The client sees the same error at its end of the connection.
    // A `Date` of the real clock would contradict the clock of a test.
    let _ = http1::Builder::new()
        .auto_date_header(false)
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Inner {
    async fn respond(&self, request: Request<Incoming>, connection: usize) -> io::Result<Response<Payload>> {
        let (head, body) = request.into_parts();
        let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
        // `OPTIONS *` and an invalid `Host` make no URL. The journal records these requests too.
        let url = Url::parse(&format!("http://{host}{}", head.uri)).or_else(|_| Url::parse("http://127.0.0.1/"));
        let url = url.map_err(io::Error::other)?;
        let (body, error) = read(body).await.map_or_else(|error| (Bytes::new(), Some(error)), |body| (body, None));
        let request = ReceivedRequest {
            server: self.name.clone(),
            key_header: self.respond.key_header(url.path()),
            method: head.method,
            headers: head.headers,
            body,
            version: head.version,
            timeout: None,
            connection: Some(connection),
            url,
        };
        let index = self.journal.add_request(request.clone(), self.respond.purpose(&request));
        if let Some(error) = error {
            return Err(error);
        }
        let answer = self.respond.respond(&request);
        answer.wait().await;
        self.journal.add_answer(index, &answer);
        if answer.is_cut { Err(io::Error::other("cut")) } else { Ok(answer.into_response()) }
    }
}
