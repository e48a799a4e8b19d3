//! A command-line tool that logs in by itself: `cargo run -p reqwest-challenge-login --example cli --features cli -- get demo`
//!
//! Without `--api` it talks to servers of its own on loopback, so that it can be tried: the first `get` logs in and leaves a token on
//! disk, the second one needs no login. To copy it, leave `demo.rs` out with what names it in `run` and in `Tool::new`, and put your own
//! API, issuer, client, scopes, names of command, variable and folder in the place of these. It needs the features `cli` of this crate,
//! `derive` of clap, `macros`, `rt-multi-thread` and `signal` of tokio, and, for https, a TLS stack of reqwest: `rustls`.
//!
//! Exit codes: 0 done, 1 anything else, 2 a command line that is none, 4 a login is required, 5 forbidden, 6 the network, 130 Ctrl-C.

mod demo;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::{Parser, Subcommand};
use reqwest_challenge::{
    BoxError, ChallengeMiddleware, Credential, Refresh, RefreshContext, RefreshReason, Session, hardened,
};
use reqwest_challenge_login::cli::{EnvToken, Environment, Login, exit_code, explain};
use reqwest_challenge_login::oauth::{Client, Issuer, Way};
use reqwest_challenge_login::store::{FileStore, Key, Stored};
use reqwest_middleware::ClientWithMiddleware;

const VARIABLE: &str = "DEMO_TOKEN";
const LOGIN: &str = "cli login";

/// A tool that logs in by itself.
#[derive(Parser)]
#[command(name = "cli")]
struct Arguments {
    /// The API; one of its own where none is given
    #[arg(long, global = true, requires = "issuer")]
    api: Option<String>,
    /// Who gives tokens for it
    #[arg(long, global = true, requires = "api")]
    issuer: Option<String>,
    /// The client as which it is known there
    #[arg(long, global = true, default_value = "cli")]
    client: String,
    /// Where credentials are kept
    #[arg(long, global = true)]
    store: Option<PathBuf>,
    /// Do not ask the user anything
    #[arg(long, global = true)]
    no_input: bool,
    /// Log in on another device, with a code
    #[arg(long, global = true)]
    device: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Log in
    Login,
    /// Log out: forget the credential, here and where it was issued
    Logout,
    /// Say who is logged in, and how
    Status,
    /// Print what is at a path of the API; logs in where that is needed
    Get { path: String },
}

/// What all commands use.
struct Tool {
    api: String,
    issuer: String,
    client: ClientWithMiddleware,
    session: Session,
    stored: Arc<Stored<Login>>,
    env: Arc<EnvToken<Arc<Stored<Login>>>>,
}

impl Tool {
    fn new(arguments: &Arguments, (api, issuer): (String, String), file: PathBuf) -> Result<Self, BoxError> {
        let around = Environment::detect().with_input(!arguments.no_input);
        let login = Login::oauth(Issuer::new(&issuer)?, Client::public(&arguments.client));
        let login =
            login.command(LOGIN).environment(around).prompting().configure_oauth(|oauth| oauth.scopes(["read"]));
        let login = if arguments.device { login.way(Way::Device) } else { login };
        let file = FileStore::new(file).on_warning(|warning| tell(&format!("warning: {warning}")));
        // A token is for one API. The demo's servers have another port each time, and are the same for all that.
        let key = match (&arguments.issuer, &arguments.api) {
            (Some(issuer), Some(api)) => Key::new(issuer).client(&arguments.client).api(api),
            _ => Key::new("demo").client(&arguments.client),
        };
        let stored = Stored::new(login.build()?, file, key);
        let stored = stored.on_waiting(|| tell("waiting for the login of another process …"));
        let stored =
            Arc::new(stored.on_save_error(|error| tell(&format!("warning: the credential is not saved: {error}"))));
        let env = Arc::new(EnvToken::new(VARIABLE, stored.clone()));
        let auth = ChallengeMiddleware::new(&api, env.clone())?;
        let session = auth.session();
        // A server that says nothing is a network's failure, too.
        let http = reqwest::Client::builder().connect_timeout(Duration::from_secs(10)).timeout(Duration::from_secs(60));
        let client = hardened(http, auth)?;
        Ok(Self { api, issuer, client, session, stored, env })
    }

    /// A context without a session, to read and to remove what is stored.
    fn context(&self, reason: RefreshReason) -> Result<RefreshContext, BoxError> {
        Ok(RefreshContext::builder(&self.api).reason(reason).build()?)
    }

    async fn login(&self) -> Result<(), BoxError> {
        if self.env.is_set() {
            return Err(format!("{VARIABLE} is set, and is used in place of a login: unset it first").into());
        }
        self.session.login().await?;
        if let Some(why) = self.stored.save_error() {
            return Err(format!("logged in, but nothing of it is saved: {why}").into());
        }
        tell(&format!("logged in; the credential is in {}", self.stored.store_name()));
        Ok(())
    }

