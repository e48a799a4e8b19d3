//! Many requests at once over loopback: throughput, and many callers with an expired credential.

use std::io::BufRead;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest_challenge::{BoxError, ChallengeMiddleware, Credential, RefreshContext};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::super::{DELAY, row};
use super::stacks::Stack;
use crate::allocator;

/// An API on loopback in a separate process. It accepts one token at a time.
pub(super) struct Api {
    address: String,
    process: Child,
}

#[derive(Default)]
struct State {
    token: Mutex<String>,
    refused: Vec<u8>,
    /// The delay of the token endpoint.
    delay: Duration,
    requests: AtomicUsize,
    connections: AtomicUsize,
    tokens: AtomicUsize,
    /// How many requests must have arrived before the first answer.
    expected: AtomicUsize,
    /// Notifies the waiting responses when all expected requests have arrived.
    all: tokio::sync::Notify,
}

/// Serves until the process is killed. `--serve SIZE CHUNKED DELAY` calls it.
pub(crate) fn serve_for_ever(size: &str, chunked: &str, delay: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let refused = refused(size.parse().unwrap(), chunked == "true");
    let delay = Duration::from_millis(delay.parse().unwrap());
    let state = Arc::new(State { token: Mutex::new("t0".to_owned()), refused, delay, ..State::default() });
    runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener: TcpListener = socket.listen(20_000).unwrap();
        println!("{}", listener.local_addr().unwrap());
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                state.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, state.clone()));
            }
        }
    });
}

impl Drop for Api {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Api {
    pub(super) fn start(size: usize, chunked: bool, delay: Duration) -> Self {
        let delay = delay.as_millis().to_string();
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--serve", &size.to_string(), &chunked.to_string(), &delay])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        std::io::BufReader::new(process.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { address: address.trim().to_owned(), process }
    }

