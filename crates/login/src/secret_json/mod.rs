//! TODO

mod secret_json;
mod write;

pub(crate) use secret_json::SecretJson;
