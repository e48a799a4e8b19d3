//! Errors of texts that are not an origin.

use std::fmt;

use url::ParseError;

/// A text is not an origin. `Display` says what to write instead. Neither `Display` nor `Debug` shows the text, because
/// it may contain a password.
#[derive(Clone, PartialEq, Eq)]
pub struct OriginError {
    kind: OriginErrorKind,
    /// Why the text cannot be parsed as a URL.
    parse: Option<ParseError>,
    /// The origin of the URL.
    suggestion: Option<Box<str>>,
    /// Whether the text has several origins.
    is_several: bool,
}

/// Why a text is not an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OriginErrorKind {
    /// The text is not an absolute URL.
    InvalidUrl,
    /// The scheme is neither `http` nor `https`.
    UnsupportedScheme,
    /// The URL has a user name or a password.
    Userinfo,
    /// The URL has a path other than `/`.
    Path,
    /// The URL has a query.
    Query,
    /// The URL has a fragment.
    Fragment,
}

impl OriginError {
    pub(super) fn invalid_url(error: ParseError) -> Self {
        Self { kind: OriginErrorKind::InvalidUrl, parse: Some(error), suggestion: None, is_several: false }
    }

    pub(super) fn unsupported_scheme() -> Self {
        Self { kind: OriginErrorKind::UnsupportedScheme, parse: None, suggestion: None, is_several: false }
    }

    pub(super) fn extra_part(kind: OriginErrorKind, origin: &str) -> Self {
        Self { kind, parse: None, suggestion: Some(origin.into()), is_several: false }
    }

    pub(super) fn several_origins() -> Self {
        Self { kind: OriginErrorKind::InvalidUrl, parse: None, suggestion: None, is_several: true }
    }

    /// What is wrong with the text.
    #[must_use]
    pub fn kind(&self) -> OriginErrorKind {
        self.kind
    }

    /// Whether the text is not an absolute URL.
    #[must_use]
    pub fn is_invalid_url(&self) -> bool {
        self.kind == OriginErrorKind::InvalidUrl
    }

    /// Whether the scheme is neither `http` nor `https`.
    #[must_use]
    pub fn is_unsupported_scheme(&self) -> bool {
        self.kind == OriginErrorKind::UnsupportedScheme
    }

    /// Whether the URL has a part that an origin does not have: userinfo, a path, a query or a fragment.
    #[must_use]
    pub fn is_extra_part(&self) -> bool {
        self.suggestion.is_some()
    }

    /// The origin of the URL, to write instead. `None` if the URL has none.
    #[must_use]
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_several {
            return f
                .write_str("this is more than one origin: write one origin here; add others with `Builder::origin`");
        }
        f.write_str(match self.kind {
            OriginErrorKind::InvalidUrl => "this is not an origin",
            OriginErrorKind::UnsupportedScheme => "the scheme of an origin is http or https",
            OriginErrorKind::Userinfo => "an origin has no user name or password",
            OriginErrorKind::Path => "an origin has no path",
            OriginErrorKind::Query => "an origin has no query",
            OriginErrorKind::Fragment => "an origin has no fragment",
        })?;
        if let Some(error) = &self.parse {
            write!(f, " ({error})")?;
        }
        match &self.suggestion {
            Some(origin) => write!(f, ": write `{origin}`"),
            None => f.write_str(": write `https://host` or `https://host:port`"),
        }
    }
}

/// The sentence of `Display`, because `main` prints the error that it returns by `Debug`.
impl fmt::Debug for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OriginError").field(&self.to_string()).finish()
    }
}

impl std::error::Error for OriginError {}
