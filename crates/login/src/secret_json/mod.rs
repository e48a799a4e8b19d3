//! TODO

mod secret_json;
#[cfg(any(feature = "oauth", feature = "store"))]
mod write;

pub(crate) use secret_json::SecretJson;
