//! What several tests use.

pub(crate) mod fake;
pub(crate) mod faults;
#[cfg(feature = "store")]
pub(crate) mod folder;
pub(crate) mod http_auth_oracle;
#[cfg(feature = "oauth")]
pub(crate) mod oauth;
#[cfg(all(unix, feature = "oauth", feature = "store"))]
pub(crate) mod peer;
pub(crate) mod people;
#[cfg(any(feature = "oauth", feature = "registry"))]
pub(crate) mod redirects;
pub(crate) mod script;
#[cfg(all(feature = "cli", target_os = "linux"))]
pub(crate) mod terminal;
pub(crate) mod traced;
pub(crate) mod wire;
