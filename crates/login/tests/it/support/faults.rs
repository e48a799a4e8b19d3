//! A server whose responses end in the middle of the body.

/// What the connection does after the head of a response and a part of its body.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// The server closes a connection whose response has a `Content-Length`.
    Closes,
    /// The server closes the connection in the middle of a chunk.
    ClosesChunk,
}

/// A server whose every response fails like this. Its URL has a secret in its query.
pub(crate) async fn failing(fault: Fault) -> String {
    failing_until(fault, usize::MAX, "").await
}

/// A server that fails like this `times` times, and then sends `good`.
pub(crate) async fn failing_until(fault: Fault, times: usize, good: &'static str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut failed = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            if failed == times {
                let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", good.len());
                stream.write_all((head + good).as_bytes()).await.unwrap();
                continue;
            }
            failed += 1;
            let head = match fault {
                Fault::ClosesChunk => "Transfer-Encoding: chunked\r\n\r\n64\r\n",
                Fault::Closes => "Content-Length: 100\r\n\r\n",
            };
            let text = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{head}{{\"access_token\":");
            stream.write_all(text.as_bytes()).await.unwrap();
        }
    });
    format!("http://{address}/token?client_secret=hunter2")
}
