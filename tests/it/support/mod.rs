//! What several tests use.

pub(crate) mod http_auth_oracle;
