//! The successful response of a token endpoint (RFC 6749 §5.1).

use std::time::{Duration, SystemTime};

use crate::oauth::http::{Form, ServerResponse, one_line};
use crate::secret_json::SecretJson;
use reqwest_challenge::dpop::Dpop;
use reqwest_challenge::support::is_scope_token;
use reqwest_challenge::{Credential, RefreshError, Secret};

/// What a token endpoint issued.
pub(in crate::oauth) struct TokenResponse {
    pub(in crate::oauth) access_token: Secret,
    pub(in crate::oauth) token_type: Option<String>,
    pub(in crate::oauth) expires_in: Option<Duration>,
    pub(in crate::oauth) refresh_token: Option<Secret>,
    pub(in crate::oauth) scopes: Option<Vec<String>>,
}

impl TokenResponse {
    pub(in crate::oauth) fn read(response: &ServerResponse, sent: &Form) -> Result<Self, RefreshError> {
        // The response may be the page of a proxy or of a captive portal. Then a later attempt may succeed.
        let unusable = |why: &str| RefreshError::transient(None).caused_by(why);
        let not_json = || unusable("the response of the token endpoint is not a JSON object");
        let mut members = response.members().ok_or_else(not_json)?;
        let no_token = || unusable("the response of the token endpoint has no `access_token`");
        let access_token = members.take("access_token").map(Secret::new).ok_or_else(no_token)?;
        Ok(Self {
            access_token,
            token_type: members.take("token_type").map(|token_type| sent.mask(token_type)),
            expires_in: members.seconds("expires_in").map(Duration::from_secs),
            refresh_token: members.take("refresh_token").map(Secret::new),
            scopes: scopes(&mut members),
        })
    }

    /// The refresh token of a response whose other members may be unusable.
    pub(in crate::oauth) fn refresh_token_of(response: &ServerResponse) -> Option<Secret> {
        response.members()?.take("refresh_token").map(Secret::new)
    }

    /// Fails if this crate cannot use the type of the access token.
    pub(in crate::oauth) fn check_type(&self, dpop: Option<&Dpop>) -> Result<(), RefreshError> {
        let refused = |why: String| Err(RefreshError::denied("token_type").caused_by(why));
        // Some servers name no type and mean `Bearer`.
        let token_type = self.token_type.as_deref().unwrap_or("Bearer");
        match dpop {
            Some(dpop) => dpop.credential("", token_type).map(drop).or_else(|error| refused(error.to_string())),
            None if token_type.eq_ignore_ascii_case("Bearer") => Ok(()),
            None => refused(format!("the server issued a token of the type `{}`", one_line(token_type))),
        }
    }

    /// The credential, without its attachment.
    pub(in crate::oauth) fn into_credential(
        self,
        dpop: Option<&Dpop>,
        now: SystemTime,
    ) -> Result<Credential, RefreshError> {
        self.check_type(dpop)?;
        let credential = match dpop {
            Some(dpop) => dpop.restored(self.access_token),
            None => Credential::bearer(self.access_token.expose()),
        };
        // A time beyond the range of the clock means that the expiry is not known.
        let expiry = self.expires_in.and_then(|span| now.checked_add(span));
        let credential = expiry.into_iter().fold(credential, Credential::with_expiry);
        Ok(self.scopes.into_iter().fold(credential, Credential::with_scopes))
    }
}

/// The granted scopes: one text (RFC 6749 §5.1), or a list, as some servers write it.
fn scopes(members: &mut SecretJson) -> Option<Vec<String>> {
    let scopes =
        members.texts("scope").or_else(|| Some(members.take("scope")?.split(' ').map(str::to_owned).collect()))?;
    Some(scopes.into_iter().filter(|scope| is_scope_token(scope)).collect())
}
