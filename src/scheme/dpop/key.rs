//! Keys that prove.

use std::fmt;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::Generate;
use p256::pkcs8::DecodePrivateKey;

use crate::BoxError;
use crate::credential::Secret;

/// A private key that never leaves its owner: in memory, in a keyring, in hardware.
#[async_trait]
pub trait ProofKey: Send + Sync + 'static {
    /// The algorithm (RFC 7518 §3.1), such as `ES256`: an asymmetric one.
    fn algorithm(&self) -> &str;

    /// The public key as a JWK (RFC 7517): the members that it must have, sorted by name, without blanks, so that its hash is its
    /// thumbprint (RFC 7638).
    fn public_jwk(&self) -> String;

    /// Signs, as a JWS has it (RFC 7518 §3.4): of ECDSA the two numbers one after the other.
    ///
    /// # Errors
    /// Whatever keeps it from signing, such as hardware that is gone.
    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, BoxError>;
}

/// A P-256 key in memory, wiped when it goes.
pub struct Es256Key(SigningKey);

impl Es256Key {
    /// A new key, of the system's random numbers.
    ///
    /// # Errors
    /// If the system has none.
    pub fn generate() -> Result<Self, BoxError> {
        Ok(Self(SigningKey::try_generate()?))
    }

    /// The key of these octets, encoded in base64url: what [`to_secret`](Self::to_secret) gave.
    ///
    /// # Errors
    /// Text that is no base64url, and octets that are no key of P-256: other than 32, or zero, or too large a number.
    pub fn from_secret(secret: &Secret) -> Result<Self, BoxError> {
        let octets =
            zeroize::Zeroizing::new(URL_SAFE_NO_PAD.decode(secret.expose()).map_err(|_| "the key is no base64url")?);
        SigningKey::from_slice(&octets).map(Self).map_err(|_| "the key is no P-256 key of 32 octets".into())
    }

    /// The key of a PEM file: `-----BEGIN PRIVATE KEY-----` (PKCS #8, RFC 5958), as key generators write it.
    ///
    /// # Errors
    /// Text that is no such PEM, and a key of another curve or kind.
    pub fn from_pem(pem: &Secret) -> Result<Self, BoxError> {
        let no_key = "the PEM is no private key of P-256 in PKCS #8: of such a key in another dress `openssl pkcs8 -topk8 -nocrypt` \
                      makes one, of another kind of key nothing does";
        SigningKey::from_pkcs8_pem(pem.expose()).map(Self).map_err(|_| no_key.into())
    }

    /// The private key, to be stored beside the token that is bound to it.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        let octets = zeroize::Zeroizing::new(self.0.to_bytes().to_vec());
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
        // A tag, then the two coordinates of 32 octets each.
        let (x, y) = point.as_bytes()[1..].split_at(32);
        let [x, y] = [x, y].map(|coordinate| URL_SAFE_NO_PAD.encode(coordinate));
        format!("{{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"{x}\",\"y\":\"{y}\"}}")
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, BoxError> {
        let signature: Signature = self.0.try_sign(message)?;
        Ok(signature.to_bytes().to_vec())
    }
}
