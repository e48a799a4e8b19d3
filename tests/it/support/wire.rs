//! A server with real sockets. A test gives the octets of each response, and the server counts its connections.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The head of a request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) lines: Vec<String>,
}

impl Head {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let prefix = format!("{name}:");
        let line = self.lines.iter().find(|line| line.to_ascii_lowercase().starts_with(&prefix))?;
        Some(line[prefix.len()..].trim())
    }
}

pub(crate) struct Wire {
    address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    heads: Mutex<Vec<Head>>,
}

type Answer = dyn Fn(&Head) -> Vec<u8> + Send + Sync;

impl Wire {
    /// A server that answers each request with these octets, which are a complete response.
    pub(crate) async fn start(answer: impl Fn(&Head) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let (seen, answer): (_, Arc<Answer>) = (wire.seen.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                seen.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, seen.clone(), answer.clone()));
            }
        });
        wire
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn heads(&self) -> Vec<Head> {
        self.seen.heads.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, seen: Arc<Seen>, answer: Arc<Answer>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut first = lines.remove(0).split(' ').map(str::to_owned).collect::<Vec<_>>().into_iter();
        let head = Head { method: first.next().unwrap(), path: first.next().unwrap(), lines };
        let length = head.value("content-length").map_or(0, |length| length.parse().unwrap());
        stream.read_exact(&mut vec![0; length]).await?;
        seen.heads.lock().unwrap().push(head.clone());
        stream.write_all(&answer(&head)).await?;
    }
}

pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A response whose body is sent in chunks, without a `Content-Length`.
pub(crate) fn chunked(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let chunks: String = body
        .as_bytes()
        .chunks(4_000)
        .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)))
        .collect();
    format!("HTTP/1.1 {status}\r\n{headers}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n").into_bytes()
}
