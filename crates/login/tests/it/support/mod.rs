//! Helpers for several tests.

pub(crate) mod contexts;
pub(crate) mod faults;
pub(crate) mod folder;
pub(crate) mod oauth;
#[cfg(unix)]
pub(crate) mod peer;
pub(crate) mod redirects;
pub(crate) mod script;
#[cfg(target_os = "linux")]
pub(crate) mod terminal;
