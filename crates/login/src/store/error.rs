//! Why a store failed.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest_challenge::support::OneLine;
use reqwest_challenge::{BoxError, RefreshError};

/// Why a store failed. The message names the place, and contains nothing of the stored text.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// An operation on a file failed.
    Io {
        /// What failed, with the path: `cannot open /home/alice/credentials.json`.
        what: String,
        /// The error of the operating system.
        source: Arc<io::Error>,
    },
    /// Another backend failed, such as a keyring or a database. [`StoreError::backend`] makes it.
    Backend {
        /// Where the credentials are: the [name](crate::store::Store::name) of the store.
        place: String,
        /// The error of the backend.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// A newer version of the crate wrote the file. It is not changed.
    NewerVersion {
        /// Where the credentials are.
        place: String,
        /// The version of the format that was found.
        found: u64,
    },
    /// The file or its folder belongs to another user, other users can write in it, or the file is not a regular file.
    NotPrivate {
        /// The file or the folder.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The text of the credential is too large for the store. Nothing is changed.
    TooLarge {
        /// Its size in octets.
        size: usize,
        /// The largest size that the store takes, in octets.
        limit: usize,
    },
    /// A file is larger than a store reads, or would become larger than it writes. The file is not changed.
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in octets, or the size that it would have.
        size: usize,
        /// The largest size that is allowed, in octets.
        limit: usize,
    },
    /// Another process or task held the lock for all the time.
    Locked {
        /// How long this call waited.
        waited: Duration,
    },
    /// The credential cannot be written as text, or cannot be made again of its text. Credentials of a custom scheme need
    /// [`Authorize::export`](reqwest_challenge::Authorize::export) and
    /// [`Stored::restored_by`](crate::store::Stored::restored_by).
    NotStorable {
        /// The scheme of the credential.
        scheme: String,
    },
}

impl StoreError {
    /// The error of another backend than a file, such as a keyring or a database. `place` is the
    /// [name](crate::store::Store::name) of the store.
    #[must_use]
    pub fn backend(place: impl Into<String>, error: impl Into<BoxError>) -> Self {
        Self::Backend { place: place.into(), source: Arc::from(error.into()) }
    }

    /// Whether another process or task held the lock.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked { .. })
    }

    /// Whether a credential or a file is too large.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::FileTooLarge { .. })
    }

    /// Whether a newer version of the crate wrote the file.
    #[must_use]
    pub fn is_newer_version(&self) -> bool {
        matches!(self, Self::NewerVersion { .. })
    }

    /// Whether other users could change the file or its folder.
    #[must_use]
    pub fn is_not_private(&self) -> bool {
        matches!(self, Self::NotPrivate { .. })
    }

    /// Whether the scheme of the credential cannot be stored.
    #[must_use]
    pub fn is_not_storable(&self) -> bool {
        matches!(self, Self::NotStorable { .. })
    }

    /// The failure of an operation on a file.
    pub(super) fn io(what: &str, path: &Path, error: io::Error) -> Self {
        Self::Io { what: format!("cannot {what} {}", shown(path)), source: Arc::new(error) }
    }
}

/// Prints a path. A file name may contain any character.
pub(super) fn shown(path: &Path) -> String {
    OneLine::new(&path.to_string_lossy()).to_string()
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { what, .. } => f.write_str(what),
            Self::Backend { place, .. } => write!(f, "the credential store {} failed", OneLine::new(place)),
            Self::NewerVersion { place, found } => {
                let place = OneLine::new(place);
                write!(f, "a newer version of this program wrote {place} (format {found}): it is not changed")
            }
            Self::NotPrivate { path, why } => write!(f, "{} is not used as a store of credentials: {why}", shown(path)),
            Self::TooLarge { size, limit } => {
                write!(
                    f,
                    "the credential has {size} octets, but the limit of the store is {limit}: nothing was changed"
                )
            }
            Self::FileTooLarge { path, size, limit } => write!(
                f,
                "{} has, or would have, {size} octets, but the limit is {limit}: nothing was changed",
                shown(path)
            ),
            Self::Locked { waited } => {
                write!(f, "another process has been renewing the credential for {} s", waited.as_secs())
            }
            Self::NotStorable { scheme } => write!(
                f,
                "a credential of the scheme `{}` cannot be stored and restored: set `Stored::restored_by`",
                OneLine::new(scheme)
            ),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Backend { source, .. } => Some(&**source),
            _ => None,
        }
    }
}

/// Converts the error, which becomes the cause. [`Locked`](StoreError::Locked) becomes
/// [`Transient`](reqwest_challenge::RefreshErrorKind::Transient), because the other process will release the lock. Every other
/// variant becomes [`Other`](reqwest_challenge::RefreshErrorKind::Other), also if a network error caused it.
impl From<StoreError> for RefreshError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Locked { .. } => Self::transient(None).caused_by(error),
            _ => Self::other(error),
        }
    }
}
