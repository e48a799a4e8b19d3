//! The attachment of a credential: what its renewal needs.

use std::fmt;

use crate::oauth::client::{Identity, Proof};
use crate::secret_json::SecretJson;
use reqwest_challenge::{Credential, Secret};

/// The version of the text form.
const VERSION: u64 = 1;

/// What is attached to a credential: which issuer issued it to which client, and the refresh token. The refresh token is
/// sent to that issuer only.
pub(in crate::oauth) struct Attachment {
    pub(in crate::oauth) issuer: String,
    pub(in crate::oauth) identity: Identity,
    /// Whether the client registered at the server. Then its secret is stored here and nowhere else.
    pub(in crate::oauth) is_registered: bool,
    pub(in crate::oauth) resource: Option<String>,
    pub(in crate::oauth) refresh_token: Option<Secret>,
}

impl Attachment {
    /// The attachment of this credential. `None` if it was not made by this module.
    pub(in crate::oauth) fn of(credential: Option<&Credential>) -> Option<Self> {
        Self::parse(credential?.attachment()?)
    }

    fn parse(text: &Secret) -> Option<Self> {
        let mut members = SecretJson::of(text.expose().as_bytes())?;
        if members.value("oauth")?.as_u64() != Some(VERSION) {
            return None;
        }
        let secret = members.take("client_secret").map(Secret::new);
        let registered = members.take("registered");
        let proof = match (registered.as_deref(), secret) {
            (Some("client_secret_basic"), Some(secret)) => Proof::Basic(secret),
            (Some("client_secret_post"), Some(secret)) => Proof::Post(secret),
            _ => Proof::None,
        };
        Some(Self {
            issuer: members.take("issuer")?,
            identity: Identity { id: members.take("client_id")?, proof },
            is_registered: registered.is_some(),
            resource: members.take("resource"),
            refresh_token: members.take("refresh_token").map(Secret::new),
        })
    }

    /// The text form.
    pub(in crate::oauth) fn to_secret(&self) -> Secret {
        let mut members = SecretJson::default();
        members.put("oauth", VERSION);
        members.put("issuer", self.issuer.as_str());
        members.put("client_id", self.identity.id.as_str());
        if let Some(resource) = &self.resource {
            members.put("resource", resource.as_str());
        }
        if let Some(token) = &self.refresh_token {
            members.put("refresh_token", token.expose());
        }
        // A secret that the caller gave is not stored.
        if self.is_registered {
            members.put("registered", self.identity.proof.name());
            if let Proof::Basic(secret) | Proof::Post(secret) = &self.identity.proof {
                members.put("client_secret", secret.expose());
            }
        }
        members.to_secret()
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
