//! Stores of credentials, so that a login survives the process. Feature `store`.
//!
//! [`Stored`] is a decorator: a [`Refresh`](reqwest_challenge::Refresh) around another refresher. It begins with the stored
//! credential. It renews under a lock that all processes share, and it saves each new credential before a request uses it.
//! [`FileStore`] keeps credentials in a file that only its owner can read, [`MemoryStore`] keeps them in memory, and
//! [`Store`] is the trait for other places.
//!
//! ```no_run
//! # #[cfg(feature = "oauth")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use reqwest_challenge::ChallengeMiddleware;
//! use reqwest_challenge_login::oauth::{AuthorizationCode, Client, Issuer, OAuth};
//! use reqwest_challenge_login::store::{FileStore, Key, Stored};
//!
//! # let open = |_: &reqwest_challenge_login::oauth::AuthorizationPrompt| Ok(());
//! let login = OAuth::new(Issuer::new("https://auth.example.com")?, Client::public("tool"), AuthorizationCode::new(open))?;
//! let file = FileStore::new("/home/alice/.config/tool/credentials.json");
//! let key = Key::new("https://auth.example.com").client("tool").api("https://api.example.com");
//! let auth = ChallengeMiddleware::new("https://api.example.com", Stored::new(login, file, key))?;
//! # Ok(()) }
//! # #[cfg(not(feature = "oauth"))]
//! # fn main() {}
//! ```
//!
//! # How a credential travels
//! 1. The session asks for the initial credential. [`Stored`] loads the text under its [`Key`], and [`from_saved`] makes a
//!    credential of it.
//! 2. A server refuses the credential. [`Stored`] takes the store's lock and loads again. If another process has renewed
//!    meanwhile, its credential is the answer.
//! 3. Otherwise [`Stored`] prepares the save, so that a full disk is found before a single-use refresh token is sent. It
//!    calls the refresher inside with the stored credential in the context.
//! 4. [`to_saved`] writes the new credential as text. The store replaces the old text, if it is still there.
//! 5. A logout removes the text and revokes the credential. Each of the two happens even if the other fails.
//!
//! # A token that is bound to a key
//! A DPoP token is useless without its key. Store the key beside the token, under a key name of its own, and restore
//! credentials with it:
//!
//! ```no_run
//! # #[cfg(feature = "oauth")]
//! # async fn bound(login: reqwest_challenge_login::oauth::OAuth) -> Result<(), reqwest_challenge::BoxError> {
//! use reqwest_challenge::dpop::{Dpop, Es256Key};
//! use reqwest_challenge_login::store::{FileStore, Key, Store, Stored};
//!
//! let file = FileStore::new("/home/alice/.config/tool/credentials.json");
//! let name = Key::new("https://auth.example.com").client("tool");
//! let key_name = name.clone().account("the key of all tokens");
//! let made = Es256Key::generate()?.to_secret();
//! // If another process has stored a key first, this call changes nothing, and the other key is loaded.
//! file.replace(&key_name, None, &made).await?;
//! let key = Es256Key::from_secret(&file.load(&key_name).await?.unwrap_or(made))?;
//!
//! let dpop = Dpop::new(key);
//! let login = login.dpop(dpop.clone());
//! let stored = Stored::new(login, file, name)
//!     .restored_by(move |scheme, token| (scheme == "DPoP").then(|| dpop.restored(token)));
//! # drop(stored); Ok(()) }
//! # fn main() {}
//! ```
//!
//! # Your own decorator
//! [`Stored`] uses only public functions, so another crate can replace it. Such a decorator does this:
//! - **Look.** In `initial` and `refresh` it loads the stored credential first. In `refresh` it returns that credential if it
//!   is newer than [the refused one](reqwest_challenge::RefreshContext::credential) and meets the
//!   [demand](reqwest_challenge::RefreshContext::demand).
//! - **Lock.** It holds [`Store::lock`] from before that look until the save has returned.
//! - **Pass the credential on.** It calls the refresher inside with
//!   [`RefreshContext::with_credential`](reqwest_challenge::RefreshContext::with_credential), so that the refresher renews the
//!   stored credential and not an older one.
//! - **Pass the lock on.** It gives the context a [`RenewalLock`](reqwest_challenge::RenewalLock) with
//!   [`RefreshContext::with_renewal_lock`](reqwest_challenge::RefreshContext::with_renewal_lock). `before_prompt` releases the
//!   lock before the user is asked, because a user takes minutes. `before_spending` calls [`Store::prepare`] before a
//!   single-use token is sent. `keep_attachment` receives a new refresh token that came without a usable access token.
//! - **Save before use.** It calls [`Store::replace`] with the text that it loaded, and returns the new credential after the
//!   save. If the save fails, it returns the credential anyway and reports the error.
//! - **Delete on one error only.** It calls [`Store::clear`] if the error is
//!   [`CredentialRevoked`](reqwest_challenge::RefreshErrorKind::CredentialRevoked). Any other error keeps the credential.
//! - **Forward the rest**: `forget` (after the removal), `needs_challenge`, and `timeout` plus the time of the lock.
//!
//! # Scope
//! A file holds its secrets in plain text. Each process that can read the owner's files can use them. Nothing is written to
//! a file unless the caller creates a [`FileStore`].

mod error;
mod key;
mod guards;
mod saved;
mod store;
mod pointers;
mod memory;
#[cfg(unix)]
mod permissions;
#[cfg(not(unix))]
#[path = "permissions_elsewhere.rs"]
mod permissions;
mod private_file;
mod temporary;
mod file_lock;
mod file_format;
mod reservations;
mod file;
mod recovery;
mod reserve;
mod erase;
mod stored_entry;
mod renewal_lock;
mod unsaved;
mod stored;
mod save;
mod logout;

pub use error::StoreError;
pub use file::FileStore;
pub use guards::{Prepared, StoreLock};
pub use key::Key;
pub use memory::MemoryStore;
pub use saved::{Saved, from_saved, to_saved};
pub use store::Store;
pub use stored::Stored;
