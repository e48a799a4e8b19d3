//! A command-line tool that logs in when it needs a credential:
//! `cargo run -p reqwest-challenge-login --example cli --features cli -- get demo`
//!
//! Without `--api`, the tool starts demo servers on loopback. The first `get` logs in and saves a token; the second `get` needs no
//! login. To copy the tool, remove `demo.rs` and its uses in `run` and `Tool::new`, and set your own API, issuer, client, scopes,
//! command name, variable and folder. It needs the feature `cli` of this crate, `derive` of clap, `macros`, `rt-multi-thread` and
//! `signal` of tokio, and a TLS feature of reqwest, such as `rustls`, for https.
//!
//! Exit codes: 0 success, 1 other errors, 2 invalid command line, 4 login required, 5 forbidden, 6 network failure, 130 Ctrl-C.

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
use reqwest_challenge_login::oauth::{Client, Issuer, LoginMethod};
use reqwest_challenge_login::store::{FileStore, Key, Stored};
use reqwest_middleware::ClientWithMiddleware;

const VARIABLE: &str = "DEMO_TOKEN";
const LOGIN: &str = "cli login";

/// A tool that logs in when it needs a credential.
#[derive(Parser)]
#[command(name = "cli")]
struct Arguments {
    /// URL of the API [default: a demo server]
    #[arg(long, global = true, requires = "issuer")]
    api: Option<String>,
    /// URL of the issuer that gives tokens for the API
    #[arg(long, global = true, requires = "api")]
    issuer: Option<String>,
    /// Client ID of this tool at the issuer
    #[arg(long, global = true, default_value = "cli")]
    client: String,
    /// File in which credentials are saved
    #[arg(long, global = true)]
    store: Option<PathBuf>,
    /// Never prompt the user
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
    /// Log out: remove the saved credential and revoke it at the issuer
    Logout,
    /// Show the current login
    Status,
    /// Print the response of the API for a path; logs in if necessary
    Get { path: String },
}

/// The state that all commands use.
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
        let environment = Environment::detect().with_input(!arguments.no_input);
        let login = Login::oauth(Issuer::new(&issuer)?, Client::public(&arguments.client));
        let login =
            login.command(LOGIN).environment(environment).prompting().configure_oauth(|oauth| oauth.scopes(["read"]));
        let login = if arguments.device { login.login_method(LoginMethod::Device) } else { login };
        let file = FileStore::new(file).on_warning(|warning| tell(&format!("warning: {warning}")));
        // The key of a credential contains the API. The demo servers use a new port in each run, so their key contains no URL.
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
        // Timeouts turn a server that does not answer into a network failure.
        let http = reqwest::Client::builder().connect_timeout(Duration::from_secs(10)).timeout(Duration::from_secs(60));
        let client = hardened(http, auth)?;
        Ok(Self { api, issuer, client, session, stored, env })
    }

    /// A context without a session, to load and to remove the stored credential.
    fn context(&self, reason: RefreshReason) -> Result<RefreshContext, BoxError> {
        Ok(RefreshContext::builder(&self.api).reason(reason).build()?)
    }

    async fn login(&self) -> Result<(), BoxError> {
        if self.env.is_set() {
            return Err(format!("{VARIABLE} is set and is used instead of a login: unset it first").into());
        }
        self.session.login().await?;
        if let Some(why) = self.stored.save_error() {
            return Err(format!("logged in, but the credential is not saved: {why}").into());
        }
        tell(&format!("logged in; the credential is in {}", self.stored.store_name()));
        Ok(())
    }

    async fn logout(&self) -> Result<(), BoxError> {
        // Loads the stored credential first, because the logout revokes it. A credential that cannot be read is removed too.
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
            tell(&format!("the token in {VARIABLE} is not removed and is still used: unset the variable to stop this"));
        }
        // The error says what failed, for example that the issuer did not revoke the credential.
        Ok(done?)
    }

    async fn status(&self) -> Result<(), BoxError> {
        let Some(held) = self.env.initial(self.context(RefreshReason::Initial)?).await? else {
            return print(&format!("not logged in to {}: run `{LOGIN}`, or set {VARIABLE}", self.issuer));
        };
        let scopes = held.scopes().map_or_else(|| "not known".to_owned(), |scopes| scopes.join(" "));
        let (scheme, place) = (held.scheme(), held.source().unwrap_or("this run"));
        print(&format!(
            "logged in to {}\n  with     a {scheme} credential from {place}\n  scopes   {scopes}\n  expires  {}",
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
        Some(Err(_)) => "expired; the next request renews it if possible".to_owned(),
    }
}

async fn run(arguments: &Arguments) -> Result<(), BoxError> {
    let file = match &arguments.store {
        Some(file) => file.clone(),
        None => folder()?.join("credentials.json"),
    };
    // The file of the demo servers is in the folder of the credentials.
    let folder = file.parent().map(PathBuf::from).unwrap_or_default();
    let (servers, urls) = match (&arguments.api, &arguments.issuer) {
        (Some(api), Some(issuer)) => (None, (api.clone(), issuer.clone())),
        _ => {
            let servers = demo::Servers::start(&folder).await?;
            let urls = servers.urls();
            (Some(servers), urls)
        }
    };
    let tool = Tool::new(arguments, urls, file)?;
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
    // A refresh that still runs is waited for and saved; it takes at most half a minute. A second Ctrl-C ends the wait.
    tokio::select! {
        _ = tool.session.wait_until_saved(Duration::from_secs(35)) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    drop(servers);
    done
}

/// The default folder of the tool's files. With `--store`, the tool needs no home directory.
fn folder() -> Result<PathBuf, BoxError> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")));
    Ok(home
        .ok_or("neither XDG_STATE_HOME nor HOME is an absolute path: use `--store PATH`")?
        .join("reqwest-challenge-demo"))
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
    // A prompt without an answer does not delay the exit.
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
