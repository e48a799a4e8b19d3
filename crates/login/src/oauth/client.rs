//! Who asks an authorization server, and how it proves that (RFC 6749 §2).

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use url::form_urlencoded::byte_serialize;

use super::form::Form;
use super::jwt::{Claims, Signer};
use super::registration::Registration;
use reqwest_challenge::dpop::ProofKey;
use reqwest_challenge::{Credential, RefreshError, Secret};

/// The client that asks an authorization server, and how it proves who it is (RFC 6749 §2).
#[derive(Clone)]
pub struct Client(pub(super) Kind);

#[derive(Clone)]
pub(super) enum Kind {
    Given(Identity),
    /// The URL is the identifier, where a server takes such; else what follows.
    Document(String, Option<Registration>),
    Registered(Registration),
}

/// A client whose identifier is known.
#[derive(Clone)]
pub(super) struct Identity {
    pub(super) id: String,
    pub(super) proof: Proof,
}

#[derive(Clone)]
pub(super) enum Proof {
    None,
    Basic(Secret),
    Post(Secret),
    Key(Signer),
}

impl Client {
    /// A client without a secret: a program on somebody's machine (RFC 6749 §2.1).
    #[must_use]
    pub fn public(id: impl Into<String>) -> Self {
        Self::given(id, Proof::None)
    }

    /// A client whose secret goes by Basic, both encoded as the RFC wants it (RFC 6749 §2.3.1).
    #[must_use]
    pub fn secret_basic(id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        Self::given(id, Proof::Basic(secret.into()))
    }

    /// A client whose secret goes in the body, for servers that want it there (RFC 6749 §2.3.1).
    #[must_use]
    pub fn secret_post(id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        Self::given(id, Proof::Post(secret.into()))
    }

    /// A client that signs an assertion with that key, which the server knows by that identifier (RFC 7523 §2.2).
    #[must_use]
    pub fn private_key_jwt(id: impl Into<String>, key: impl ProofKey, key_id: Option<&str>) -> Self {
        let signer = Signer { key: Arc::new(key), key_id: key_id.map(str::to_owned) };
        Self::given(id, Proof::Key(signer))
    }

    /// A client whose identifier is the URL of a document that says who it is (OAuth Client ID Metadata Document). A server that
    /// does not take such is an error, unless [`or_registered`](Self::or_registered) follows.
    #[must_use]
    pub fn metadata_document(url: impl Into<String>) -> Self {
        Self(Kind::Document(url.into(), None))
    }

    /// A client that the server gets to know at a login (RFC 7591). Each login registers anew, for the redirect URI has a port of its
    /// own then, and some servers forget whom they know; renewals are asked for by the client that logged in.
    #[must_use]
    pub fn registered(registration: Registration) -> Self {
        Self(Kind::Registered(registration))
    }

    /// Registers where the server takes no metadata document. Nothing changes for other clients.
    #[must_use]
    pub fn or_registered(self, registration: Registration) -> Self {
        match self.0 {
            Kind::Document(url, _) => Self(Kind::Document(url, Some(registration))),
            kind => Self(kind),
        }
    }

    fn given(id: impl Into<String>, proof: Proof) -> Self {
        Self(Kind::Given(Identity { id: id.into(), proof }))
    }

    /// Whether it has something that only one server may see.
    pub(super) fn has_secret(&self) -> bool {
        matches!(&self.0, Kind::Given(identity) if !matches!(identity.proof, Proof::None))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, kind) = match &self.0 {
            Kind::Given(Identity { id, proof }) => (id.as_str(), proof.name()),
            Kind::Document(url, _) => (url.as_str(), "metadata document"),
            Kind::Registered(_) => ("", "registered"),
        };
        f.debug_struct("Client").field("id", &id).field("kind", &kind).finish_non_exhaustive()
    }
}

impl Proof {
    /// As `token_endpoint_auth_method` has it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic(_) => "client_secret_basic",
            Self::Post(_) => "client_secret_post",
            Self::Key(_) => "private_key_jwt",
        }
    }
}

impl Identity {
    /// Proves to that issuer who asks: on the headers, or in the form.
    pub(super) async fn prove(
        &self,
        form: &mut Form,
        headers: &mut HeaderMap,
        issuer: &str,
        now: SystemTime,
    ) -> Result<(), RefreshError> {
        match &self.proof {
            Proof::Basic(secret) => {
                let value = basic(&self.id, secret)?;
                form.beside(secret.clone());
                // The server may repeat the encoded pair in an error.
                form.beside(Secret::new(value.to_str().unwrap_or_default().trim_start_matches("Basic ")));
                headers.insert(AUTHORIZATION, value);
                return Ok(());
            }
            Proof::None => {}
            Proof::Post(secret) => form.add_secret("client_secret", secret.clone()),
            Proof::Key(signer) => {
                let claims = Claims { issuer: &self.id, subject: &self.id, audience: issuer, more: &[], now };
                form.add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
                form.add_secret("client_assertion", signer.sign(&claims).await?);
            }
        }
        form.add("client_id", self.id.as_str());
        Ok(())
    }
}

/// The header value of Basic. The identifier and the secret are encoded as in a form first (RFC 6749 §2.3.1).
fn basic(id: &str, secret: &Secret) -> Result<HeaderValue, RefreshError> {
    let encoded = |text: &str| {
        // A text that grows would leave parts of the secret in memory that is not wiped.
        let mut encoded = String::with_capacity(3 * text.len());
        encoded.extend(byte_serialize(text.as_bytes()));
        encoded
    };
    let credential = Credential::basic(encoded(id), encoded(secret.expose()));
    credential.check().map_err(RefreshError::other)?;
    credential.header_value().cloned().ok_or_else(|| RefreshError::other("the client secret cannot be sent by Basic"))
}
