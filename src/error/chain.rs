//! Walks the causes of an error. It also looks into errors whose `source()` skips the error they hold:
//! `reqwest_middleware::Error`, `std::io::Error`, pointers to an error, and wrappers around an error of this crate.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use super::clean_error::CleanError;
use super::seek;
use crate::BoxError;

/// How many errors of one chain are visited. Real chains are shorter; the bound also ends a chain that leads back to
/// itself.
const MAX_CAUSES: usize = 128;

/// The error and its causes, outermost first. An error of this crate may occur twice in a row.
pub(crate) fn each<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> + use<'e> {
    let next = |&(error, is_itself): &(&'e (dyn StdError + 'static), bool)| {
        if is_itself {
            return Some((seek::own_cause(error)?, false));
        }
        held(error).map(|held| (held, false)).or_else(|| seek::cause(error))
    };
    std::iter::successors(Some((error, false)), next).take(MAX_CAUSES).map(|(error, _)| error)
}

/// Returns the first error of type `T`: the error itself or one of its causes. Also looks into a `Box`, an `Arc`, an
/// `io::Error` and a `reqwest_middleware::Error`.
///
/// The error inside an [`Error`](crate::Error) is not its cause. For that, use the `find` of its type, such as
/// [`Unauthorized::find`](crate::Unauthorized::find).
#[must_use]
pub fn find_error<'e, T: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e T> {
    each(error).find_map(through::<T>)
}

/// The error inside an error whose `source()` skips it.
fn held<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e (dyn StdError + 'static)> {
    if let Some(held) = error.downcast_ref::<CleanError>().and_then(CleanError::held) {
        return Some(held);
    }
    if let Some(held) = through::<reqwest_middleware::Error>(error) {
        return Some(match held {
            reqwest_middleware::Error::Middleware(held) => held.as_ref(),
            reqwest_middleware::Error::Reqwest(held) => held,
        });
    }
    if let Some(held) = through::<io::Error>(error).and_then(io::Error::get_ref) {
        return Some(held);
    }
    shared(error)
}

/// Casts the error to a type. The `source()` of a `Box<T>` or an `Arc<T>` is that of `T`, so a walk would skip `T`
/// itself.
pub(crate) fn through<'e, T: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e T> {
    macro_rules! held {
        ($($pointer:ty),*) => {$(
            if let Some(held) = error.downcast_ref::<$pointer>() {
                let held: &T = held;
                return Some(held);
            }
        )*};
    }
    held!(T, Box<T>, Arc<T>, Box<Box<T>>, Box<Arc<T>>, Arc<Box<T>>, Arc<Arc<T>>);
    None
}

/// The error inside an `Arc<dyn Error>`.
fn shared<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e (dyn StdError + 'static)> {
    macro_rules! held {
        ($($error:ty),*) => {$(
            if let Some(held) = through::<Arc<$error>>(error) {
                let held: &Arc<$error> = held;
                return Some(&**held);
            }
        )*};
    }
    held!(dyn StdError + Send + Sync, dyn StdError + Send, dyn StdError);
    None
}

/// The network error in the box: directly, in a `reqwest_middleware::Error`, or behind a pointer with one owner.
///
/// # Errors
/// Returns the box if it contains another error.
pub(crate) fn into_reqwest(error: BoxError) -> Result<reqwest::Error, BoxError> {
    let error = match error.downcast::<reqwest_middleware::Error>() {
        Ok(error) => match *error {
            reqwest_middleware::Error::Reqwest(error) => return Ok(error),
            reqwest_middleware::Error::Middleware(error) => {
                return into_reqwest(error.reallocate_into_boxed_dyn_error_without_backtrace());
            }
        },
        Err(error) => error,
    };
    let error = match error.downcast::<Box<reqwest::Error>>() {
        Ok(error) => return Ok(**error),
        Err(error) => error,
    };
    let error = match error.downcast::<Arc<reqwest::Error>>() {
        Ok(error) => return Arc::try_unwrap(*error).map_err(BoxError::from),
        Err(error) => error,
    };
    error.downcast::<reqwest::Error>().map(|error| *error)
}
