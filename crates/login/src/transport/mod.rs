//! TODO

mod once;
mod trust;
mod wiped;

pub(crate) use once::send_once;
pub(crate) use trust::{Trust, Undialled, Why, is_public};
pub(crate) use wiped::{encoded, read};
