//! The authorization server, and the API that names it.
//!
//! The caller names an [`Issuer`], or the API does: then its [`ResourceMetadata`] say which authorization server issues
//! tokens for it (RFC 9728). The server's endpoints come from its [`ServerMetadata`] (RFC 8414), which the cache in
//! `discovery` reads once an hour, with one request for all callers. Both documents are at well-known URLs.

mod well_known;
mod metadata;
mod discovery;
mod issuer;
mod resource;

pub use issuer::Issuer;
pub(super) use issuer::check_document_url;
pub(super) use metadata::ServerMetadata;
pub(super) use resource::{ResourceMetadata, WantedResource, is_about_another, metadata_url};
