//! The token endpoint and the revocation endpoint.

use super::custom_grants::Decide;
use super::failure::{described_error, invalid_client, oauth_error};
use super::issued::Issued;
use super::logins::Redeemed;
use super::state::{Inner, State};
use crate::message::{Answer, ReceivedRequest};

/// The grant types, and the parameters that each one requires.
const GRANT_TYPES: [(&str, &[&str]); 7] = [
    ("client_credentials", &[]),
    ("refresh_token", &["refresh_token"]),
    ("password", &["username", "password"]),
    ("authorization_code", &["code"]),
    ("urn:ietf:params:oauth:grant-type:device_code", &["device_code"]),
    ("urn:ietf:params:oauth:grant-type:jwt-bearer", &["assertion"]),
    ("urn:ietf:params:oauth:grant-type:token-exchange", &["subject_token", "subject_token_type"]),
];

/// The error response to a request that is refused.
type Refusal = Box<Answer>;

fn refuse(code: &str) -> Refusal {
    Box::new(oauth_error(400, code))
}

impl State {
    /// The answer to a token request (RFC 6749 §4 to §6).
    pub(super) fn token(&self, request: &ReceivedRequest) -> Answer {
        self.try_token(request).unwrap_or_else(|refusal| *refusal)
    }

    fn try_token(&self, request: &ReceivedRequest) -> Result<Answer, Refusal> {
        let inner = self.lock();
        if !self.is_client_known(&inner, request) {
            return Err(Box::new(invalid_client()));
        }
        let grant_type = grant_type(request)?;
        let key = self.key_of(&inner, request)?;
        let decide = check_parameters(request, &grant_type, &inner)?;
        check_scope(request, &inner)?;
        // The function of the test may use the provider, so it runs without the lock.
        drop(inner);
        if let Some(decide) = decide {
            decide(request).map_err(refuse)?;
        }
        let mut inner = self.lock();
        let scopes = match inner.logins.redeem(request, &grant_type, key.as_deref()) {
            Redeemed::Scopes(scopes) => scopes,
            Redeemed::Refused(code) => return Err(refuse(code)),
            Redeemed::NotOurs => requested_scopes(request),
        };
        let issued = if grant_type == "refresh_token" {
            let token = request.form("refresh_token").unwrap_or_default();
            self.refresh(&mut inner, &token, key.as_deref()).ok_or_else(|| refuse("invalid_grant"))?
        } else {
            // The refresh token of a client that authenticates is bound to the client instead (RFC 9449 §5).
            let bound_to = key.clone().filter(|_| inner.client.is_none());
            self.issue_login(&mut inner, scopes.unwrap_or_else(|| vec!["*".to_owned()]), bound_to)
        };
        let token_type = self.bind(&issued.access_token, key);
        let refresh_token = match grant_type.as_str() {
            // RFC 6749 §4.4.3: no refresh token with this grant.
            "client_credentials" => String::new(),
            _ => format!(",\"refresh_token\":\"{}\"", issued.refresh_token),
        };
        *inner.counts.entry(grant_type).or_default() += 1;
        let answer = Answer::json(format_args!(
            "{{\"access_token\":\"{}\",\"token_type\":\"{token_type}\",\"expires_in\":{}{refresh_token}}}",
            issued.access_token,
            inner.lifetime.as_secs()
        ));
        Ok(answer.header("cache-control", "no-store"))
    }

    /// Renews by a refresh token. `None` if the token is not valid. The reuse of a rotated token revokes all tokens of its
    /// login (RFC 9700 §4.14.2).
    fn refresh(&self, inner: &mut Inner, token: &str, key: Option<&str>) -> Option<Issued> {
        let rotates = inner.rotates;
        let grant = inner.grants.get_mut(token)?;
        if grant.bound_to.is_some() && grant.bound_to.as_deref() != key {
            return None;
        }
        let family = grant.family;
        if grant.is_used {
            inner.reuses += 1;
            self.revoke_family(inner, family);
            return None;
        }
        grant.is_used = rotates;
        let (scopes, bound_to) = (grant.scopes.clone(), grant.bound_to.clone());
        let issued = self.issue(inner, family, scopes, bound_to);
        if rotates {
            return Some(issued);
        }
        inner.grants.remove(&issued.refresh_token);
        Some(Issued { refresh_token: token.to_owned(), ..issued })
    }

    /// The answer to a revocation (RFC 7009). The revocation of an unknown token succeeds too.
    pub(super) fn revoke(&self, request: &ReceivedRequest) -> Answer {
        let mut inner = self.lock();
        if !self.is_client_known(&inner, request) {
            return invalid_client();
        }
        let Some(token) = request.form("token").filter(|_| request.is_form()) else {
            return oauth_error(400, "invalid_request");
        };
        if let Some(family) = inner.grants.get(&token).map(|grant| grant.family) {
            self.revoke_family(&mut inner, family);
        }
        self.tokens.revoke(&token);
        Answer::new(200)
    }
}

/// The grant type of a form in which no parameter occurs twice (RFC 6749 §3.2).
fn grant_type(request: &ReceivedRequest) -> Result<String, Refusal> {
    let names: Vec<_> = url::form_urlencoded::parse(request.body()).map(|(name, _)| name.into_owned()).collect();
    let has_repetition = names.iter().enumerate().any(|(number, name)| names[..number].contains(name));
    let grant_type = request.form("grant_type").filter(|_| !has_repetition && request.is_form());
    grant_type.ok_or_else(|| refuse("invalid_request"))
}

/// Checks that the grant type is known and that its parameters are present. Returns the function that decides about a grant
/// type of the test.
fn check_parameters(request: &ReceivedRequest, grant_type: &str, inner: &Inner) -> Result<Option<Decide>, Refusal> {
    let is_missing = |name: &&str| request.form(name).is_none_or(|value| value.is_empty());
    let custom = inner.custom_grants.get(grant_type);
    let missing: Vec<&str> = match (custom, GRANT_TYPES.iter().find(|(name, _)| *name == grant_type)) {
        (Some(custom), _) => custom.required.iter().map(String::as_str).filter(is_missing).collect(),
        (None, Some((_, required))) => required.iter().copied().filter(is_missing).collect(),
        (None, None) => {
            let text = "call `accept_grant` on the mock identity provider to add this grant type";
            return Err(Box::new(described_error(400, "unsupported_grant_type", text)));
        }
    };
    if !missing.is_empty() {
        let text = format!("missing parameters: {}", missing.join(", "));
        return Err(Box::new(described_error(400, "invalid_request", &text)));
    }
    Ok(custom.map(|custom| custom.decide.clone()))
}

/// Checks that a refresh requests no scope beyond those of the login (RFC 6749 §6).
fn check_scope(request: &ReceivedRequest, inner: &Inner) -> Result<(), Refusal> {
    let token = request.form("refresh_token").unwrap_or_default();
    if let (Some(scopes), Some(grant)) = (requested_scopes(request), inner.grants.get(&token))
        && !scopes.iter().all(|scope| grant.scopes.contains(scope) || grant.scopes.iter().any(|held| held == "*"))
    {
        return Err(refuse("invalid_scope"));
    }
    Ok(())
}

fn requested_scopes(request: &ReceivedRequest) -> Option<Vec<String>> {
    request.form("scope").map(|scope| scope.split(' ').map(str::to_owned).collect())
}
