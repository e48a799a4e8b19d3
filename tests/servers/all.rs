//! Starts the servers and runs their checks.

#[path = "apache/mod.rs"]
mod apache;
#[path = "nginx/mod.rs"]
mod nginx;
#[path = "oidc/mod.rs"]
mod oidc;
#[path = "registry/mod.rs"]
mod registry;

use std::future::Future;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest_challenge::{ChallengeMiddleware, Password, Refresh};
use reqwest_challenge_testing::MockApi;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

/// The URL and the folder of a server, and the token server that it trusts, if any.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) url: String,
    pub(crate) folder: PathBuf,
    pub(crate) tokens: Option<Arc<MockApi>>,
}

/// A check of a server: the scheme, a description, and the function that checks it.
pub(crate) type Check = (&'static str, &'static str, fn(Running) -> Pin<Box<dyn Future<Output = ()>>>);

/// Makes a check of an async function.
#[macro_export]
macro_rules! check {
    ($scheme:literal, $what:literal, $function:ident) => {
        ($scheme, $what, |server| Box::pin($function(server)))
    };
}

/// The process of a server, and the folder to which it writes.
struct Server {
    process: Child,
    folder: PathBuf,
    url: String,
}

impl Server {
    fn start(name: &str, folder: PathBuf, tokens: Option<&MockApi>) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let start = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers").join(name).join("start");
        let process = Command::new(start)
            .env("PORT", port.to_string())
            .env("DIR", &folder)
            .env("TOKEN_URL", tokens.map(|tokens| tokens.url("/token")).unwrap_or_default())
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut server = Self { process, folder, url: format!("http://127.0.0.1:{port}") };
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = server.process.try_wait().unwrap() {
                panic!("{name} ended ({status}): is it installed? see .ci/servers");
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{name} does not answer");
            std::thread::yield_now();
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGTERM, so that the server stops its children too.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A client with that refresher.
pub(crate) fn client(url: &str, refresher: impl Refresh) -> ClientWithMiddleware {
    let auth = ChallengeMiddleware::new(url, refresher).unwrap();
    ClientBuilder::new(reqwest::Client::new()).with(auth).build()
}

/// A client with the password of alice.
pub(crate) fn alice(url: &str, password: &str) -> ClientWithMiddleware {
    client(url, Password::new("alice", password))
}

pub(crate) fn run() {
    let all: [(&str, &[Check]); 4] = [
        ("apache", &apache::CHECKS),
        ("nginx", &nginx::CHECKS),
        ("oidc", &oidc::CHECKS),
        ("registry", &registry::CHECKS),
    ];
    if std::env::var_os("SERVERS").is_none() {
        let names = all.map(|(name, checks)| format!("{name} ({} checks)", checks.len()));
        return println!("skipped: real servers, {}; SERVERS=1 runs them", names.join(", "));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("| server | scheme | what passes |\n|---|---|---|");
    for (name, checks) in all {
        let folder = std::env::temp_dir().join(format!("reqwest-challenge-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let tokens = (name == "registry").then(|| Arc::new(runtime.block_on(registry::token_server(folder.clone()))));
        let server = Server::start(name, folder, tokens.as_deref());
        for (scheme, what, check) in checks {
            let (url, folder, tokens) = (server.url.clone(), server.folder.clone(), tokens.clone());
            runtime.block_on(check(Running { url, folder, tokens }));
            println!("| {name} | {scheme} | {what} |");
        }
    }
}
