//! Helpers that several folders use: locking a mutex, stopping work, bounding a duration, and masking secrets.

#[cfg(any(feature = "oauth", feature = "store"))]
mod abandoned;
#[cfg(any(feature = "oauth", feature = "registry", feature = "store"))]
mod lock;
#[cfg(feature = "oauth")]
mod masker;
#[cfg(feature = "store")]
mod timeout;
#[cfg(any(feature = "oauth", feature = "store"))]
mod unless;

#[cfg(any(feature = "oauth", feature = "store"))]
pub(crate) use abandoned::abandoned;
#[cfg(any(feature = "oauth", feature = "registry", feature = "store"))]
pub(crate) use lock::lock;
#[cfg(feature = "oauth")]
pub(crate) use masker::masker_of;
#[cfg(feature = "store")]
pub(crate) use timeout::clamped;
#[cfg(any(feature = "oauth", feature = "store"))]
pub(crate) use unless::unless;