    /// The tokens, requests and connections since the last call. Sets how many requests the next answers wait for.
    fn stats(&self, runtime: &tokio::runtime::Runtime, expected: usize) -> [usize; 3] {
        let stats =
            async { reqwest::get(self.url(&format!("/stats/{expected}"))).await.unwrap().text().await.unwrap() };
        let stats = runtime.block_on(stats);
        let numbers: Vec<usize> = stats.split(' ').map(|number| number.parse().unwrap()).collect();
        numbers.try_into().unwrap()
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn client(&self, rotating: bool) -> ClientWithMiddleware {
        let url = self.url(if rotating { "/rotate" } else { "/token" });
        let refresh = move |context: RefreshContext| {
            let url = url.clone();
            async move { Ok::<_, BoxError>(Credential::bearer(context.http_client()?.get(url).send().await?.text().await?)) }
        };
        let auth =
            ChallengeMiddleware::builder(self.url(""), refresh).initial_credential(Credential::bearer("expired"));
        ClientBuilder::new(reqwest::Client::new()).with(auth.build().unwrap()).build()
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        let (mut path, mut token, mut length) = (Vec::new(), Vec::new(), 0_usize);
        loop {
            line.clear();
            if stream.read_until(b'\n', &mut line).await? == 0 {
                return Ok(());
            }
            let text = line.trim_ascii_end();
            if text.is_empty() {
                break;
            } else if path.is_empty() {
                path = text.split(|&octet| octet == b' ').nth(1).unwrap().to_vec();
            } else if let Some(value) = text.strip_prefix(b"authorization: Bearer ") {
                token = value.to_vec();
            } else if let Some(value) = text.strip_prefix(b"content-length: ") {
                length = std::str::from_utf8(value).unwrap().parse().unwrap();
            }
        }
        let mut left = length;
        let mut piece = [0; 65_536];
        while left > 0 {
            left -= stream.read(&mut piece[..left.min(65_536)]).await?;
        }
        let renews = matches!(&path[..], b"/token" | b"/rotate");
        if path == b"/gated" {
            state.requests.fetch_add(1, Ordering::SeqCst);
        }
        if path == b"/gated" || renews {
            state.wait_for_all().await;
        }
        if renews {
            tokio::time::sleep(state.delay).await;
        }
        let answer = state.answer(&path, &token);
        stream.write_all(&answer).await?;
    }
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

impl State {
    /// Waits until all expected requests have arrived. So a run with the middleware and a run without it hold the
    /// same number of requests at once.
    async fn wait_for_all(&self) {
        let all = self.all.notified();
        if self.requests.load(Ordering::SeqCst) < self.expected.load(Ordering::SeqCst) {
            return all.await;
        }
        self.all.notify_waiters();
    }

    fn answer(&self, path: &[u8], token: &[u8]) -> Vec<u8> {
        let mut current = self.token.lock().unwrap();
        match path {
            b"/rotate" | b"/token" => {
                let number = self.tokens.fetch_add(1, Ordering::SeqCst) + 1;
                if path == b"/rotate" {
                    *current = format!("t{number}");
                }
                ok(&current)
            }
            b"/open" => ok("in"),
            _ if path.starts_with(b"/stats/") => {
                let expected = std::str::from_utf8(&path[7..]).unwrap().parse().unwrap();
                self.expected.store(expected, Ordering::SeqCst);
                let seen =
                    [&self.tokens, &self.requests, &self.connections].map(|count| count.swap(0, Ordering::SeqCst));
                // The connection of this request is not counted.
                ok(&format!("{} {} {}", seen[0], seen[1], seen[2].saturating_sub(1)))
            }
            _ if token == current.as_bytes() => ok("in"),
            _ => self.refused.clone(),
        }
    }
}

fn refused(size: usize, chunked: bool) -> Vec<u8> {
    let (head, body) = ("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"a\"\r\n", "x".repeat(size));
    match chunked {
        false => format!("{head}Content-Length: {size}\r\n\r\n{body}").into_bytes(),
        true => format!("{head}Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n{body}\r\n0\r\n\r\n").into_bytes(),
    }
}

pub(super) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Requests per second with 64 callers, compared with the usual middleware of 15 lines. Runs of both alternate, and
/// the figure is the median ratio.
pub(crate) fn throughput() -> bool {
    println!("{:<58} {:>9}     allowed", "over loopback", "figure");
    let (api, runtime) = (Api::start(10, false, DELAY), runtime());
    let round = |stack: Stack| {
        let client = stack.client(&api.url(""), reqwest::Client::new(), None);
        let url = api.url("/open");
        let start = Instant::now();
        runtime.block_on(async {
            let callers: Vec<_> = (0..64)
                .map(|_| {
                    let (client, url) = (client.clone(), url.clone());
                    tokio::spawn(async move {
                        for _ in 0..150 {
                            client.get(&url).send().await.unwrap().bytes().await.unwrap();
                        }
                    })
                })
                .collect();
            for caller in callers {
                caller.await.unwrap();
            }
        });
        64.0 * 150.0 / start.elapsed().as_secs_f64()
    };
    round(Stack::Insert);
    let mut ratios: Vec<f64> = (0..15).map(|_| round(Stack::Ours) / round(Stack::Insert)).collect();
    ratios.sort_by(f64::total_cmp);
    row("64 callers: ratio of requests per second to the 15 lines", ratios[7], 0.95, false)
}

/// Sends one request per caller at once, that many times. A caller sends its next request when the requests of all
/// callers have been answered. Returns the time, the number of successes, and the peak memory in MiB.
fn send_at_once(
    runtime: &tokio::runtime::Runtime,
    callers: usize,
    client: &ClientWithMiddleware,
    url: &str,
    times: usize,
) -> (Duration, usize, f64) {
    let all = Arc::new(tokio::sync::Barrier::new(callers));
    let peak = allocator::peak();
    let start = Instant::now();
    let good = runtime.block_on(async {
        let calls: Vec<_> = (0..callers)
            .map(|_| {
                let (request, all) = (client.get(url), all.clone());
                tokio::spawn(async move {
                    for _ in 1..times {
                        request.try_clone().unwrap().send().await.unwrap().bytes().await.unwrap();
                        all.wait().await;
                    }
                    let response = request.send().await.unwrap();
                    let good = response.status() == 200;
                    response.bytes().await.unwrap();
                    good
                })
            })
            .collect();
        let mut good = 0;
        for call in calls {
            good += usize::from(call.await.unwrap());
        }
        good
    });
    (start.elapsed(), good, peak())
}

/// Many callers behind large 401s. If the second sends started before the connections of the 401s can serve again, they would need
/// further connections.
pub(crate) fn connections() -> bool {
    const CALLERS: usize = 500;
    let mut within = true;
    for (size, delay) in [(30_000, 0), (45_000, 0), (60_000, 0), (30_000, 20), (60_000, 20)] {
        let mut seen = [0; 3].map(|_| {
            let (api, runtime) = (Api::start(size, false, Duration::from_millis(delay)), runtime());
            // The refresher sends no request, so it can end while the server still sends the 401s.
            let refresh = move |_: RefreshContext| async move {
                tokio::time::sleep(Duration::from_millis(delay)).await;
                Ok::<_, BoxError>(Credential::bearer("t0"))
            };
            let auth =
                ChallengeMiddleware::builder(api.url(""), refresh).initial_credential(Credential::bearer("expired"));
            let client = ClientBuilder::new(reqwest::Client::new()).with(auth.build().unwrap()).build();
            api.stats(&runtime, CALLERS);
            send_at_once(&runtime, CALLERS, &client, &api.url("/gated"), 1);
            // The request for the figures uses one more connection, which `stats` does not count.
            api.stats(&runtime, 0)[2]
        });
        let what = format!("500 callers, 401 of {size} bytes, refresh of {delay} ms: connections");
        seen.sort_unstable();
        within &= row(&what, seen[1] as f64, CALLERS as f64, true);
    }
    within
}

/// The highest allowed time of many callers at once, as a multiple of their 401s alone plus the refresh.
const MAX_TIMES: f64 = 1.3;

pub(crate) fn concurrent_refreshes() -> bool {
    let mut within = true;
    for (callers, body, chunked, rotating) in [
        (1_000, 100, false, false),
        (1_000, 60_000, true, true),
        (10_000, 100, false, true),
        (10_000, 100, true, false),
    ] {
        // Each run has a new server and a new runtime, and ends before the next begins, because it takes as long to close 10,000
        // connections as to open them.
        let one = |ours: bool, times: usize| {
            let (api, runtime) = (Api::start(body, chunked, DELAY), runtime());
            let bare = ClientBuilder::new(reqwest::Client::new()).build();
            let client = if ours { api.client(rotating) } else { bare };
            api.stats(&runtime, callers);
            let seen = send_at_once(&runtime, callers, &client, &api.url("/gated"), times);
            (seen, api.stats(&runtime, 0))
        };
        // Without the middleware: the time of the 401s alone, and the memory of the same number of sends. Medians of three.
        let median = |mut seen: [f64; 3]| {
            seen.sort_by(f64::total_cmp);
            seen[1]
        };
        let held = one(false, 2).0.2;
        // A time is measured up to three times before it counts as out of its bound.
        let (mut ours, mut times, mut looks) = ([0; 3].map(|_| one(true, 1)), f64::MAX, 0);
        while times > MAX_TIMES && looks < 3 {
            if looks > 0 {
                ours = [0; 3].map(|_| one(true, 1));
            }
            let alone = median([0; 3].map(|_| one(false, 1).0.0.as_secs_f64()));
            times = median(ours.map(|((time, ..), _)| time.as_secs_f64())) / (alone + DELAY.as_secs_f64());
            looks += 1;
        }
        let memory = median(ours.map(|((.., memory), _)| memory));
        // The refresh uses one more connection.
        let exact = ours.iter().all(|((_, good, _), seen)| *good == callers && *seen == [1, 2 * callers, callers + 1]);
        let ((_, good, _), [tokens, requests, connections]) = ours[0];
        let connected = connections - 1;
        let kind = format!("{callers} at once, 401 of {body} bytes{}", if chunked { " chunked" } else { "" });
        println!("{kind}: {tokens} refresh, {requests} requests, {good} answers with 200, {connected} connections");
        within &= exact;
        within &= row("  time, ratio to the 401s alone plus the refresh", times, MAX_TIMES, true);
        within &= row("  peak memory, ratio to the same sends without middleware", memory / held, 1.15, true);
    }
    within
}
