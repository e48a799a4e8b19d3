//! A small API over real sockets. `/token` issues tokens that live for a second. `/reports` accepts them, `/admin` needs
//! a scope that they lack, and `/never` refuses them.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const LIFETIME: Duration = Duration::from_secs(1);

pub(crate) struct Api {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// How many requests arrived, without those for tokens.
    requests: AtomicUsize,
    tokens: Mutex<HashMap<String, Instant>>,
}

impl Api {
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let api = Self { address: listener.local_addr()?, state: Arc::default() };
        let state = api.state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, state.clone()));
            }
        });
        Ok(api)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }
}

/// Answers the requests of one connection.
async fn serve(stream: TcpStream, state: Arc<State>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut path, mut token, mut length) = (String::new(), String::new(), 0);
        for number in 0.. {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            if number == 0 {
                path = line.split(' ').nth(1).unwrap_or_default().to_owned();
            } else if let Some((name, value)) = line.split_once(": ") {
                match name.to_ascii_lowercase().as_str() {
                    "authorization" => token = value.trim_start_matches("Bearer ").to_owned(),
                    "content-length" => length = value.parse().unwrap_or(0),
                    _ => {}
                }
            } else {
                break;
            }
        }
        stream.read_exact(&mut vec![0; length]).await?;
        stream.write_all(state.answer(&path, &token).as_bytes()).await?;
    }
}

impl State {
    fn answer(&self, path: &str, token: &str) -> String {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if path == "/token" {
            let token = format!("token-{}", tokens.len() + 1);
            tokens.insert(token.clone(), Instant::now());
            return answer("200 OK", "", &token);
        }
        self.requests.fetch_add(1, Ordering::SeqCst);
        let error = match tokens.get(token) {
            None if token.is_empty() => "",
            Some(made) if path != "/never" && made.elapsed() < LIFETIME => return allowed(path),
            _ => ", error=\"invalid_token\"",
        };
        answer("401 Unauthorized", &format!("WWW-Authenticate: Bearer realm=\"reports\"{error}\r\n"), "log in first")
    }
}

fn allowed(path: &str) -> String {
    if path == "/reports" {
        return answer("200 OK", "", "3 reports");
    }
    let challenge = "WWW-Authenticate: Bearer error=\"insufficient_scope\", error_description=\"only for admins\", scope=\"admin\"\r\n";
    answer("403 Forbidden", challenge, "only for admins")
}

fn answer(status: &str, header: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{header}Content-Length: {}\r\n\r\n{body}", body.len())
}
