//! Fetches a token: by GET, or by POST with an identity token.

use reqwest_challenge::RefreshContext;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use reqwest::Request;
use url::Url;

use super::Account;
use super::cache::Token;
use crate::registry::refusal;
use crate::secret_json::SecretJson;
use crate::transport::{encoded, read, send_once};
use reqwest_challenge::{Credential, RefreshError, Secret};

/// How long a token is good for where the server does not say (the distribution specification).
const LIFETIME: Duration = Duration::from_secs(60);

/// What is asked for.
pub(super) struct Asked<'a> {
    pub(super) realm: Url,
    /// Some registries name no service.
    pub(super) service: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) client_id: &'a str,
}

pub(super) async fn token(
    context: &RefreshContext,
    account: &Account,
    asked: &Asked<'_>,
) -> Result<Token, RefreshError> {
    let client = &context.http_client()?;
    let (request, body) = match account {
        Account::Identity(token) => post(asked, token),
        Account::Anonymous => (get(asked, None)?, None),
        Account::Password(user, password) => (get(asked, Some((user, password)))?, None),
    };
    let sent = send_once(client, request, body).await.map_err(RefreshError::from)?;
    let redirected = || RefreshError::denied("token_server").caused_by("the token server redirects to another URL");
    let mut response = sent.ok_or_else(redirected)?;
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let body = read(&mut response).await.map_err(RefreshError::from)?;
    let body = body.ok_or_else(|| RefreshError::other("the token server's answer has more than 1 MiB"))?;
    match status {
        // Some servers send errors with status 200.
        StatusCode::OK => parsed(&body).map_err(|error| match SecretJson::of(&body) {
            Some(members) if refusal::is_one(&members) => {
                refusal::of((status, &headers, &body), account, context.now())
            }
            _ => error,
        }),
        _ => Err(refusal::of((status, &headers, &body), account, context.now())),
    }
}

fn get(asked: &Asked<'_>, account: Option<(&String, &Secret)>) -> Result<Request, RefreshError> {
    let mut url = asked.realm.clone();
    {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(asked.service.iter().map(|service| ("service", service)));
        query.extend_pairs(asked.scopes.iter().map(|scope| ("scope", scope)));
        query.append_pair("client_id", asked.client_id);
        if let Some((user, _)) = account {
            query.append_pair("account", user);
        }
    }
    let mut request = Request::new(Method::GET, url);
    if let Some((user, password)) = account {
        let credential = Credential::basic(user, password.expose());
        credential.check().map_err(RefreshError::other)?;
        let value =
            credential.header_value().cloned().ok_or_else(|| RefreshError::other("the password cannot be sent"))?;
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(request)
}

fn post(asked: &Asked<'_>, token: &Secret) -> (Request, Option<Bytes>) {
    let scope = asked.scopes.join(" ");
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token.expose())];
    form.extend(asked.service.as_deref().map(|service| ("service", service)));
    form.push(("client_id", asked.client_id));
    form.extend((!scope.is_empty()).then_some(("scope", &*scope)));
    let mut request = Request::new(Method::POST, asked.realm.clone());
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, form_type);
    (request, Some(encoded(form.into_iter())))
}

/// `token` and `access_token` are the same, and a server may send either.
fn parsed(body: &[u8]) -> Result<Token, RefreshError> {
    let odd = |what: &'static str| RefreshError::other(what);
    // What the parser says of it could quote the token.
    let answer = SecretJson::of(body).ok_or_else(|| match SecretJson::is_begun_by(body) {
        true => RefreshError::transient(None).caused_by("the token server's answer is cut"),
        false => odd("the token server's answer is no JSON object"),
    })?;
    let said = |name: &&str| answer.value(name)?.as_str().filter(|text| !text.is_empty());
    let text = ["token", "access_token"].iter().find_map(said);
    let text = text.ok_or_else(|| odd("the token server's answer has no token"))?;
    let seconds = answer.value("expires_in").and_then(|span| span.as_u64().or_else(|| span.as_str()?.parse().ok()));
    // Less than a minute is what older servers say by mistake.
    let lifetime = seconds.map_or(LIFETIME, |seconds| Duration::from_secs(seconds).max(LIFETIME));
    Ok(Token { text: Secret::new(text), lifetime })
}
