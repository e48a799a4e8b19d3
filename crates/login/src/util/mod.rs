//! Utilities that several folders use.

mod abandoned;
#[cfg(feature = "oauth")]
mod masker;
mod timeout;
mod unless;

pub(crate) use abandoned::abandoned;
#[cfg(feature = "oauth")]
pub(crate) use masker::masker_of;
pub(crate) use timeout::clamped;
pub(crate) use unless::unless;
