//! TODO

mod once;
mod trust;
mod wiped;

pub(crate) use once::send_once;
#[cfg(feature = "oauth")]
pub(crate) use trust::is_public;
pub(crate) use trust::{Trust, Undialled, Why};
pub(crate) use wiped::{encoded, read};
