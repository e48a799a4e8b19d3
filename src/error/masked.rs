//! Masks credentials in the error of a refresher, because a server may have echoed them.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::refresh_error::RefreshError;
use super::refresh_error_kind::RefreshErrorKind as Kind;
use crate::credential::Masker;

impl RefreshError {
    /// Masks the secrets that are too long to occur in a text by chance. Nearly always the error stays the same.
    pub(crate) fn masked(self, masker: &Masker) -> Self {
        let mut kind = self.kind().clone();
        if let Kind::CredentialRevoked { code } | Kind::Denied { code, .. } = &mut kind {
            *code = masker.mask_certain(std::mem::take(code));
        }
        let mut lines = Vec::new();
        let mut next = self.source();
        while let Some(cause) = next {
            lines.push(cause.to_string());
            next = cause.source();
        }
        let masked: Vec<_> = lines.iter().map(|line| masker.mask_certain(line.clone())).collect();
        if kind == *self.kind() && masked == lines {
            return self;
        }
        let source = masked.into_iter().rev().fold(None, |source, line| Some(Arc::new(MaskedError { line, source })));
        source.into_iter().fold(Self::new(kind), Self::caused_by)
    }
}

/// Replaces an error whose message contained a secret.
struct MaskedError {
    line: String,
    source: Option<Arc<MaskedError>>,
}

impl fmt::Display for MaskedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl fmt::Debug for MaskedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for MaskedError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
