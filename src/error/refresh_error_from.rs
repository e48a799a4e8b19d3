//! Conversions of other errors into a `RefreshError`.

use std::any::Any;

use super::find_printed::find_printed;
use super::network;
use super::refresh_error::RefreshError;
use super::refresh_error_kind::RefreshErrorKind as Kind;
use crate::BoxError;

/// Converts the error. If it contains a `RefreshError`, at any place, that is the result. A failure of the network becomes
/// [`Transient`](Kind::Transient), and any other error [`Other`](Kind::Other). URLs in messages lose their secret parts.
impl From<BoxError> for RefreshError {
    fn from(error: BoxError) -> Self {
        if let Some(found) = Self::find(error.as_ref()) {
            return found.clone();
        }
        if let Some(found) = find_printed(error.as_ref()) {
            return Self { kind: found.kind, source: found.source };
        }
        Self::new(network::kind_of(error.as_ref())).caused_by(error)
    }
}

impl RefreshError {
    /// Converts the error of a refresher function, whose type is any that converts into a box.
    ///
    /// If that type is `anyhow::Error`, its own conversion into a box would hide the error inside it, so it must be
    /// recognised before. Coherence forbids a trait for all standard errors and for `anyhow::Error`, and a marker
    /// parameter that tells its two implementations apart has no place in `impl Refresh for F`. `Into<anyhow::Error>`
    /// excludes boxes and texts, and `Into<RefreshError>` excludes the error types of callers.
    pub(crate) fn from_refresher<E: Into<BoxError> + 'static>(error: E) -> Self {
        let mut error = Some(error);
        let anyhow = (&mut error as &mut dyn Any).downcast_mut::<Option<anyhow::Error>>().and_then(Option::take);
        if let Some(error) = anyhow {
            return Self::from(error.reallocate_into_boxed_dyn_error_without_backtrace());
        }
        // The error is still there, because it was not an `anyhow::Error`.
        error.map_or_else(|| Self::new(Kind::Other), |error| Self::from(error.into()))
    }
}

/// Converts the error. A temporary failure (the network, a timeout, 408, 429, 5xx) becomes
/// [`Transient`](Kind::Transient), and any other error [`Other`](Kind::Other). The URL is removed.
impl From<reqwest::Error> for RefreshError {
    fn from(error: reqwest::Error) -> Self {
        Self::new(network::kind_of(&error)).caused_by(error)
    }
}

/// Converts the error. A `RefreshError` in it keeps its kind. A failure of a connection, or a network error in it, becomes
/// [`Transient`](Kind::Transient), and any other error [`Other`](Kind::Other).
impl From<std::io::Error> for RefreshError {
    fn from(error: std::io::Error) -> Self {
        Self::from(BoxError::from(error))
    }
}

/// Returns an error of the kind [`Other`](Kind::Other), with the text as its cause.
impl From<&str> for RefreshError {
    fn from(error: &str) -> Self {
        Self::other(error)
    }
}

/// Returns an error of the kind [`Other`](Kind::Other), with the text as its cause.
impl From<String> for RefreshError {
    fn from(error: String) -> Self {
        Self::other(error)
    }
}
