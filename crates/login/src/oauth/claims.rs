//! The claims that a 401 demands in a token: continuous access evaluation, in the form of OpenID Connect Core §5.5.

use crate::util::masker_of;
use serde_json::Value;

use super::grant_context::GrantContext;

impl GrantContext<'_> {
    /// The claims in the encoding of the challenge.
    pub(super) fn claims_demanded(&self) -> Option<&str> {
        self.refresh.demand().claims()
    }

    /// The parameters of every token request: the caller's own, and the demanded claims. The caller's claims are merged
    /// with the demanded ones, because a parameter must not occur twice (RFC 6749 §3.2).
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        let mut parameters = self.setup.extra.clone();
        let Some(demanded) = self.claims() else { return parameters };
        match parameters.iter_mut().find(|(name, _)| name == "claims") {
            Some((_, ours)) => *ours = merged(ours, &demanded).unwrap_or(demanded),
            None => parameters.push(("claims".to_owned(), demanded)),
        }
        parameters
    }

    /// The claims as JSON. Decodes the base64 of a challenge.
    fn claims(&self) -> Option<String> {
        let demanded = self.claims_demanded()?;
        let mut challenges = self.refresh.challenges().iter().filter_map(|challenge| challenge.bearer());
        let challenge = challenges.find(|bearer| bearer.claims().as_deref() == Some(demanded));
        let decoded = challenge.and_then(|bearer| bearer.decoded_claims()).and_then(Result::ok);
        let json =
            decoded.and_then(|octets| String::from_utf8(octets).ok()).filter(|text| text.trim_start().starts_with('{'));
        let claims = json.unwrap_or_else(|| demanded.to_owned());
        // Leaves out an echo of the credential, which asks for nothing and must not appear in a URL.
        let masker = masker_of(self.refresh.credential());
        Some(claims).filter(|claims| !masker.has_certain(claims))
    }
}

/// Merges two JSON objects. A member of `more` replaces the member of `base`. `None` if one of the texts is no object.
fn merged(base: &str, more: &str) -> Option<String> {
    let read = |text| serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
    let mut base = read(base)?;
    merge(&mut base, read(more)?);
    Some(base.to_string())
}

fn merge(base: &mut Value, more: Value) {
    match (base, more) {
        (Value::Object(base), Value::Object(more)) => {
            for (name, value) in more {
                merge(base.entry(name).or_insert(Value::Null), value);
            }
        }
        (base, more) => *base = more,
    }
}
