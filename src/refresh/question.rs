//! What the challenges of a 401 ask for. They are read in one pass, because nearly every 401 asks only for a fresh
//! credential.

use std::borrow::Cow;

use super::rejection::{Asked, Demand};
use crate::challenge::{Challenge, Challenges};

/// What a 401 asks for.
pub(crate) struct Question {
    pub(crate) demand: Demand,
    /// Distinguishes questions: a hash of the schemes, realms, services and resources that the challenges name.
    pub(crate) about: u64,
    /// The URL of the protected resource's metadata (RFC 9728 §5.1), from the first challenge that names one.
    pub(crate) resource: Option<String>,
}

impl Question {
    /// Reads the challenges. In a partition the scopes are part of the demand, because a token for one repository is
    /// not valid for another.
    pub(crate) fn of(challenges: &Challenges, in_partition: bool) -> Self {
        let (mut asks, mut about, mut resource) = (in_partition, Number::new(), None);
        for challenge in challenges.iter() {
            about.add_lower(challenge.scheme().as_bytes());
            for param in challenge.params() {
                // Nearly no parameter has one of these names, and few have a name of the same length.
                match param.name().len() {
                    5 if param.is("realm") => about.add(&param.bytes()),
                    5 => asks |= param.is("error") && param.bytes().starts_with(b"insufficient"),
                    6 => asks |= param.is("claims"),
                    7 if param.is("service") => about.add(&param.bytes()),
                    7 => asks |= param.is("max_age"),
                    10 => asks |= param.is("acr_values"),
                    17 if param.is("resource_metadata") && !param.is_broken() => {
                        about.add(&param.bytes());
                        resource = resource.or_else(|| Some(param.value().into_owned()));
                    }
                    _ => {}
                }
            }
        }
        let demand = if asks { read(challenges, in_partition) } else { Demand::default() };
        Self { demand, about: about.0, resource }
    }
}

#[cold]
fn read(challenges: &Challenges, in_partition: bool) -> Demand {
    let mut asked = Asked::default();
    let scopes = |challenge: &Challenge<'_>| {
        let scopes = challenge.param("scope").map(Cow::into_owned).unwrap_or_default();
        scopes.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    for challenge in challenges.iter().filter(|one| one.is("Bearer") || one.is("DPoP")) {
        asked.claims = asked.claims.or_else(|| challenge.param("claims").map(Cow::into_owned));
        if let Some(bearer) = challenge.bearer() {
            asked.max_age = asked.max_age.or_else(|| bearer.max_age());
            asked.acr_values.extend(bearer.acr_values().into_iter().map(Cow::into_owned));
        }
        if in_partition {
            asked.scopes.extend(scopes(&challenge));
        }
        let Some(code) = challenge.param("error").filter(|code| code.starts_with("insufficient")) else { continue };
        match &*code {
            "insufficient_scope" if !in_partition => asked.scopes.extend(scopes(&challenge)),
            "insufficient_authorization" | "insufficient_authorization_details" => {
                let details = challenge.param("authorization_details").map(Cow::into_owned);
                asked.authorization_details = asked.authorization_details.or(details);
            }
            _ => {}
        }
        // The claims already say what is asked for, and a server may ask for the same claims again.
        if asked.claims.is_none() {
            asked.insufficient = Some(code.into());
        }
    }
    if in_partition {
        asked.scopes.sort_unstable();
    }
    let mut seen = Vec::new();
    asked.scopes.retain(|scope| {
        !seen.contains(scope) && {
            seen.push(scope.clone());
            true
        }
    });
    Demand::asking(asked)
}

/// A hash of some texts (FNV-1a). It distinguishes entries of the session's own memory and protects nothing.
struct Number(u64);

impl Number {
    fn new() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }

    fn add(&mut self, octets: &[u8]) {
        // A terminator, so that `ab`, `c` and `a`, `bc` differ.
        for octet in octets.iter().chain(&[0]) {
            self.0 = (self.0 ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01B3);
        }
    }

    fn add_lower(&mut self, octets: &[u8]) {
        for octet in octets.iter().chain(&[0]) {
            self.0 = (self.0 ^ u64::from(octet.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01B3);
        }
    }
}
