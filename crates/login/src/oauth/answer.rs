//! A token that was granted (RFC 6749 §5.1), and what is kept of it for its renewal.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::client::{Identity, Proof};
use super::form::Form;
use super::reply::Reply;
use crate::secret_json::SecretJson;
use reqwest_challenge::Credential;
use reqwest_challenge::RefreshError;
use reqwest_challenge::Secret;
use reqwest_challenge::dpop::Dpop;
use reqwest_challenge::support::is_scope_token;

/// What a token endpoint gave.
pub(super) struct Answer {
    pub(super) access_token: String,
    pub(super) token_type: Option<String>,
    pub(super) expires_in: Option<Duration>,
    pub(super) refresh_token: Option<Secret>,
    pub(super) scopes: Option<Vec<String>>,
}

impl Answer {
    pub(super) fn read(reply: &Reply, sent: &Form) -> Result<Self, RefreshError> {
        // A portal's page, a proxy's: it may go well later, and what is held stays.
        let odd = |why: &str| RefreshError::transient(None).caused_by(why);
        let mut members = reply.members().ok_or_else(|| odd("the token endpoint's answer is no JSON object"))?;
        let access_token =
            members.take("access_token").ok_or_else(|| odd("the token endpoint's answer has no `access_token`"))?;
        Ok(Self {
            access_token,
            token_type: members.take("token_type").map(|kind| sent.mask(kind)),
            expires_in: members.seconds("expires_in").map(Duration::from_secs),
            refresh_token: members.take("refresh_token").map(Secret::new),
            scopes: scopes(&mut members),
        })
    }

    /// The refresh token of a response whose other members may be unusable.
    pub(super) fn refresh_token_of(reply: &Reply) -> Option<Secret> {
        reply.members()?.take("refresh_token").map(Secret::new)
    }

    /// Whether this crate supports the type of the access token.
    pub(super) fn check_type(&self, dpop: Option<&Dpop>) -> Result<(), RefreshError> {
        let refused = |why: String| Err(RefreshError::denied("token_type").caused_by(why));
        let kind = self.kind();
        match dpop {
            Some(dpop) => dpop.credential("", kind).map(drop).or_else(|error| refused(error.to_string())),
            None if kind.eq_ignore_ascii_case("Bearer") => Ok(()),
            None => refused(format!("the server gave a token of the type `{}`", super::reply::printed(kind))),
        }
    }

    /// Some servers name no type and mean `Bearer`.
    fn kind(&self) -> &str {
        self.token_type.as_deref().unwrap_or("Bearer")
    }

    /// As a credential, without what is kept for its renewal.
    pub(super) fn into_credential(self, dpop: Option<&Dpop>, now: SystemTime) -> Result<Credential, RefreshError> {
        self.check_type(dpop)?;
        let credential = match dpop {
            Some(dpop) => dpop.restored(Secret::new(self.access_token)),
            None => Credential::bearer(self.access_token),
        };
        // A time that cannot be is no expiry.
        let expiry = self.expires_in.and_then(|span| now.checked_add(span));
        let credential = expiry.into_iter().fold(credential, Credential::with_expiry);
        Ok(self.scopes.into_iter().fold(credential, Credential::with_scopes))
    }
}

/// The granted scopes: one string (RFC 6749 §5.1), or a list, as some servers write it.
fn scopes(members: &mut SecretJson) -> Option<Vec<String>> {
    let said = members.texts("scope").or_else(|| Some(members.take("scope")?.split(' ').map(str::to_owned).collect()));
    said.map(|scopes| scopes.into_iter().filter(|scope| is_scope_token(scope)).collect())
}

/// What is kept with a credential: who gave it to whom, and what renews it. It goes to that issuer alone.
pub(super) struct Kept {
    pub(super) issuer: String,
    pub(super) identity: Identity,
    /// Whether the server got to know the client by registration, so that it is kept here and nowhere else.
    pub(super) registered: bool,
    pub(super) resource: Option<String>,
    pub(super) refresh_token: Option<Secret>,
}

const VERSION: u64 = 1;

impl Kept {
    /// As the attachment of a credential.
    pub(super) fn to_secret(&self) -> Secret {
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
        // A secret that the caller gave stays with the caller.
        if self.registered {
            members.put("registered", self.identity.proof.name());
            if let Proof::Basic(secret) | Proof::Post(secret) = &self.identity.proof {
                members.put("client_secret", secret.expose());
            }
        }
        members.to_secret()
    }

    /// What an attachment says; `None` where it is none of ours.
    pub(super) fn of(attachment: &Secret) -> Option<Self> {
        let mut members = SecretJson::of(attachment.expose().as_bytes())?;
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
            registered: registered.is_some(),
            resource: members.take("resource"),
            refresh_token: members.take("refresh_token").map(Secret::new),
        })
    }

    pub(super) fn of_credential(credential: Option<&Credential>) -> Option<Self> {
        Self::of(credential?.attachment()?)
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
