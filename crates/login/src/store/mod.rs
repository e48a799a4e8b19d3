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
//! 2. A server refuses the credential. [`Stored`] takes the store's lock and loads again. If another process has
//!    renewed meanwhile, it returns the credential of that process.
//! 3. Otherwise [`Stored`] prepares the save, so that a full disk is found before a single-use refresh token is sent. It
//!    calls the refresher inside with the stored credential in the context.
//! 4. [`to_saved`] writes the new credential as text. The store replaces the old text, if it is still there.
//! 5. A logout removes the text and revokes the credential. Each of the two happens even if the other fails.
//!
//! # A token that is bound to a key
//! A DPoP token is useless without its key. Store the key beside the token, under a separate key name, and restore
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
//! # Partitions and resources
//! [`Stored`] has one key, and keeps one credential under it: that of the first resource of the server. It passes the context
//! of [another resource](reqwest_challenge::RefreshContext::resource) on, and neither loads nor saves its credential.
//!
//! Do not use it with [`partition_by`](reqwest_challenge::Builder::partition_by), because all partitions would share the key.
//! A renewal of one partition would then renew and replace the credential of another one. [`Stored`] does not answer a
//! partition with the stored credential, so that no partition gets a credential of another one. For many tenants, make one
//! middleware for each, with a separate key.
//!
//! # Your own decorator
//! [`Stored`] uses only public functions, so another crate can replace it. Such a decorator follows these rules.
//! `decorator_contract` in `reqwest-challenge-testing` checks those that do not depend on a failure of the store.
//!
//! **`initial`** takes no lock. It loads the text and returns the stored credential, also if it has expired: the session then
//! calls `refresh` before the request. If nothing usable is stored, it calls the refresher inside. If the load fails, it
//! returns that error. `needs_challenge` changes nothing here.
//!
//! **`refresh`**
//! 1. *Lock.* It takes [`Store::lock`] and holds it until the save has returned. If another process holds the lock too long,
//!    the error is [`Transient`](reqwest_challenge::RefreshErrorKind::Transient). A login and a step-up wait only briefly (2 s
//!    in [`Stored`]) and continue without the lock, because a user waits.
//! 2. *Look.* It loads the text. If the load fails, it returns that error and does not call the refresher inside.
//! 3. *Answer from the store.* It returns the stored credential if that credential is newer than the
//!    [refused one](reqwest_challenge::RefreshContext::credential), has not expired, and
//!    [meets the demand](reqwest_challenge::Demand::is_met_by). The reason [`Login`](reqwest_challenge::RefreshReason::Login) is never answered
//!    from the store, because the user wants a new login. The text is still loaded, for step 6.
//!    - *Which is newer.* A stored credential that differs from the refused one is newer, because each new credential is saved
//!      before it is used. After a failed save the store is older. So the decorator keeps the text that it could not save, and
//!      the text that it should have replaced. While the store still has the latter, the kept text is the newest, and the next
//!      call saves it first.
//! 4. *Pass the credential on.* It calls the refresher inside with
//!    [`with_credential`](reqwest_challenge::RefreshContext::with_credential) and the newest credential, also if that one has
//!    expired or is the refused one: the stored [attachment](reqwest_challenge::Credential::attachment) can be newer. If
//!    nothing is stored although the refused credential was (its [source](reqwest_challenge::Credential::source) names the
//!    store), another process has logged out: it calls
//!    [`without_credential`](reqwest_challenge::RefreshContext::without_credential).
//! 5. *Pass the lock on.* It gives the context a [`RenewalLock`](reqwest_challenge::RenewalLock) with
//!    [`with_renewal_lock`](reqwest_challenge::RefreshContext::with_renewal_lock):
//!    - `before_prompt` releases the lock before the user is asked, because a user takes minutes. It then looks
//!      again: if another process has completed a login, it returns that credential.
//!    - `before_spending` calls [`Store::prepare`] before a single-use token is sent. After `before_prompt` the lock is no
//!      longer held. [`Stored`] then only checks that a save is possible and does not take the lock again.
//!    - `keep_attachment` receives a new refresh token that came without a usable access token. The decorator saves it if the
//!      refresh fails.
//! 6. *Save before use.* It calls [`Store::replace`] with the text that it loaded, and returns the new credential after the
//!    save. If the save fails, it returns the credential anyway, reports the error and keeps the text (step 3).
//! 7. *If `replace` returns `false`*, another text is there. It loads again:
//!    - A login (the reason `Login`, or the user was asked) replaces every other text.
//!    - After a renewal, another credential is there: a login of another process. That credential is the result. It can equal
//!      the new one.
//!    - After a renewal, nothing is there: another process has logged out. It calls `forget` of the refresher inside with
//!      [`to_forget`](reqwest_challenge::RefreshContext::to_forget), the reason `Discarded` and the new credential, and returns
//!      [`LoginRequired`](reqwest_challenge::RefreshErrorKind::LoginRequired).
//! 8. *Delete on one error only.* It calls [`Store::clear`] if the error is
//!    [`CredentialRevoked`](reqwest_challenge::RefreshErrorKind::CredentialRevoked) and the reason is `Challenged` or `Expired`.
//!    A failed login or step-up says nothing about the stored credential. Any other error keeps the credential.
//!
//! **`forget`** takes the lock briefly and continues without it, because each change first checks that the stored
//! text is the expected one.
//! - It loads, removes the text with [`Store::clear`], and calls [`Store::sweep`]. If another process changes the text
//!   meanwhile, it loads and removes again.
//! - The refresher inside gets the newest stored credential, or the one of the context if none is stored. A further call
//!   follows for each removed or swept credential with another attachment.
//! - Each step is done even if another one fails. If the load fails, the refresher inside still gets the credential of the
//!   context, and the error says that the text is not removed.
//! - With the reason [`Discarded`](reqwest_challenge::RefreshReason::Discarded) it removes only the discarded credential. If
//!   another credential is stored, such as that of a newer login, that one stays, and only the refresher inside is called. A
//!   login that is saved while the logout waits for the lock stays too.
//!
//! **`needs_challenge`** returns what the refresher inside returns. **`timeout`** is the timeout of the refresher inside plus
//! the longest wait for the lock ([`Stored::lock_timeout`]).
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
