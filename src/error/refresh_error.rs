//! Why a refresh returned no credential.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::clean::clean_error;
use super::denied_reason::DeniedReason;
use super::find_printed;
use super::of_scheme::OfScheme;
use super::refresh_error_kind::RefreshErrorKind as Kind;
use super::refresh_error_kind::RefreshErrorKind;
use super::seek;
use crate::BoxError;
use crate::util::OneLine;

/// Why a refresh returned no credential. Cheap to clone: all callers that wait for one refresh share one error.
///
/// The [kind](Self::kind) decides what happens next. `Display` is one line; the cause is the [`source`](StdError::source).
///
/// `Debug`, `Display` and the messages of the causes contain no backtrace, and no user name, query or fragment of a URL.
/// Codes and hints have at most 300 characters, and control characters in them are escaped.
#[derive(Clone)]
pub struct RefreshError {
    pub(super) kind: RefreshErrorKind,
    pub(super) source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl RefreshError {
    /// Returns an error of the kind [`LoginRequired`](Kind::LoginRequired): the user must act, as the hint says.
    #[must_use]
    pub fn login_required(hint: impl Into<String>) -> Self {
        Self::new(Kind::LoginRequired { hint: hint.into() })
    }

    /// Returns an error of the kind [`CredentialRevoked`](Kind::CredentialRevoked): the credential is no longer valid.
    #[must_use]
    pub fn credential_revoked(code: impl Into<String>) -> Self {
        Self::new(Kind::CredentialRevoked { code: code.into() })
    }

    /// Returns an error of the kind [`Denied`](Kind::Denied): the server issues no credential. The reason follows from the
    /// code, by [`DeniedReason::of_code`].
    #[must_use]
    pub fn denied(code: impl Into<String>) -> Self {
        let code = code.into();
        Self::new(Kind::Denied { reason: DeniedReason::of_code(&code), code })
    }

    /// Returns an error of the kind [`Denied`](Kind::Denied), for a code that no specification defines.
    #[must_use]
    pub fn denied_because(reason: DeniedReason, code: impl Into<String>) -> Self {
        Self::new(Kind::Denied { reason, code: code.into() })
    }

    /// Returns an error of the kind [`Transient`](Kind::Transient): another attempt may succeed, after `retry_after` if the
    /// server named that time.
    #[must_use]
    pub fn transient(retry_after: Option<Duration>) -> Self {
        Self::new(Kind::Transient { retry_after })
    }

    /// Returns an error of the kind [`Other`](Kind::Other), with this cause.
    #[must_use]
    pub fn other(source: impl Into<BoxError>) -> Self {
        Self::new(Kind::Other).caused_by(source)
    }

    /// Returns an error of this kind. Codes and hints become printable, as by [`OneLine`](crate::support::OneLine).
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

    /// The same error, which also names the scheme whose refresher failed.
    pub(crate) fn of_scheme(self, scheme: &str) -> Self {
        let source = OfScheme { scheme: scheme.to_owned(), source: self.source };
        Self { kind: self.kind, source: Some(Arc::new(source)) }
    }

    /// Returns the error for a refresher that failed to log in. A code or token that the server refuses in a login
    /// says nothing about the held credential, so [`CredentialRevoked`](Kind::CredentialRevoked) becomes
    /// [`Denied`](Kind::Denied).
    #[must_use]
    pub fn of_login(self) -> Self {
        match self.kind {
            Kind::CredentialRevoked { code } => Self { source: self.source, ..Self::denied(code) },
            kind => Self { kind, source: self.source },
        }
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> &RefreshErrorKind {
        &self.kind
    }

    /// Whether the user must log in.
    #[must_use]
    pub fn is_login_required(&self) -> bool {
        matches!(self.kind, Kind::LoginRequired { .. })
    }

    /// Whether the credential is no longer valid.
    #[must_use]
    pub fn is_credential_revoked(&self) -> bool {
        matches!(self.kind, Kind::CredentialRevoked { .. })
    }

    /// Whether the server refused to issue a credential.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self.kind, Kind::Denied { .. })
    }

    /// Whether another attempt may succeed although neither the user nor the program changes anything: the kind is
    /// [`Transient`](Kind::Transient) or [`TimedOut`](Kind::TimedOut).
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, Kind::Transient { .. } | Kind::TimedOut)
    }
}

/// Two errors are equal if their kinds are equal, and their causes are the same error or print the same message.
impl PartialEq for RefreshError {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
            && match (&self.source, &other.source) {
                (Some(left), Some(right)) => Arc::ptr_eq(left, right) || left.to_string() == right.to_string(),
                (left, right) => left.is_none() && right.is_none(),
            }
    }
}

impl fmt::Display for RefreshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        find_printed::record(&self.kind, self.source.as_ref());
        match &self.kind {
            Kind::LoginRequired { hint } => write!(f, "a login is required: {hint}"),
            Kind::CredentialRevoked { code } => write!(f, "the credential was rejected ({code})"),
            Kind::Denied { code, .. } => write!(f, "no credential was issued ({code})"),
            Kind::Transient { retry_after: None } => f.write_str("the refresh failed temporarily"),
            Kind::Transient { retry_after: Some(span) } => {
                let seconds = span.as_secs();
                write!(f, "the refresh failed temporarily, and the server asks the client to wait {seconds} s")
            }
            Kind::TimedOut => f.write_str("the refresh took too long"),
            Kind::Recursive => f.write_str(
                "the refresher waits for itself: it sent a request through a client that needs this refresh",
            ),
            Kind::Panicked => f.write_str("the refresher panicked"),
            Kind::Gone => f.write_str("there is no tokio runtime for the refresh, or it was shut down"),
            // The cause is the source, so a printed chain contains it once.
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
