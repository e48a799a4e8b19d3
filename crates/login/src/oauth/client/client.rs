//! The client, as the caller describes it.

use std::fmt;
use std::sync::Arc;

use super::identity::{Identity, Proof};
use super::jwt::Signer;
use super::registration::Registration;
use reqwest_challenge::Secret;
use reqwest_challenge::dpop::ProofKey;

/// The client that requests tokens, and how it proves who it is (RFC 6749 §2).
///
/// ```
/// use reqwest_challenge_login::oauth::{Client, Registration};
///
/// // A command-line tool that the server knows.
/// let tool = Client::public("tool");
/// // A service with a secret.
/// let service = Client::secret_basic("service", "s3cret");
/// // A tool that registers at each login, because no server knows it in advance.
/// let unknown = Client::registered(Registration::named("a tool"));
/// ```
#[derive(Clone)]
pub struct Client(pub(in crate::oauth) Kind);

#[derive(Clone)]
pub(in crate::oauth) enum Kind {
    Known(Identity),
    /// A metadata document, and the registration for a server that takes no such document.
    Document(String, Option<Registration>),
    Registered(Registration),
}

impl Client {
    /// A client without a secret, such as a program on a user's machine (RFC 6749 §2.1).
    #[must_use]
    pub fn public(id: impl Into<String>) -> Self {
        Self::known(id, Proof::None)
    }

    /// A client that sends its secret in a Basic header (RFC 6749 §2.3.1).
    #[must_use]
    pub fn secret_basic(id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        Self::known(id, Proof::Basic(secret.into()))
    }

    /// A client that sends its secret in the body, for servers that accept no Basic header (RFC 6749 §2.3.1).
    #[must_use]
    pub fn secret_post(id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        Self::known(id, Proof::Post(secret.into()))
    }

    /// A client that signs an assertion with this key (RFC 7523 §2.2). `key_id` is the identifier by which the server knows
    /// the key.
    #[must_use]
    pub fn private_key_jwt(id: impl Into<String>, key: impl ProofKey, key_id: Option<&str>) -> Self {
        let signer = Signer { key: Arc::new(key), key_id: key_id.map(str::to_owned) };
        Self::known(id, Proof::Key(signer))
    }

    /// A client whose identifier is the URL of a document that describes it (OAuth Client ID Metadata Document). A login at
    /// a server that takes no such document fails, unless [`or_registered`](Self::or_registered) follows.
    #[must_use]
    pub fn metadata_document(url: impl Into<String>) -> Self {
        Self(Kind::Document(url.into(), None))
    }

    /// A client that registers at the server (RFC 7591). It registers at each login, because the redirect URI has another
    /// port each time, and because some servers forget their clients. A renewal uses the client that logged in.
    #[must_use]
    pub fn registered(registration: Registration) -> Self {
        Self(Kind::Registered(registration))
    }

    /// Registers at servers that take no metadata document. It has no effect on a client without such a document.
    #[must_use]
    pub fn or_registered(self, registration: Registration) -> Self {
        match self.0 {
            Kind::Document(url, _) => Self(Kind::Document(url, Some(registration))),
            kind => Self(kind),
        }
    }

    fn known(id: impl Into<String>, proof: Proof) -> Self {
        Self(Kind::Known(Identity { id: id.into(), proof }))
    }

    /// Whether it has a proof that only an issuer named by the caller may see.
    pub(in crate::oauth) fn has_secret(&self) -> bool {
        matches!(&self.0, Kind::Known(identity) if !matches!(identity.proof, Proof::None))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, kind) = match &self.0 {
            Kind::Known(Identity { id, proof }) => (id.as_str(), proof.name()),
            Kind::Document(url, _) => (url.as_str(), "metadata document"),
            Kind::Registered(_) => ("", "registered"),
        };
        f.debug_struct("Client").field("id", &id).field("kind", &kind).finish_non_exhaustive()
    }
}
