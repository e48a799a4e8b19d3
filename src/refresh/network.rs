//! Classifies failures of the network: one function for each kit and for a caller's own refresher, for the head of an answer and for
//! its body.

use std::error::Error as StdError;
use std::io;

use super::error::RefreshErrorKind as Kind;
use crate::chain;
use crate::retry_after::passes;

/// What a failure means that is no [`RefreshError`](super::RefreshError).
pub(super) fn kind_of(error: &(dyn StdError + 'static)) -> Kind {
    if is_passing(error) || chain::each(error).any(is_cut) && !has_answer(error) {
        Kind::Transient { retry_after: None }
    } else {
        Kind::Other
    }
}

/// Whether the network, or a server that is down, is why: it may go well later.
///
/// The first error of the chain that knows decides. A body that came whole and cannot be decoded or parsed is final.
pub(crate) fn is_passing(error: &(dyn StdError + 'static)) -> bool {
    chain::each(error).find_map(passes_by_itself).unwrap_or(false)
}

fn passes_by_itself(error: &(dyn StdError + 'static)) -> Option<bool> {
    if let Some(error) = chain::through::<reqwest::Error>(error) {
        return Some(of_reqwest(error));
    }
    if let Some(error) = chain::through::<hyper::Error>(error) {
        return Some(!error.is_user());
    }
    if chain::through::<tokio::time::error::Elapsed>(error).is_some()
        || chain::through::<io::Error>(error).is_some_and(is_connection)
    {
        return Some(true);
    }
    // Some errors of the network have no public type, or are hidden by an error that prints as they do: their text is known.
    let text = error.source().is_none().then(|| error.to_string())?;
    let is_ours = text == "operation timed out"
        || text.starts_with("failed to lookup address information")
        || text.starts_with("HTTP status server error (")
        || text.starts_with("HTTP status client error (408 ")
        || text.starts_with("HTTP status client error (429 ");
    is_ours.then_some(true)
}

/// A time-out, a reset and a cut connection in a body are `is_decode()`, as bad compression and bad JSON are.
fn of_reqwest(error: &reqwest::Error) -> bool {
    match error.status() {
        Some(status) => passes(status),
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

/// Whether a stream ended early, for a refresher that reads from a connection by itself.
fn is_cut(error: &(dyn StdError + 'static)) -> bool {
    chain::through::<io::Error>(error)
        .is_some_and(|error| matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof))
}

/// Whether the chain holds an error of reqwest, which has decided, or of a JSON parser that met the end of a whole text.
fn has_answer(error: &(dyn StdError + 'static)) -> bool {
    chain::each(error)
        .any(|one| chain::through::<reqwest::Error>(one).is_some() || one.to_string().starts_with("EOF while parsing"))
}
