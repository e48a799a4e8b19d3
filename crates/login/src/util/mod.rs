//! Utilities that several folders use.

mod abandoned;
mod lock;
#[cfg(feature = "oauth")]
mod masker;
mod timeout;
mod unless;

pub(crate) use abandoned::abandoned;
pub(crate) use lock::lock;
#[cfg(feature = "oauth")]
pub(crate) use masker::masker_of;
pub(crate) use timeout::clamped;
pub(crate) use unless::unless;
