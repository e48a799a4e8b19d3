//! Classifies network failures: of this crate's requests and of a caller's refresher, before and within the body of a
//! response.

use std::error::Error as StdError;
use std::io;

use super::chain;
use super::refresh_error_kind::RefreshErrorKind as Kind;
use crate::util::is_transient_status;

/// The kind of a failure that contains no [`RefreshError`](super::RefreshError).
pub(super) fn kind_of(error: &(dyn StdError + 'static)) -> Kind {
    if is_transient_error(error) || chain::each(error).any(is_cut) && !has_response(error) {
        Kind::Transient { retry_after: None }
    } else {
        Kind::Other
    }
}

/// Whether the failure is temporary: the network failed, or a server is down.
///
/// The first error of the chain that is conclusive decides. A body that arrived whole but cannot be decoded or parsed
/// is a final failure.
#[must_use]
pub fn is_transient_error(error: &(dyn StdError + 'static)) -> bool {
    chain::each(error).find_map(is_temporary).unwrap_or(false)
}

/// Whether this error alone shows a temporary failure. `None` if it does not show whether the failure is temporary.
fn is_temporary(error: &(dyn StdError + 'static)) -> Option<bool> {
    if let Some(error) = chain::through::<reqwest::Error>(error) {
        return Some(is_temporary_reqwest(error));
    }
    if let Some(error) = chain::through::<hyper::Error>(error) {
        return Some(!error.is_user());
    }
    let is_known = chain::through::<tokio::time::error::Elapsed>(error).is_some()
        || chain::through::<io::Error>(error).is_some_and(|error| is_connection(error) || is_lookup(error));
    (is_known || is_printed_by_reqwest(error)).then_some(true)
}

/// Whether a wrapper prints a temporary error of reqwest and hides its type.
///
/// A variant with `#[error(transparent)]`, and an `anyhow::Error` that was converted into a box, return the `source()` of
/// the error inside instead of that error, so only its message is left. Errors of reqwest without a source have these
/// messages. Every other failure is recognised by its type.
fn is_printed_by_reqwest(error: &(dyn StdError + 'static)) -> bool {
    const MESSAGES: [&str; 4] = [
        "operation timed out",
        "HTTP status server error (",
        "HTTP status client error (408 ",
        "HTTP status client error (429 ",
    ];
    error.source().is_none() && {
        let text = error.to_string();
        MESSAGES.iter().any(|message| text.starts_with(message))
    }
}

/// In a body, reqwest reports a timeout, a reset and a cut connection as `is_decode()`, like bad compression and bad
/// JSON.
fn is_temporary_reqwest(error: &reqwest::Error) -> bool {
    match error.status() {
        Some(status) => is_transient_status(status),
        None if error.is_builder() || error.is_redirect() => false,
        None if error.is_timeout() => true,
        None => {
            let is_body = error.is_decode() || error.is_body();
            let mut below = chain::each(error).skip(1);
            let known = below.find_map(|cause| match chain::through::<hyper::Error>(cause) {
                Some(error) => Some(!error.is_user()),
                None => chain::through::<io::Error>(cause).is_some_and(is_connection).then_some(true),
            });
            known.unwrap_or(!is_body)
        }
    }
}

/// Whether a connection failed or could not be opened.
fn is_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::NotConnected
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::TimedOut
    )
}

/// Whether a host name could not be resolved.
///
/// The standard library has no public kind for this error. It uses a kind without a public name, which it also uses for
/// unknown error numbers of the system. A failed lookup has a message in place of such a number. If a caller wraps a rare
/// error of the system and copies its kind, the wrapper counts as temporary too.
fn is_lookup(error: &io::Error) -> bool {
    let unnamed = io::Error::from_raw_os_error(i32::MAX).kind();
    error.kind() == unnamed && error.get_ref().is_some_and(|held| held.source().is_none())
}

/// Whether a stream ended early, for a refresher that reads from a connection itself.
fn is_cut(error: &(dyn StdError + 'static)) -> bool {
    chain::through::<io::Error>(error)
        .is_some_and(|error| matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof))
}

/// Whether the chain contains an error of reqwest, which is conclusive, or of a JSON parser that reached the end of a whole
/// text.
fn has_response(error: &(dyn StdError + 'static)) -> bool {
    chain::each(error).any(|one| {
        chain::through::<reqwest::Error>(one).is_some()
            || chain::through::<serde_json::Error>(one).is_some_and(serde_json::Error::is_eof)
    })
}
