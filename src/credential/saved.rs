//! A credential as text, for a store.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::HeaderName;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{Credential, Kind};
use crate::challenge::is_scope_token;
use crate::members::Members;
use crate::secret::Secret;

/// What makes a credential of a scheme of one's own again, of what [`Authorize::export`](super::Authorize::export) gave.
pub(crate) type Restore<'r> = &'r dyn Fn(&str, Secret) -> Option<Credential>;

impl Credential {
    /// What a store keeps of it; `None` where its scheme cannot be written down.
    pub(crate) fn to_saved(&self) -> Option<Secret> {
        let mut saved = Members::default();
        saved.put("scheme", self.scheme());
        match &self.0.kind {
            Kind::Header(name, value) => {
                saved.put("header", name.as_str());
                saved.put("value", value.as_ref().ok()?.to_str().ok()?);
            }
            Kind::Custom(authorize) => saved.put("custom", authorize.export()?.expose()),
        }
        if let Some(expiry) = self.0.expires_at {
            // Absolute, and of what is before the epoch the epoch: both are long gone.
            let since = expiry.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            saved.put("expires_at_ms", u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        }
        if let Some(scopes) = &self.0.scopes {
            saved.put("scopes", scopes.iter().map(|scope| Value::from(scope.as_str())).collect::<Vec<_>>());
        }
        if let Some(attachment) = &self.0.attachment {
            saved.put("attachment", attachment.expose());
        }
        Some(saved.to_secret())
    }

    /// The scheme of what a store kept, whether it can be made again or not.
    pub(crate) fn scheme_of_saved(saved: &Secret) -> Option<String> {
        let saved = Members::of(saved.expose().as_bytes())?;
        Some(saved.value("scheme")?.as_str()?.to_owned())
    }

    /// Whether it puts the same on a request, also where one of the two was made again of what a store kept.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        let exported = |credential: &Self| credential.authorizer().and_then(|authorize| authorize.export());
        self == other
            || exported(self).is_some_and(|ours| exported(other) == Some(ours) && self.scheme() == other.scheme())
    }

    /// What a store kept; `None` where it is no such thing.
    pub(crate) fn of_saved(saved: &Secret, restore: Restore<'_>) -> Option<Self> {
        let saved = Members::of(saved.expose().as_bytes())?;
        let text = |name: &str| saved.value(name).and_then(Value::as_str);
        let scheme = text("scheme")?;
        let mut credential = match (text("header"), text("custom")) {
            (Some(header), None) => plain(scheme, header, text("value")?)?,
            (None, Some(custom)) => restore(scheme, Secret::new(custom))?,
            _ => return None,
        };
        if let Some(since) = saved.value("expires_at_ms") {
            // A time that cannot be is no expiry.
            let expiry = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(since.as_u64()?));
            credential = expiry.into_iter().fold(credential, Self::expires_at);
        }
        if let Some(scopes) = saved.value("scopes") {
            let scopes: Option<Vec<_>> = scopes.as_array()?.iter().map(Value::as_str).collect();
            credential = credential.scopes(scopes?.into_iter().filter(|scope| is_scope_token(scope)));
        }
        if let Some(attachment) = text("attachment") {
            credential = credential.attach(attachment);
        }
        credential.check().is_ok().then_some(credential)
    }
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
