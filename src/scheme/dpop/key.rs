//! Keys that sign proofs.

use std::fmt;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::Generate;
use p256::pkcs8::DecodePrivateKey;
use zeroize::Zeroizing;

use crate::BoxError;
use crate::credential::Secret;

/// A private key that signs proofs. It can be in memory, in a keyring or in hardware.
///
/// ```
/// use reqwest_challenge::dpop::{Dpop, ProofKey};
/// use reqwest_challenge::{BoxError, async_trait};
///
/// /// A key in a security module, which signs and does not reveal the key.
/// struct HardwareKey {
///     public_jwk: String,
/// }
///
/// #[async_trait]
/// impl ProofKey for HardwareKey {
///     fn algorithm(&self) -> &str {
///         "ES256"
///     }
///
///     fn public_jwk(&self) -> String {
///         self.public_jwk.clone()
///     }
///
///     async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, BoxError> {
///         ask_the_module(message).await
///     }
/// }
///
/// async fn ask_the_module(message: &[u8]) -> Result<Vec<u8>, BoxError> {
///     // Here the program calls the module.
/// #   let _ = message;
///     Err("the module is not connected".into())
/// }
///
/// let public_jwk = r#"{"crv":"P-256","kty":"EC","x":"…","y":"…"}"#.to_owned();
/// let dpop = Dpop::new(HardwareKey { public_jwk });
/// # drop(dpop);
/// ```
#[async_trait]
pub trait ProofKey: Send + Sync + 'static {
    /// The name of an asymmetric algorithm (RFC 7518 §3.1), such as `ES256`.
    fn algorithm(&self) -> &str;

    /// The public key as a JWK (RFC 7517): only the required members, sorted by name, without blanks. The hash of this text
    /// is the thumbprint of the key (RFC 7638).
    fn public_jwk(&self) -> String;

    /// Signs a message, and returns the signature in the form of a JWS (RFC 7518 §3.4). For ECDSA this is the two numbers,
    /// one after the other.
    ///
    /// # Errors
    /// Returns an error if the key cannot sign, such as a key in hardware that is not connected.
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, BoxError>;
}

/// A P-256 key in memory. It is wiped when it is dropped.
#[derive(Clone)]
pub struct Es256Key(SigningKey);

impl Es256Key {
    /// Makes a new key with random numbers of the system.
    ///
    /// # Errors
    /// Returns an error if the system has no random numbers.
    pub fn generate() -> Result<Self, BoxError> {
        Ok(Self(SigningKey::try_generate()?))
    }

    /// Reads the private number in base64url, as [`to_secret`](Self::to_secret) returns it.
    ///
    /// # Errors
    /// Returns an error if the text is not base64url, or if it is not a number of 32 octets that P-256 allows.
    pub fn from_secret(secret: &Secret) -> Result<Self, BoxError> {
        let octets = URL_SAFE_NO_PAD.decode(secret.expose()).map_err(|_| "the key is not base64url")?;
        let octets = Zeroizing::new(octets);
        SigningKey::from_slice(&octets).map(Self).map_err(|_| "the key is not a P-256 key of 32 octets".into())
    }

    /// Reads a PEM file that begins with `-----BEGIN PRIVATE KEY-----` (PKCS #8, RFC 5958).
    ///
    /// # Errors
    /// Returns an error if the text is not such a PEM, or if the key is of another curve or kind.
    pub fn from_pem(pem: &Secret) -> Result<Self, BoxError> {
        let not_a_key = "the PEM is not a PKCS#8 P-256 key; convert another form of a P-256 key with \
                         `openssl pkcs8 -topk8 -nocrypt`";
        SigningKey::from_pkcs8_pem(pem.expose()).map(Self).map_err(|_| not_a_key.into())
    }

    /// Returns the private number in base64url, to be stored beside the token that is bound to the key.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        let octets = Zeroizing::new(self.0.to_bytes().to_vec());
        Secret::new(URL_SAFE_NO_PAD.encode(&octets))
    }
}

impl fmt::Debug for Es256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Es256Key(_)")
    }
}

#[async_trait]
impl ProofKey for Es256Key {
    fn algorithm(&self) -> &str {
        "ES256"
    }

    fn public_jwk(&self) -> String {
        let point = self.0.verifying_key().to_sec1_point(false);
        // SEC 1 §2.3.3: a tag, then the two coordinates of 32 octets each.
        let (x, y) = point.as_bytes()[1..].split_at(32);
        let [x, y] = [x, y].map(|coordinate| URL_SAFE_NO_PAD.encode(coordinate));
        format!("{{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"{x}\",\"y\":\"{y}\"}}")
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, BoxError> {
        let signature: Signature = self.0.try_sign(message)?;
        Ok(signature.to_bytes().to_vec())
    }
}
