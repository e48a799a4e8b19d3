//! Fetches a token: by GET, or by POST with an identity token.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use reqwest::{Client, Request, Response};
use url::Url;
use url::form_urlencoded::Serializer;
use zeroize::Zeroizing;

use super::Account;
use super::cache::Token;
use crate::members::Members;
use crate::refresh::RefreshError;
use crate::retry_after::{passes, retry_after};
use crate::secret::Secret;

/// How much of an answer is read: tokens have some kilobytes.
const LONGEST: usize = 1 << 20;
/// How long a token is good for where the server does not say (the distribution specification).
const LIFETIME: Duration = Duration::from_secs(60);

/// What is asked for.
pub(super) struct Asked<'a> {
    pub(super) realm: Url,
    pub(super) service: String,
    pub(super) scopes: Vec<String>,
    pub(super) client_id: &'a str,
}

pub(super) async fn token(client: &Client, account: &Account, asked: &Asked<'_>) -> Result<Token, RefreshError> {
    let request = match account {
        Account::Identity(token) => post(asked, token),
        Account::Anonymous => get(asked, None),
        Account::Password(user, password) => get(asked, Some((user, password))),
    };
    let response = client.execute(request?).await.map_err(RefreshError::from)?;
    let (status, rest) = (response.status(), retry_after(response.headers()));
    let body = Zeroizing::new(read(response).await?);
    match status {
        StatusCode::OK => parsed(&body),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Err(RefreshError::rejected("unauthorized").caused_by(format!("the token server says {}", status.as_u16())))
        }
        _ if passes(status) => Err(RefreshError::transient(rest)),
        _ => Err(RefreshError::refused("token_server").caused_by(format!("the token server says {}", status.as_u16()))),
    }
}

fn get(asked: &Asked<'_>, account: Option<(&String, &Secret)>) -> Result<Request, RefreshError> {
    let mut url = asked.realm.clone();
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("service", &asked.service);
        query.extend_pairs(asked.scopes.iter().map(|scope| ("scope", scope)));
        query.append_pair("client_id", asked.client_id);
        if let Some((user, _)) = account {
            query.append_pair("account", user);
        }
    }
    let mut request = Request::new(Method::GET, url);
    if let Some((user, password)) = account {
        if user.contains(':') {
            return Err(RefreshError::other("the user name has a colon, which would end it"));
        }
        let pair = Zeroizing::new(format!("{user}:{}", password.expose()));
        let value = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        let mut value = HeaderValue::from_str(&value).map_err(RefreshError::other)?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(request)
}

fn post(asked: &Asked<'_>, token: &Secret) -> Result<Request, RefreshError> {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", token.expose());
    form.append_pair("service", &asked.service).append_pair("client_id", asked.client_id);
    form.append_pair("scope", &asked.scopes.join(" "));
    let mut request = Request::new(Method::POST, asked.realm.clone());
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(CONTENT_TYPE, form_type);
    *request.body_mut() = Some(form.finish().into());
    Ok(request)
}

async fn read(mut response: Response) -> Result<Vec<u8>, RefreshError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(RefreshError::from)? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST {
            return Err(RefreshError::other("the token server's answer has more than 1 MiB"));
        }
    }
    Ok(body)
}

/// `token` and `access_token` are the same, and a server may send either.
fn parsed(body: &[u8]) -> Result<Token, RefreshError> {
    let odd = |what: &'static str| RefreshError::other(what);
    // What the parser says of it could quote the token.
    let answer = Members::of(body).ok_or_else(|| odd("the token server's answer is no JSON object"))?;
    let text =
        ["token", "access_token"].iter().find_map(|name| answer.value(name)?.as_str()).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| odd("the token server's answer has no token"))?;
    let seconds = answer.value("expires_in").and_then(|span| span.as_u64().or_else(|| span.as_str()?.parse().ok()));
    // Less than a minute is what older servers say by mistake.
    let lifetime = seconds.map_or(LIFETIME, |seconds| Duration::from_secs(seconds).max(LIFETIME));
    Ok(Token { text: Secret::new(text), lifetime })
}
