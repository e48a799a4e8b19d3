//! Why a refresh gave no credential.

use super::clean::clean_error;
use super::denied::DeniedReason;
use super::refresh_kind::RefreshErrorKind as Kind;
use super::refresh_kind::RefreshErrorKind;
use super::seek;
use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::BoxError;
use crate::error::chain;
use crate::error::{heard, network};
use crate::util::OneLine;

/// Why a refresh gave no credential. Cheap to clone: all who wait for one refresh share one error.
///
/// `Debug`, `Display` and the messages of its causes contain no foreign backtrace, and no user name, query or fragment
/// of a URL. Codes and hints have at most 300 characters, and control characters in them are escaped.
#[derive(Clone)]
pub struct RefreshError {
    kind: RefreshErrorKind,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl RefreshError {
    /// The user must act.
    #[must_use]
    pub fn login_required(hint: impl Into<String>) -> Self {
        Self::new(Kind::LoginRequired { hint: hint.into() })
    }

    /// The credential is no longer valid.
    #[must_use]
    pub fn credential_revoked(code: impl Into<String>) -> Self {
        Self::new(Kind::CredentialRevoked { code: code.into() })
    }

    /// A final refusal that says nothing about the held credential. The reason follows from the code, by
    /// [`DeniedReason::of_code`].
    #[must_use]
    pub fn denied(code: impl Into<String>) -> Self {
        let code = code.into();
        Self::new(Kind::Denied { reason: DeniedReason::of_code(&code), code })
    }

    /// A final refusal with a code that no specification defines.
    #[must_use]
    pub fn denied_because(reason: DeniedReason, code: impl Into<String>) -> Self {
        Self::new(Kind::Denied { reason, code: code.into() })
    }

    /// A temporary failure.
    #[must_use]
    pub fn transient(retry_after: Option<Duration>) -> Self {
        Self::new(Kind::Transient { retry_after })
    }

    /// Any other failure.
    #[must_use]
    pub fn other(source: impl Into<BoxError>) -> Self {
        Self::new(Kind::Other).caused_by(source)
    }

    /// An error of that kind. Codes and hints are made printable: see [`OneLine`](crate::support::OneLine).
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        let printed = |text: String| OneLine::new(&text).to_string();
        let kind = match kind {
            Kind::LoginRequired { hint } => Kind::LoginRequired { hint: printed(hint) },
            Kind::CredentialRevoked { code } => Kind::CredentialRevoked { code: printed(code) },
            Kind::Denied { reason, code } => Kind::Denied { reason, code: printed(code) },
            kind => kind,
        };
        Self { kind, source: None }
    }

    /// Adds a cause. If the cause prints a URL, its message is replaced by one without the secret parts of the URL.
    /// Errors of this crate in the cause can still be [found](Self::find).
    #[must_use]
    pub fn caused_by(self, source: impl Into<BoxError>) -> Self {
        Self { source: Some(clean_error(source.into())), ..self }
    }

    /// The same, with the scheme whose refresher it came from: one of several.
    pub(crate) fn of_whom(self, scheme: &str) -> Self {
        let asked = Asked { scheme: scheme.to_owned(), source: self.source };
        Self { kind: self.kind, source: Some(Arc::new(asked)) }
    }

    /// The same error of a login. A revoked code of a login says nothing about the held credential, so
    /// [`CredentialRevoked`](Kind::CredentialRevoked) becomes [`Denied`](Kind::Denied).
    #[must_use]
    pub fn of_login(self) -> Self {
        match self.kind {
            Kind::CredentialRevoked { code } => Self { source: self.source, ..Self::denied(code) },
            kind => Self { kind, source: self.source },
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn kind(&self) -> &RefreshErrorKind {
        &self.kind
    }

    /// Whether it may go well later, without anybody doing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, Kind::Transient { .. } | Kind::TimedOut)
    }
}

/// Which of several refreshers failed.
struct Asked {
    scheme: String,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it was asked for a {} challenge", self.scheme)
    }
}

