//! Walks what caused an error, and looks into `reqwest_middleware::Error`, whose own `source()` skips what it holds.

use std::error::Error as StdError;

use crate::BoxError;

/// The first error of that type: the error itself, or what caused it.
pub(crate) fn find<'e, T: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = cause(error);
    }
    None
}

/// What caused it.
pub(crate) fn cause<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e (dyn StdError + 'static)> {
    match error.downcast_ref::<reqwest_middleware::Error>() {
        Some(reqwest_middleware::Error::Middleware(held)) => Some(held.as_ref()),
        Some(reqwest_middleware::Error::Reqwest(held)) => Some(held),
        None => error.source(),
    }
}

/// The network's error that the box holds, by itself or in a client's with middleware.
///
/// # Errors
/// The box, if it holds another.
pub(crate) fn into_reqwest(error: BoxError) -> Result<reqwest::Error, BoxError> {
    match error.downcast::<reqwest_middleware::Error>() {
        Ok(error) => match *error {
            reqwest_middleware::Error::Reqwest(error) => Ok(error),
            reqwest_middleware::Error::Middleware(error) => {
                into_reqwest(error.reallocate_into_boxed_dyn_error_without_backtrace())
            }
        },
        Err(error) => error.downcast::<reqwest::Error>().map(|error| *error),
    }
}
