//! What several tests use.

pub(crate) mod faults;
pub(crate) mod folder;
pub(crate) mod oauth;
pub(crate) mod peer;
pub(crate) mod redirects;
pub(crate) mod script;
pub(crate) mod terminal;
