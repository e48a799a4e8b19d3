//! Why a pool of sessions has no session for a request.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::clean::clean_error;
use super::seek;
use crate::BoxError;

/// Why a [`SessionPool`](crate::SessionPool) has no session for a request. Nothing was sent.
#[derive(Clone)]
pub struct TenantError {
    kind: TenantErrorKind,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// Why a pool has no session for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TenantErrorKind {
    /// The request names no tenant.
    Missing,
    /// The tenant of the request has another type than the keys of the pool.
    OtherType,
    /// The factory of the pool failed. Its error is the source, without the secret parts of URLs.
    Factory,
    /// The factory of the pool panicked.
    Panicked,
    /// There is no tokio runtime, or the runtime of the factory was shut down.
    Gone,
}

impl TenantError {
    pub(crate) fn new(kind: TenantErrorKind) -> Self {
        Self { kind, source: None }
    }

    pub(crate) fn caused_by(self, source: BoxError) -> Self {
        Self { source: Some(clean_error(source)), ..self }
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> TenantErrorKind {
        self.kind
    }
}

impl fmt::Display for TenantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TenantErrorKind::Missing => {
                "the request names no tenant: add the extension `CallOptions::new().tenant(key)`, or send it through a handle of the pool"
            }
            TenantErrorKind::OtherType => {
                "the tenant of the request has another type than the keys of the pool: pass a key of that type to `CallOptions::tenant`"
            }
            TenantErrorKind::Factory => "the session of the tenant could not be made",
            TenantErrorKind::Panicked => "the factory of the session pool panicked",
            TenantErrorKind::Gone => "no tokio runtime runs the factory of the session pool",
        })
    }
}

impl fmt::Debug for TenantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantError").field("kind", &self.kind).field("source", &self.source).finish()
    }
}

impl StdError for TenantError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        seek::itself(self).or_else(|| self.source.as_deref().map(|source| source as _))
    }
}
