//! Logins of a command-line tool, with the feature `cli`.
//!
//! [`Login`] finds out how to reach the person: a browser of this machine, a code for another device, a prompt for a token or a
//! password, or nobody at all, as the server has it and as it is where the tool runs. [`Env`] puts a token of the environment before
//! whatever else there is. [`exit_code`] and [`explain`] say how it ended.
//!
//! ```no_run
//! use reqwest_challenge::ChallengeMiddleware;
//! use reqwest_challenge_login::cli::{Env, Login};
//! use reqwest_challenge_login::oauth::{Client, Issuer};
//! use reqwest_challenge_login::store::{FileStore, Key, Stored};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let login = Login::oauth(Issuer::new("https://auth.example.com")?, Client::public("tool"));
//! let login = login.command("tool login").prompting().build()?;
//! let key = Key::new("https://auth.example.com").client("tool").api("https://api.example.com");
//! let stored = Stored::new(login, FileStore::new("/home/alice/.config/tool/credentials.json"), key);
//! let auth = ChallengeMiddleware::new("https://api.example.com", Env::new("TOOL_TOKEN", stored))?;
//! # Ok(()) }
//! ```
//!
//! If the tool waits for Ctrl-C beside a request and then calls [`settle`](crate::Session::wait_until_saved), as the example `cli` does,
//! the terminal is restored: a prompt is given up when no caller waits for it any more.
//!
//! Ctrl-Z, Ctrl-C and Ctrl-\ at a prompt restore the terminal before they stop or end the process. After `fg` the
//! prompt discards what the user typed and asks again. A prompt in a background process stops the process until `fg`.
//! If a signal from another process kills or stops the process at a prompt, or the process calls `std::process::exit`,
//! the terminal stays without echo: run `stty sane`.
//!
//! Nothing is written to standard output. Standard input is read only if it is a terminal.

mod browser;
mod builder;
mod env;
#[cfg(unix)]
mod foreground;
mod login;
mod outcome;
mod prompt;
mod show;
mod environment;
#[cfg(unix)]
mod terminal;
#[cfg(not(unix))]
#[path = "terminal_elsewhere.rs"]
mod terminal;

pub use builder::LoginBuilder;
pub use env::Env;
pub use environment::Environment;
pub use login::Login;
pub use outcome::{exit_code, explain};
