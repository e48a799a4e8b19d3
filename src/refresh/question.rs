//! What the challenges of a 401 demand. They are read in one pass, because nearly every 401 demands only a fresh
//! credential.

use std::borrow::Cow;

use super::demand::{Demand, Demanded};
use crate::challenge::{Challenge, Challenges};

/// What a 401 demands.
pub(crate) struct Question {
    pub(crate) demand: Demand,
    /// A number that is equal for equal questions: a hash of the schemes, realms, services and resources that the challenges name.
    pub(crate) id: u64,
    /// The URL of the protected resource's metadata (RFC 9728 §5.1), from the first challenge that names one.
    pub(crate) resource: Option<String>,
}

impl Question {
    /// Reads the challenges. In a partition the scopes are part of the demand, because a token for one repository is
    /// not valid for another.
    pub(crate) fn of(challenges: &Challenges, in_partition: bool) -> Self {
        let (mut has_demand, mut hash, mut resource) = (in_partition, QuestionHash::new(), None);
        for challenge in challenges.iter() {
            hash.add_lower(challenge.scheme_octets());
            for param in challenge.params() {
                let name = param.name_octets();
                let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
                // Nearly no parameter has one of these names, and few have a name of the same length.
                match name.len() {
                    5 if is(b"realm") => hash.add(&param.bytes()),
                    5 => has_demand |= is(b"error") && param.bytes().starts_with(b"insufficient"),
                    6 => has_demand |= is(b"claims"),
                    7 if is(b"service") => hash.add(&param.bytes()),
                    7 => has_demand |= is(b"max_age"),
                    10 => has_demand |= is(b"acr_values"),
                    17 if is(b"resource_metadata") && !param.is_broken() => {
                        hash.add(&param.bytes());
                        resource = resource.or_else(|| Some(param.value().into_owned()));
                    }
                    _ => {}
                }
            }
        }
        let demand = if has_demand { read(challenges, in_partition) } else { Demand::default() };
        Self { demand, id: hash.0, resource }
    }
}

/// Reads the demand of challenges that have one.
#[cold]
fn read(challenges: &Challenges, in_partition: bool) -> Demand {
    let mut demanded = Demanded::default();
    let scopes = |challenge: &Challenge<'_>| {
        let scopes = challenge.param("scope").map(Cow::into_owned).unwrap_or_default();
        scopes.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    for challenge in challenges.iter().filter(|one| one.is("Bearer") || one.is("DPoP")) {
        demanded.claims = demanded.claims.or_else(|| challenge.param("claims").map(Cow::into_owned));
        if let Some(bearer) = challenge.bearer() {
            demanded.max_age = demanded.max_age.or_else(|| bearer.max_age());
            demanded.acr_values.extend(bearer.acr_values().into_iter().map(Cow::into_owned));
        }
        if in_partition {
            demanded.scopes.extend(scopes(&challenge));
        }
        let Some(code) = challenge.param("error").filter(|code| code.starts_with("insufficient")) else { continue };
        match &*code {
            "insufficient_scope" if !in_partition => demanded.scopes.extend(scopes(&challenge)),
            "insufficient_authorization" | "insufficient_authorization_details" => {
                let details = challenge.param("authorization_details").map(Cow::into_owned);
                demanded.authorization_details = demanded.authorization_details.or(details);
            }
            _ => {}
        }
        // Claims say what is demanded, so the error code adds nothing. Without the code, two demands of the same claims are
        // equal.
        if demanded.claims.is_none() {
            demanded.insufficient = Some(code.into());
        }
    }
    if in_partition {
        demanded.scopes.sort_unstable();
    }
    let mut seen = Vec::new();
    demanded.scopes.retain(|scope| {
        !seen.contains(scope) && {
            seen.push(scope.clone());
            true
        }
    });
    Demand::of(demanded)
}

/// A hash of some texts, over eight octets at a time. It is not cryptographic: it only compares questions of one session.
struct QuestionHash(u64);

impl QuestionHash {
    fn new() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }

    fn add(&mut self, octets: &[u8]) {
        self.fold(octets, 0);
    }

    /// Adds a token, ignoring case.
    fn add_lower(&mut self, octets: &[u8]) {
        self.fold(octets, 0x2020_2020_2020_2020);
    }

    fn fold(&mut self, octets: &[u8], or: u64) {
        let (chunks, rest) = octets.as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        for chunk in chunks.iter().chain([&last]) {
            self.mix(u64::from_le_bytes(*chunk) | or);
        }
        // Adds the length, so that `ab`, `c` and `a`, `bc` differ.
        self.mix(octets.len() as u64);
    }

    fn mix(&mut self, piece: u64) {
        self.0 = (self.0.rotate_left(5) ^ piece).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
