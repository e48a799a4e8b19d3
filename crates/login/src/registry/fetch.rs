//! Fetches a token: by GET, or by POST with an identity token.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use reqwest::Request;
use url::Url;

use super::account::{Account, basic};
use super::cache::{Token, TokenKey};
use super::token_error::{self, Refusal};
use crate::secret_json::SecretJson;
use crate::transport::{encode_form, read_body, send_once};
use reqwest_challenge::{RefreshContext, RefreshError, Secret};

/// The shortest lifetime of a token, and its lifetime if the server does not name one (the distribution specification).
const MIN_LIFETIME: Duration = Duration::from_secs(60);

/// What the token server is asked for.
pub(super) struct TokenRequest<'a> {
    pub(super) realm: Url,
    /// Some registries name no service.
    pub(super) service: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) client_id: &'a str,
}

impl TokenRequest<'_> {
    /// The key of the token in the cache.
    pub(super) fn into_key(self) -> TokenKey {
        TokenKey { realm: self.realm.to_string(), service: self.service, scopes: self.scopes }
    }
}

/// Fetches a token for this account.
pub(super) async fn token(
    context: &RefreshContext,
    account: &Account,
    wanted: &TokenRequest<'_>,
) -> Result<Token, RefreshError> {
    let client = &context.http_client()?;
    let (request, body) = match account {
        Account::IdentityToken(token) => post(wanted, token),
        Account::Anonymous => (get(wanted), None),
        Account::Password { user, password } => (get_as(wanted, user, password)?, None),
    };
    let sent = send_once(client, request, body).await.map_err(RefreshError::from)?;
    let redirected = || RefreshError::denied("token_server").caused_by("the token server redirects to another URL");
    let mut response = sent.ok_or_else(redirected)?;
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let body = read_body(&mut response).await.map_err(RefreshError::from)?;
    let body = body.ok_or_else(|| RefreshError::other("the response of the token server has more than 1 MiB"))?;
    let refused = || token_error::of(&Refusal { status, headers: &headers, body: &body }, account, context.now());
    if status != StatusCode::OK {
        return Err(refused());
    }
    read(&body).map_err(|error| match SecretJson::of(&body) {
        // Some servers send errors with status 200.
        Some(members) if token_error::is_error(&members) => refused(),
        _ => error,
    })
}

fn get(wanted: &TokenRequest<'_>) -> Request {
    let mut url = wanted.realm.clone();
    url.query_pairs_mut()
        .extend_pairs(wanted.service.iter().map(|service| ("service", service)))
        .extend_pairs(wanted.scopes.iter().map(|scope| ("scope", scope)))
        .append_pair("client_id", wanted.client_id);
    Request::new(Method::GET, url)
}

fn get_as(wanted: &TokenRequest<'_>, user: &str, password: &Secret) -> Result<Request, RefreshError> {
    let mut request = get(wanted);
    request.url_mut().query_pairs_mut().append_pair("account", user);
    if let Some(value) = basic(user, password).map_err(RefreshError::other)? {
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(request)
}

/// The request for an identity token (RFC 6749 §6), and its body in memory that is wiped.
fn post(wanted: &TokenRequest<'_>, token: &Secret) -> (Request, Option<Bytes>) {
    let scope = wanted.scopes.join(" ");
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token.expose())];
    form.extend(wanted.service.as_deref().map(|service| ("service", service)));
    form.push(("client_id", wanted.client_id));
    form.extend((!scope.is_empty()).then_some(("scope", &*scope)));
    let mut request = Request::new(Method::POST, wanted.realm.clone());
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, form_type);
    (request, Some(encode_form(form.into_iter())))
}

/// Reads the token. `token` and `access_token` mean the same, and a server may send either.
fn read(body: &[u8]) -> Result<Token, RefreshError> {
    let unusable = |why: &'static str| RefreshError::other(why);
    // The error of the JSON parser is dropped, because it could quote the token.
    let members = SecretJson::of(body).ok_or_else(|| {
        if SecretJson::is_begun_by(body) {
            RefreshError::transient(None).caused_by("the response of the token server was cut off")
        } else {
            unusable("the response of the token server is not a JSON object")
        }
    })?;
    let text = |name: &&str| members.value(name)?.as_str().filter(|text| !text.is_empty());
    let text = ["token", "access_token"].iter().find_map(text);
    let text = text.ok_or_else(|| unusable("the response of the token server has no token"))?;
    let seconds = members.value("expires_in").and_then(|span| span.as_u64().or_else(|| span.as_str()?.parse().ok()));
    // Older servers name less than a minute by mistake.
    let lifetime = seconds.map_or(MIN_LIFETIME, |seconds| Duration::from_secs(seconds).max(MIN_LIFETIME));
    Ok(Token { text: Secret::new(text), lifetime })
}
