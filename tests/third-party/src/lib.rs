//! Extensions of `reqwest-challenge` by another author: a store, a decorator, a grant and a scheme.
//!
//! They show that the documented API suffices to write each of these parts anew.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod database;
pub mod saved_refresher;
pub mod signature_scheme;
pub mod sqlite_store;
pub mod ticket_grant;

/// The octets in lower-case hexadecimal.
fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
