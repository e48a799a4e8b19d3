//! Finds our errors in others.

use std::error::Error as StdError;

use super::{Error, Forbidden, RedirectError, Unauthorized};
use crate::chain;
use crate::refresh::RefreshError;

/// What an error of ours can be found in: `&reqwest_middleware::Error`, `&anyhow::Error`, `&Box<dyn Error + …>`,
/// `&dyn Error`, any `&E: Error`, and a `Box` or an `Arc` of one. The trait is sealed.
///
/// Each cause of an error is searched, also if the cause is a `Box`, an `Arc` or an `io::Error` around another error.
///
/// `Way` is inferred: it keeps "any error" apart from those who only hold one, as a box does.
pub trait Findable<Way>: sealed::Sealed<Way> {}

impl<Way, T: sealed::Sealed<Way> + ?Sized> Findable<Way> for T {}

#[allow(unnameable_types, reason = "sealed: nobody else names them")]
mod sealed {
    use std::error::Error as StdError;
    use std::sync::Arc;

    pub trait Sealed<Way> {
        fn first(&self) -> &(dyn StdError + 'static);
    }

    #[derive(Debug)]
    pub struct ByItself;
    #[derive(Debug)]
    pub struct ByWhatItHolds;

    impl<E: StdError + 'static> Sealed<ByItself> for E {
        fn first(&self) -> &(dyn StdError + 'static) {
            self
        }
    }

    macro_rules! dynamic {
        ($($error:ty),*) => {$(
            impl Sealed<ByItself> for $error {
                fn first(&self) -> &(dyn StdError + 'static) {
                    self
                }
            }

            impl Sealed<ByWhatItHolds> for Box<$error> {
                fn first(&self) -> &(dyn StdError + 'static) {
                    self.as_ref()
                }
            }
        )*};
    }

    dynamic!(dyn StdError + 'static, dyn StdError + Send + 'static, dyn StdError + Send + Sync + 'static);

    macro_rules! anyhow {
        ($($pointer:ty),*) => {$(
            impl Sealed<ByWhatItHolds> for $pointer {
                fn first(&self) -> &(dyn StdError + 'static) {
                    let error: &anyhow::Error = self;
                    error.as_ref()
                }
            }
        )*};
    }

    anyhow!(anyhow::Error, Box<anyhow::Error>, Arc<anyhow::Error>);
}

impl Error {
    /// The error of this crate that is in another error: bare, in `reqwest_middleware`'s, under a retry middleware, in
    /// `anyhow`, in an error of one's own.
    #[must_use]
    pub fn find<Way>(error: &(impl Findable<Way> + ?Sized)) -> Option<&Self> {
        chain::find(error.first())
    }
}

impl Forbidden {
    /// The `Forbidden` that is in another error: bare, in `reqwest_middleware`'s, under a retry middleware, in `anyhow`, in
    /// an error of one's own.
    #[must_use]
    pub fn find<Way>(error: &(impl Findable<Way> + ?Sized)) -> Option<&Self> {
        one_of(error.first(), |error| match error {
            Error::Forbidden(error) => Some(error),
            _ => None,
        })
    }
}

impl Unauthorized {
    /// The `Unauthorized` that is in another error: bare, in `reqwest_middleware`'s, under a retry middleware, in `anyhow`,
    /// in an error of one's own.
    #[must_use]
    pub fn find<Way>(error: &(impl Findable<Way> + ?Sized)) -> Option<&Self> {
        one_of(error.first(), |error| match error {
            Error::Unauthorized(error) => Some(error),
            _ => None,
        })
    }
}

impl RedirectError {
    /// The `RedirectError` inside another error.
    #[must_use]
    pub fn find<Way>(error: &(impl Findable<Way> + ?Sized)) -> Option<&Self> {
        one_of(error.first(), |error| match error {
            Error::Redirect(error) => Some(error),
            _ => None,
        })
    }
}

impl RefreshError {
    /// The `RefreshError` that is in another error, or caused it.
    #[must_use]
    pub fn find<Way>(error: &(impl Findable<Way> + ?Sized)) -> Option<&Self> {
        chain::find(error.first())
    }
}

/// The error as one whose causes can be walked.
#[cfg(feature = "cli")]
pub(crate) fn first<Way>(error: &(impl Findable<Way> + ?Sized)) -> &(dyn StdError + 'static) {
    error.first()
}

/// The error of that kind: by itself, as whoever took it out of ours may have put it into his, or in ours.
fn one_of<'e, T: StdError + 'static>(
    error: &'e (dyn StdError + 'static),
    of: impl Fn(&'e Error) -> Option<&'e T>,
) -> Option<&'e T> {
    chain::find::<T>(error).or_else(|| chain::find::<Error>(error).and_then(of))
}
