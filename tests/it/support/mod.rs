//! Helpers that several tests use.

pub(crate) mod fake;
pub(crate) mod faults;
pub(crate) mod h2_server;
pub(crate) mod http_auth_oracle;
pub(crate) mod two_users;
pub(crate) mod recorder;
pub(crate) mod script;
pub(crate) mod traced;
pub(crate) mod walk;
pub(crate) mod wire;
