//! The text that a store keeps of a credential.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::HeaderName;
use reqwest_challenge::support::is_scope_token;
use reqwest_challenge::{Credential, Secret};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::secret_json::SecretJson;

/// The text that a [`Store`](crate::store::Store) keeps of a credential. A store does not interpret it, and returns it
/// unchanged. Two credentials are equal if their texts are equal.
pub type Saved = Secret;

/// Writes a credential as text, for a store. Returns `None` if its scheme cannot be stored, because it does not implement
/// [`Authorize::export`](reqwest_challenge::Authorize::export).
///
/// The text contains the secret, the expiry, the scopes and the attachment. It does not contain the
/// [source](reqwest_challenge::Credential::source).
///
/// ```
/// use reqwest_challenge::Credential;
/// use reqwest_challenge_login::store::{from_saved, to_saved};
///
/// let credential = Credential::bearer("t1").with_scopes(["read"]).with_attachment("refresh token");
/// let text = to_saved(&credential).unwrap();
/// let restored = from_saved(&text, |_scheme, _exported| None).unwrap();
/// assert_eq!(restored, credential);
/// assert_eq!(restored.attachment().unwrap().expose(), "refresh token");
/// ```
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

/// Reads a credential from the text that [`to_saved`] wrote. Returns `None` if the text is damaged, if `restore` returns
/// `None`, or if the credential cannot be sent.
///
/// `restore` makes a credential of a custom scheme. It receives the name of the scheme, and the text that
/// [`Authorize::export`](reqwest_challenge::Authorize::export) returned. It is not called for Basic, Bearer and other
/// credentials that are one header field.
///
/// ```
/// use std::time::SystemTime;
///
/// use reqwest_challenge::reqwest::{Request, header::AUTHORIZATION};
/// use reqwest_challenge::{Authorize, BoxError, Credential, Secret, async_trait};
/// use reqwest_challenge_login::store::{from_saved, to_saved};
///
/// struct ApiKey(Secret);
///
/// #[async_trait]
/// impl Authorize for ApiKey {
///     fn scheme(&self) -> &str {
///         "ApiKey"
///     }
///
///     async fn authorize(&self, request: &mut Request, _now: SystemTime) -> Result<(), BoxError> {
///         request.headers_mut().insert(AUTHORIZATION, format!("ApiKey {}", self.0.expose()).parse()?);
///         Ok(())
///     }
///
///     fn export(&self) -> Option<Secret> {
///         Some(self.0.clone())
///     }
/// }
///
/// let credential = Credential::custom(ApiKey(Secret::new("k1")));
/// let text = to_saved(&credential).unwrap();
/// let restore = |scheme: &str, exported| (scheme == "ApiKey").then(|| Credential::custom(ApiKey(exported)));
/// assert_eq!(from_saved(&text, restore), Some(credential));
/// ```
#[must_use]
pub fn from_saved(saved: &Saved, restore: impl Fn(&str, Secret) -> Option<Credential>) -> Option<Credential> {
    let saved = SecretJson::of(saved.expose().as_bytes())?;
    let text = |name: &str| saved.value(name).and_then(Value::as_str);
    let scheme = text("scheme")?;
    let mut credential = match (text("header"), text("custom")) {
        (Some(header), None) => header_field(scheme, header, text("value")?)?,
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

/// A credential that is one header field.
fn header_field(scheme: &str, header: &str, value: &str) -> Option<Credential> {
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