    async fn logout(&self) -> Result<(), BoxError> {
        // Loads the stored credential first, so that the logout knows what to revoke. If it cannot be read, it is
        // removed all the same.
        let (held, place) =
            (self.stored.initial(self.context(RefreshReason::Initial)?).await, self.stored.store_name());
        let was_held = !matches!(held, Ok(None));
        let context = self.context(RefreshReason::Logout)?;
        let done = self.stored.forget(context.to_forget(RefreshReason::Logout, held.unwrap_or_default())).await;
        let is_left = !matches!(self.stored.initial(self.context(RefreshReason::Initial)?).await, Ok(None));
        let issuer = &self.issuer;
        match (was_held, is_left) {
            (_, true) => tell(&format!("not logged out of {issuer}: the credential is still in {place}")),
            (true, false) => tell(&format!("logged out of {issuer}: the credential is removed from {place}")),
            (false, false) => tell(&format!("not logged in to {issuer}: no credential is in {place}")),
        }
        if self.env.is_set() {
            tell(&format!("the token in {VARIABLE} is not removed, and is still used: unset it"));
        }
        // Prints what could not be done, for example that the issuer did not revoke the credential.
        Ok(done?)
    }

    async fn status(&self) -> Result<(), BoxError> {
        let Some(held) = self.env.initial(self.context(RefreshReason::Initial)?).await? else {
            return print(&format!("not logged in to {}: run `{LOGIN}`, or set {VARIABLE}", self.issuer));
        };
        let scopes = held.scopes().map_or_else(|| "not known".to_owned(), |scopes| scopes.join(" "));
        let (scheme, place) = (held.scheme(), held.source().unwrap_or("this run"));
        print(&format!(
            "logged in to {}\n  by       a {scheme} credential of {place}\n  scopes   {scopes}\n  expires  {}",
            self.issuer,
            expiry(&held)
        ))
    }

    async fn get(&self, path: &str) -> Result<(), BoxError> {
        let url = reqwest::Url::parse(&self.api)?.join(path)?;
        let response = self.client.get(url).send().await?.error_for_status()?;
        print(&response.text().await?)
    }
}

/// `println!` would panic if the reader closes the pipe, as `head` does.
fn print(text: &str) -> Result<(), BoxError> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// `eprintln!` would panic if standard error is closed, and the exit code would be lost.
fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn expiry(held: &Credential) -> String {
    match held.expiry().map(|expiry| expiry.duration_since(SystemTime::now())) {
        None => "not known".to_owned(),
        Some(Ok(left)) => format!("in {} min", left.as_secs() / 60),
        Some(Err(_)) => "has expired; it is renewed when it is used, if it can be".to_owned(),
    }
}

async fn run(arguments: &Arguments) -> Result<(), BoxError> {
    let file = match &arguments.store {
        Some(file) => file.clone(),
        None => folder()?.join("credentials.json"),
    };
    // The state of the demo's servers is kept beside the credentials.
    let folder = file.parent().map(PathBuf::from).unwrap_or_default();
    let (servers, places) = match (&arguments.api, &arguments.issuer) {
        (Some(api), Some(issuer)) => (None, (api.clone(), issuer.clone())),
        _ => {
            let servers = demo::Servers::start(&folder).await?;
            let places = servers.places();
            (Some(servers), places)
        }
    };
    let tool = Tool::new(arguments, places, file)?;
    let work = async {
        match &arguments.command {
            Command::Login => tool.login().await,
            Command::Logout => tool.logout().await,
            Command::Status => tool.status().await,
            Command::Get { path } => tool.get(path).await,
        }
    };
    let done = tokio::select! {
        done = work => done,
        _ = tokio::signal::ctrl_c() => Err(Interrupted.into()),
    };
    // A credential that is on its way is saved first: a server has half a minute to answer. Whoever is in a hurry says so again.
    tokio::select! {
        _ = tool.session.wait_until_saved(Duration::from_secs(35)) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    drop(servers);
    done
}

/// The folder of the tool's files: beside the file that the user names, which needs no home directory.
fn folder() -> Result<PathBuf, BoxError> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")));
    Ok(home.ok_or("neither XDG_STATE_HOME nor HOME is a folder: say `--store PATH`")?.join("reqwest-challenge-demo"))
}

#[derive(Debug)]
struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

fn main() -> Result<ExitCode, BoxError> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(run(&arguments));
    // A prompt that nobody answers holds no exit.
    runtime.shutdown_background();
    Ok(match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Interrupted>() => ExitCode::from(130),
        Err(error) => {
            tell(&explain(&*error, LOGIN, Some(VARIABLE)));
            ExitCode::from(exit_code(&*error))
        }
    })
}
