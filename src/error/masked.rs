//! Masks credentials in the error of a refresher: a server may have echoed them.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::refresh::RefreshError;
use super::refresh_kind::RefreshErrorKind as Kind;
use crate::credential::Masker;

impl RefreshError {
    /// Masks the secrets that no text contains by chance. Nearly always the error stays the same.
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
        let source = masked.into_iter().rev().fold(None, |source, line| Some(Arc::new(Said { line, source })));
        source.into_iter().fold(Self::new(kind), Self::caused_by)
    }
}

/// The message of an error that contained a secret.
struct Said {
    line: String,
    source: Option<Arc<Said>>,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Said {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
