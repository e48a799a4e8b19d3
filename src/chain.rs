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

/// What an error and its causes say, a line each, and nothing twice: a cause is left out where a line above contains it, and begins
/// behind what it repeats of the line above it.
#[cfg(feature = "cli")]
pub(crate) fn told(error: &(dyn StdError + 'static), say: impl Fn(&(dyn StdError + 'static)) -> String) -> Vec<String> {
    let mut lines = vec![say(error)];
    let mut next = cause(error);
    while let Some(error) = next {
        let said = say(error);
        let above = lines.last().map_or("", String::as_str);
        let line = said.strip_prefix(above).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&said);
        let plain = line.trim_end_matches(['.', ' ']).to_lowercase();
        if !lines.iter().any(|above| above.to_lowercase().contains(&plain)) {
            lines.push(line.to_owned());
        }
        next = cause(error);
    }
    lines
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
