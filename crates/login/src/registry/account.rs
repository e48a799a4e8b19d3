//! The account for which a token is fetched.

use http::header::HeaderValue;

use reqwest_challenge::support::Masker;
use reqwest_challenge::{Credential, CredentialError, Secret};

/// The account for which a token is fetched.
pub(super) enum Account {
    /// No account. Public repositories can be pulled.
    Anonymous,
    Password {
        user: String,
        password: Secret,
    },
    /// A refresh token, which registries call an identity token.
    IdentityToken(Secret),
}

/// The `Authorization` header of this user (RFC 7617).
pub(super) fn basic(user: &str, password: &Secret) -> Result<Option<HeaderValue>, CredentialError> {
    let credential = Credential::basic(user, password.expose());
    credential.check()?;
    Ok(credential.header_value().cloned())
}

impl Account {
    /// The text without the secrets of this account: plain, form-encoded, JSON-escaped, or as a header value.
    pub(super) fn mask(&self, text: String) -> String {
        let mut masker = Masker::default();
        match self {
            Self::Anonymous => return text,
            Self::Password { user, password } => {
                masker.add_secret(password);
                masker.add_credential(&Credential::basic(user, password.expose()));
            }
            Self::IdentityToken(token) => masker.add_secret(token),
        }
        masker.mask(text)
    }
}
