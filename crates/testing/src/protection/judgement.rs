//! The judgement of a server about a credential.

/// The judgement of a server about a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Judgement {
    /// The server accepts the credential.
    Accepted,
    /// There is no credential: 401 without an `error` (RFC 6750 §3.1).
    NoCredential,
    /// The server does not know the credential: 401 `invalid_token`.
    Unknown,
    /// The credential is expired: 401 `invalid_token`.
    Expired,
    /// The credential was revoked: 401 `invalid_token`.
    Revoked,
    /// The credential lacks this scope: 403 `insufficient_scope`.
    MissingScope(String),
    /// The proof of a key is invalid, for this reason: 401 `invalid_dpop_proof` (RFC 9449 §7.1).
    #[cfg(feature = "dpop")]
    InvalidProof(String),
    /// The proof needs this nonce: 401 `use_dpop_nonce` (RFC 9449 §9).
    #[cfg(feature = "dpop")]
    NonceRequired(String),
}
