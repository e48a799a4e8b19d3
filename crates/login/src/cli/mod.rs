//! Logins of a command-line tool. Feature `cli`.
//!
//! [`Login`] is a refresher that reaches the user: with a browser on this machine, a code for another device, or a prompt for
//! a token or a password. [`Environment`] describes where the tool runs, and decides which of them works. If none works, the
//! call fails at once and names the command to run. [`EnvToken`] makes a token in an environment variable take precedence. When
//! a command has failed, [`exit_code`] and [`explain`] give its exit code and the text for the user.
//!
//! ```no_run
//! use reqwest_challenge::ChallengeMiddleware;
//! use reqwest_challenge_login::cli::{EnvToken, Login};
//! use reqwest_challenge_login::oauth::{Client, Issuer};
//! use reqwest_challenge_login::store::{FileStore, Key, Stored};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let login = Login::oauth(Issuer::new("https://auth.example.com")?, Client::public("tool"));
//! let login = login.command("tool login").prompting().build()?;
//! let key = Key::new("https://auth.example.com").client("tool").api("https://api.example.com");
//! let stored = Stored::new(login, FileStore::new("/home/alice/.config/tool/credentials.json"), key);
//! let auth = ChallengeMiddleware::new("https://api.example.com", EnvToken::new("TOOL_TOKEN", stored))?;
//! # Ok(()) }
//! ```
//!
//! # The terminal
//! Nothing is written to standard output. Standard input is read only if it is a terminal.
//!
//! A prompt is cancelled, and the terminal restored, when no caller waits for the answer any more. A tool can therefore wait
//! for Ctrl-C beside a request, and then call [`wait_until_saved`](reqwest_challenge::Session::wait_until_saved), as the example
//! `cli` does.
//!
//! Ctrl-Z, Ctrl-C and Ctrl-\ at a prompt restore the terminal before they stop or end the process. After `fg` the
//! prompt discards what the user typed and asks again. A prompt in a background process stops the process until `fg`.
//! If a signal from another process kills or stops the process at a prompt, or the process calls `std::process::exit`,
//! the terminal stays without echo: run `stty sane`.

mod environment;
mod env_token;
mod outcome;
mod browser;
mod show;
mod cancellation;
#[cfg(unix)]
mod foreground;
#[cfg(unix)]
mod saved_modes;
#[cfg(not(unix))]
#[path = "saved_modes_elsewhere.rs"]
mod saved_modes;
mod prompt_state;
#[cfg(unix)]
mod terminal;
#[cfg(not(unix))]
#[path = "terminal_elsewhere.rs"]
mod terminal;
mod prompt;
mod login;
mod builder;

pub use builder::LoginBuilder;
pub use env_token::EnvToken;
pub use environment::Environment;
pub use login::Login;
pub use outcome::{exit_code, explain};
