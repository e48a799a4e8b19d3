//! Credentials that outlive a process, with the feature `store`.
//!
//! [`Stored`] is a [`Refresh`](crate::Refresh) around a refresher: it begins with what is stored, renews under a lock that all processes
//! share, looks first whether another one has renewed meanwhile, and saves before anybody uses what is new. [`FileStore`] keeps
//! credentials in a file that is its owner's alone, [`MemoryStore`] in memory; a [`Store`] of one's own is held to the same by the
//! kit's `store_contract`.
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
//! A token that is bound to a key is of no use without it, so that the key is stored beside it, under a name of its own, and makes
//! credentials again:
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
//! // Whoever comes first has made the key.
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
//! # Scope
//! A file holds its secrets as they are: whoever can read the owner's files can use them. Nothing falls back to a file by itself.

mod erase;
mod error;
mod file;
mod format;
mod key;
mod lock;
mod logout;
mod memory;
mod private_file;
mod reserve;
mod stored_entry;
mod stored;
mod temporary;
mod renewal_lock;
mod stored_form;
mod unsaved;

use std::any::Any;
use std::time::Duration;

use async_trait::async_trait;

pub use error::StoreError;
pub use file::FileStore;
pub use key::Key;
pub use memory::MemoryStore;
pub use stored::Stored;
pub use stored_form::{from_saved, to_saved};

use reqwest_challenge::Secret;

/// What is stored of a credential: text that only [`Stored`] reads. Two are equal if their text is.
pub type Saved = Secret;

/// A lock that is held until it is dropped.
pub type Lock = Box<dyn Any + Send>;

/// Proof that a credential can be saved. It holds the reserved disk space until it is dropped.
pub type Prepared = Box<dyn Any + Send>;

/// Keeps credentials, each under a key.
///
/// Each change is compared with what the caller believes is stored, so that a late change erases nothing.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Where it is, for a person: `file:/home/…`, `memory`. No secret belongs in it.
    fn name(&self) -> String;

    /// What is stored under that key. It waits for no lock.
    ///
    /// # Errors
    /// Why that is not known. What cannot be read as anything is nothing; what a newer version wrote is
    /// [`StoreError::Version`].
    async fn load(&self, key: &Key) -> Result<Option<Saved>, StoreError>;

    /// Puts `new` there if what is there is `old` still, or nothing where that is `None`; says whether it was. When it returns, it
    /// is there to stay.
    ///
    /// # Errors
    /// Why it could not be put there; what was there is whole.
    async fn replace(&self, key: &Key, old: Option<&Saved>, new: &Saved) -> Result<bool, StoreError>;

    /// Takes away what is there if it is `old` still; says whether it was.
    ///
    /// # Errors
    /// Why it could not be taken away.
    async fn clear(&self, key: &Key, old: &Saved) -> Result<bool, StoreError>;

    /// Waits, for that long at most, until nobody else holds the lock of that key, in this process or another. Whoever is killed
    /// with it holds it no longer.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if it was held for all that time.
    async fn lock(&self, key: &Key, deadline: Duration) -> Result<Lock, StoreError>;

    /// Checks that a credential of about `size` octets can be saved under that key, so that a full disk or a read-only
    /// folder is found before a server is asked for a token that replaces the stored one. [`Stored`] holds the result
    /// until the credential is saved.
    ///
    /// The default implementation checks nothing and succeeds. A store whose writes can fail overrides it. A store that
    /// wraps another store forwards it.
    ///
    /// # Errors
    /// Why a save would fail. Then no refresh token is presented.
    async fn prepare(&self, _key: &Key, _size: usize) -> Result<Prepared, StoreError> {
        Ok(Box::new(()))
    }

    /// Removes what killed processes left beside the stored credentials. Returns the credentials under that key that it
    /// finds there, so that a logout can revoke them.
    ///
    /// The default implementation removes nothing. A store that wraps another store forwards it.
    ///
    /// # Errors
    /// Why something that may contain a credential could not be removed.
    async fn sweep(&self, _key: &Key) -> Result<Vec<Saved>, StoreError> {
        Ok(Vec::new())
    }
}
