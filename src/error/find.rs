//! Finds the errors of this crate in other errors.
//!
//! Each search looks at the error itself and at all its causes. It also looks into a `Box`, an `Arc`, an `io::Error`, a
//! `reqwest_middleware::Error` and the error of an outer retry middleware.

use std::error::Error as StdError;

use super::authorize_error::AuthorizeError;
use super::chain::{self, find_error};
use super::error::Error;
use super::forbidden::Forbidden;
use super::insecure_url::InsecureUrl;
use super::redirect_error::RedirectError;
use super::refresh_error::RefreshError;
use super::session_ended::SessionEnded;
use super::step_up_error::StepUpError;
use super::tenant_error::TenantError;
use super::unauthorized::Unauthorized;

impl Error {
    /// Finds the error of this crate in another error.
    ///
    /// Pass a reference to the error: `&error` for a `reqwest_middleware::Error`, `error.as_ref()` for an
    /// `anyhow::Error`, `&*error` for a `Box<dyn Error>`.
    #[must_use]
    pub fn find<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e Self> {
        find_error(error)
    }
}

macro_rules! find_in_error {
    ($($error:ident in $variant:ident;)*) => {$(
        impl $error {
            #[doc = concat!("Finds the `", stringify!($error), "` in another error. See [`Error::find`](crate::Error::find).")]
            #[must_use]
            pub fn find<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e Self> {
                find_in(error, |error| match error {
                    Error::$variant(found) => Some(found),
                    _ => None,
                })
            }
        }
    )*};
}

find_in_error! {
    Unauthorized in Unauthorized;
    Forbidden in Forbidden;
    AuthorizeError in Authorize;
    InsecureUrl in Insecure;
    RedirectError in Redirect;
    SessionEnded in SessionEnded;
    StepUpError in StepUp;
    TenantError in Tenant;
}

impl RefreshError {
    /// Finds the `RefreshError` in another error, or in its causes. See [`Error::find`].
    #[must_use]
    pub fn find<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e Self> {
        find_in(error, |error| match error {
            Error::Refresh(found) => Some(found),
            Error::Unauthorized(refused) => refused.refresh_error(),
            _ => None,
        })
    }
}

/// The outermost error of type `T` in the chain. An [`Error`] may contain a `T` that is not one of its causes, so
/// `of` looks into each `Error`.
fn find_in<'e, T: StdError + 'static>(
    error: &'e (dyn StdError + 'static),
    of: impl Fn(&'e Error) -> Option<&'e T>,
) -> Option<&'e T> {
    chain::each(error).find_map(|error| chain::through(error).or_else(|| chain::through(error).and_then(&of)))
}