// Without what its source prints of itself.
impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Asked {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// Two are equal if they are one error, shared, or if they say the same.
impl PartialEq for RefreshError {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
            && match (&self.source, &other.source) {
                (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs) || ours.to_string() == theirs.to_string(),
                (ours, theirs) => ours.is_none() && theirs.is_none(),
            }
    }
}

impl fmt::Display for RefreshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        heard::note(&self.kind, self.source.as_ref());
        match &self.kind {
            Kind::LoginRequired { hint } => write!(f, "a login is required: {hint}"),
            Kind::CredentialRevoked { code } => write!(f, "the credential was rejected ({code})"),
            Kind::Denied { code, .. } => write!(f, "a new credential was refused ({code})"),
            Kind::Transient { retry_after: None } => f.write_str("the refresh failed temporarily"),
            Kind::Transient { retry_after: Some(span) } => {
                let seconds = span.as_secs();
                write!(
                    f,
                    "the refresh failed temporarily, and the server asks for no other attempt in the next {seconds} s"
                )
            }
            Kind::TimedOut => f.write_str("the refresh took too long"),
            Kind::Recursive => f.write_str(
                "the refresher waits for itself: it sent a request through a client that needs this refresh",
            ),
            Kind::Panicked => f.write_str("the refresher panicked"),
            Kind::Gone => f.write_str("the runtime of the refresh was shut down"),
            // Its source speaks for it, and is printed by whoever prints the chain.
            Kind::Other => f.write_str("the refresh failed"),
        }
    }
}

impl fmt::Debug for RefreshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source.as_ref().map(ToString::to_string);
        f.debug_struct("RefreshError").field("kind", &self.kind).field("source", &source).finish()
    }
}

impl StdError for RefreshError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        seek::itself(self).or_else(|| self.source.as_deref().map(|source| source as _))
    }
}

/// Finds a `RefreshError` in the box, wherever it stands there; a network's error is a transient one, without its URL.
impl From<BoxError> for RefreshError {
    fn from(error: BoxError) -> Self {
        match chain::find_error::<Self>(error.as_ref())
            .cloned()
            .or_else(|| heard::that_prints(error.as_ref()).map(|(kind, source)| Self { kind, source }))
        {
            Some(found) => found,
            None => Self::new(network::kind_of(error.as_ref())).caused_by(error),
        }
    }
}

impl RefreshError {
    /// Of whatever a refresher gives. An `anyhow::Error` is looked into first: once it is a box, nobody can.
    pub(crate) fn of_any<E: Into<BoxError> + 'static>(error: E) -> Self {
        let mut slot = Some(error);
        let held = (&mut slot as &mut dyn Any).downcast_mut::<Option<anyhow::Error>>().and_then(Option::take);
        if let Some(error) = held {
            return match error.downcast::<Self>() {
                Ok(error) => error,
                Err(error) => Self::from(error.reallocate_into_boxed_dyn_error_without_backtrace()),
            };
        }
        slot.map_or_else(|| Self::new(Kind::Other), |error| Self::from(error.into()))
    }
}

/// Converts the error. A temporary failure (the network, a timeout, 408, 429, 5xx) becomes transient. The URL is
/// removed.
impl From<reqwest::Error> for RefreshError {
    fn from(error: reqwest::Error) -> Self {
        Self::new(network::kind_of(&error)).caused_by(error)
    }
}

/// Converts the error. A `RefreshError` in it keeps its kind. A connection error, or a network error in it, becomes
/// transient.
impl From<std::io::Error> for RefreshError {
    fn from(error: std::io::Error) -> Self {
        Self::from(BoxError::from(error))
    }
}

impl From<&str> for RefreshError {
    fn from(error: &str) -> Self {
        Self::other(error)
    }
}

impl From<String> for RefreshError {
    fn from(error: String) -> Self {
        Self::other(error)
    }
}
