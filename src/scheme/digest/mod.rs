//! Digest (RFC 7616): a scheme that signs each request with a hash of the password. [`Password`](crate::Password) uses it.
//!
//! A challenge becomes a `DigestAuth` in `digest.rs`: the hash of the user name, realm and password, and the first nonce.
//! For each request, `nonces.rs` chooses a nonce and counts its use, and `answer.rs` writes the `Authorization` field with
//! a hash from `hash.rs`. For each response, `digest.rs` takes over new nonces and checks the proof of the server
//! (`rspauth`).
//!
//! Supported: MD5, SHA-256, SHA-512/256, their `-sess` variants, `auth`, `auth-int`, and hashed user names. No count of a
//! nonce is used twice, however many requests use the nonce at once. `stale=true`, `nextnonce`, one-time nonces, and nonces
//! that are bound to a URL are answered without a refresh.

mod answer;
mod digest;
mod hash;
mod nonces;

pub(crate) use digest::{DigestAuth, acceptable};
pub(crate) use hash::Hash;
