//! A server whose responses end in the middle of the body.

use super::wire::answer;

/// What the server does after the head of a response and a part of its body.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// The server closes a connection whose response has a `Content-Length`.
    Closes,
    /// The server closes the connection in the middle of a chunk.
    ClosesChunk,
    /// The server resets the connection.
    Resets,
    /// The server sends nothing more, so the client times out.
    Stalls,
}

pub(crate) const FAULTS: [Fault; 4] = [Fault::Closes, Fault::ClosesChunk, Fault::Resets, Fault::Stalls];

/// A server whose responses all fail in this way. Its URL has a secret in its query.
pub(crate) async fn failing(fault: Fault) -> String {
    failing_until(fault, usize::MAX, "").await
}

/// A server that fails in this way `times` times, and then sends `good`.
pub(crate) async fn failing_until(fault: Fault, times: usize, good: &'static str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut open, mut failed) = (Vec::new(), 0);
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            if failed == times {
                stream.write_all(&answer("200 OK", "Connection: close\r\n", good)).await.unwrap();
                continue;
            }
            failed += 1;
            let head = match fault {
                Fault::ClosesChunk => "Transfer-Encoding: chunked\r\n\r\n64\r\n",
                _ => "Content-Length: 100\r\n\r\n",
            };
            let text = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{head}{{\"access_token\":");
            stream.write_all(text.as_bytes()).await.unwrap();
            match fault {
                Fault::Closes | Fault::ClosesChunk => drop(stream),
                Fault::Resets => stream.set_zero_linger().unwrap(),
                Fault::Stalls => open.push(stream),
            }
        }
    });
    format!("http://{address}/token?client_secret=hunter2")
}
