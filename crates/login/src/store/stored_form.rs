//! The text that a store keeps of a credential.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::HeaderName;
use reqwest_challenge::support::is_scope_token;
use reqwest_challenge::{Credential, Secret};
use serde_json::Value;
use zeroize::Zeroizing;

use super::Saved;
use crate::secret_json::SecretJson;

/// Writes a credential as text, for a store. Returns `None` if its scheme cannot be stored, because it does not implement
/// [`Authorize::export`](reqwest_challenge::Authorize::export).
#[must_use]
pub fn to_saved(credential: &Credential) -> Option<Saved> {
    let mut saved = SecretJson::default();
    saved.put("scheme", credential.scheme());
    match credential.authorizer() {
        Some(authorize) => saved.put("custom", authorize.export()?.expose()),
        None => {
            saved.put("header", credential.header_name()?.as_str());
            saved.put("value", credential.header_value()?.to_str().ok()?);
        }
    }
    if let Some(expiry) = credential.expiry() {
        // An absolute time. A time before 1970 is stored as 1970: both have passed.
        let since = expiry.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        saved.put("expires_at_ms", u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
    }
    if let Some(scopes) = credential.scopes() {
        saved.put("scopes", scopes.iter().map(|scope| Value::from(scope.as_str())).collect::<Vec<_>>());
    }
    if let Some(attachment) = credential.attachment() {
        saved.put("attachment", attachment.expose());
    }
    Some(saved.to_secret())
}

/// Reads a credential from the text that [`to_saved`] wrote. Returns `None` if the text is damaged, or if `restore` does
/// not know the scheme.
///
/// `restore` makes a credential of a custom scheme, from its name and from what
/// [`Authorize::export`](reqwest_challenge::Authorize::export) returned.
#[must_use]
pub fn from_saved(saved: &Saved, restore: impl Fn(&str, Secret) -> Option<Credential>) -> Option<Credential> {
    let saved = SecretJson::of(saved.expose().as_bytes())?;
    let text = |name: &str| saved.value(name).and_then(Value::as_str);
    let scheme = text("scheme")?;
    let mut credential = match (text("header"), text("custom")) {
        (Some(header), None) => plain(scheme, header, text("value")?)?,
        (None, Some(custom)) => restore(scheme, Secret::new(custom))?,
        _ => return None,
    };
    if let Some(since) = saved.value("expires_at_ms") {
        // A time too large for `SystemTime` means that the expiry is not known.
        let expiry = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(since.as_u64()?));
        credential = expiry.into_iter().fold(credential, Credential::with_expiry);
    }
    if let Some(scopes) = saved.value("scopes") {
        let scopes: Option<Vec<_>> = scopes.as_array()?.iter().map(Value::as_str).collect();
        credential = credential.with_scopes(scopes?.into_iter().filter(|scope| is_scope_token(scope)));
    }
    if let Some(attachment) = text("attachment") {
        credential = credential.with_attachment(attachment);
    }
    credential.check().is_ok().then_some(credential)
}

/// The scheme of a stored credential, also if the credential cannot be restored.
pub(super) fn scheme_of(saved: &Saved) -> Option<String> {
    let saved = SecretJson::of(saved.expose().as_bytes())?;
    Some(saved.value("scheme")?.as_str()?.to_owned())
}

fn plain(scheme: &str, header: &str, value: &str) -> Option<Credential> {
    match (scheme, value.split_once(' ')) {
        ("Bearer", Some(("Bearer", token))) => Some(Credential::bearer(token)),
        ("Basic", Some(("Basic", encoded))) => {
            let pair = Zeroizing::new(String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?);
            let (user, password) = pair.split_once(':')?;
            Some(Credential::basic(user, password))
        }
        _ => Some(Credential::header(HeaderName::try_from(header).ok()?, value)),
    }
}
