//! What the 401 demands of the new token, as parameters of a request.

use serde_json::Value;

use super::grant_context::GrantContext;
use crate::util::masker_of;

impl GrantContext<'_> {
    /// The demanded claims (continuous access evaluation, in the form of OpenID Connect Core §5.5), in the encoding of the
    /// challenge.
    pub(in crate::oauth) fn claims_demanded(&self) -> Option<&str> {
        self.refresh_context.demand().claims()
    }

    /// The caller's own parameters and the demanded claims. The caller's claims are merged with the demanded ones, because
    /// a parameter must not occur twice (RFC 6749 §3.2).
    pub(in crate::oauth) fn parameters(&self) -> Vec<(String, String)> {
        let mut parameters = self.settings.parameters.clone();
        let Some(demanded) = self.claims() else { return parameters };
        match parameters.iter_mut().find(|(name, _)| name == "claims") {
            Some((_, claims)) => *claims = merged(claims, &demanded).unwrap_or(demanded),
            None => parameters.push(("claims".to_owned(), demanded)),
        }
        parameters
    }

    /// The demanded authentication of the user (RFC 9470 §4), for the request that shows the login page.
    pub(super) fn authentication_parameters(&self) -> Vec<(&'static str, String)> {
        let demand = self.refresh_context.demand();
        let mut parameters = Vec::new();
        if !demand.acr_values().is_empty() {
            parameters.push(("acr_values", demand.acr_values().join(" ")));
        }
        if let Some(age) = demand.max_age() {
            parameters.push(("max_age", age.as_secs().to_string()));
        }
        parameters.retain(|(_, value)| !self.is_echo(value));
        parameters
    }

    /// The claims as JSON. The base64 of a challenge is decoded.
    fn claims(&self) -> Option<String> {
        let demanded = self.claims_demanded()?;
        let mut challenges = self.refresh_context.challenges().iter().filter_map(|challenge| challenge.bearer());
        let challenge = challenges.find(|bearer| bearer.claims().as_deref() == Some(demanded));
        let decoded = challenge.and_then(|bearer| bearer.decoded_claims()).and_then(Result::ok);
        let json =
            decoded.and_then(|octets| String::from_utf8(octets).ok()).filter(|text| text.trim_start().starts_with('{'));
        let claims = json.unwrap_or_else(|| demanded.to_owned());
        Some(claims).filter(|claims| !self.is_echo(claims))
    }

    /// Whether the text repeats the credential. Such a text demands nothing, and must not appear in a URL.
    fn is_echo(&self, text: &str) -> bool {
        masker_of(self.refresh_context.credential()).has_certain(text)
    }
}

/// Merges two JSON objects. A member of `more` replaces the member of `base`. `None` if one of the texts is not an object.
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
