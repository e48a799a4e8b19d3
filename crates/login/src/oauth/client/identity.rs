//! A client whose identifier is known, and its proof.

use std::time::SystemTime;

use http::header::{AUTHORIZATION, HeaderMap};
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use super::jwt::{Assertion, Signer};
use crate::oauth::http::Form;
use reqwest_challenge::{Credential, RefreshError, Secret};

/// A client whose identifier is known.
#[derive(Clone)]
pub(in crate::oauth) struct Identity {
    pub(in crate::oauth) id: String,
    pub(in crate::oauth) proof: Proof,
}

/// How a client proves who it is.
#[derive(Clone)]
pub(in crate::oauth) enum Proof {
    None,
    Basic(Secret),
    Post(Secret),
    Key(Signer),
}

impl Proof {
    /// The value of `token_endpoint_auth_method` (RFC 7591 §2).
    pub(in crate::oauth) fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic(_) => "client_secret_basic",
            Self::Post(_) => "client_secret_post",
            Self::Key(_) => "private_key_jwt",
        }
    }
}

impl Identity {
    /// Adds the client's identifier and its proof for this issuer to a request.
    pub(in crate::oauth) async fn prove(
        &self,
        form: &mut Form,
        headers: &mut HeaderMap,
        issuer: &str,
        now: SystemTime,
    ) -> Result<(), RefreshError> {
        match &self.proof {
            Proof::Basic(secret) => {
                form.mask_also(secret.clone());
                return self.add_basic(secret, form, headers);
            }
            Proof::None => {}
            Proof::Post(secret) => form.add_secret("client_secret", secret.clone()),
            Proof::Key(signer) => {
                let assertion = Assertion { issuer: &self.id, subject: &self.id, audience: issuer, claims: &[], now };
                form.add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
                form.add_secret("client_assertion", signer.sign(&assertion).await?);
            }
        }
        form.add("client_id", self.id.as_str());
        Ok(())
    }

    /// Adds the Basic header. The identifier and the secret are encoded as in a form before they are joined by a colon (RFC
    /// 6749 §2.3.1).
    fn add_basic(&self, secret: &Secret, form: &mut Form, headers: &mut HeaderMap) -> Result<(), RefreshError> {
        let user: String = byte_serialize(self.id.as_bytes()).collect();
        let mut password = Zeroizing::new(String::with_capacity(3 * secret.expose().len()));
        password.extend(byte_serialize(secret.expose().as_bytes()));
        let credential = Credential::basic(user, password.as_str());
        credential.check().map_err(RefreshError::other)?;
        let Some(value) = credential.header_value() else { return Ok(()) };
        // A server may repeat the encoded pair in an error.
        let pair = value.to_str().ok().and_then(|text| text.strip_prefix("Basic "));
        pair.into_iter().for_each(|pair| form.mask_also(Secret::new(pair)));
        headers.insert(AUTHORIZATION, value.clone());
        Ok(())
    }
}
