//! Whether a credential may be sent, by the same rules as in the middleware.

use reqwest::Url;
use reqwest_challenge::{Challenges, Origin};

/// Refuses a credential that anyone on the network path could read.
pub(crate) fn may_go_to(url: &Url) -> Result<(), String> {
    match Origin::of(url) {
        Some(origin) if origin.is_https() || origin.is_loopback() => Ok(()),
        _ => Err("others on the network could read the credential: write `https://…`".to_owned()),
    }
}

/// Refuses to send a password by Basic if the server offers Digest. Digest does not reveal the password, and an
/// attacker on the network path can add Basic to the offer.
pub(crate) fn may_be_basic(offered: &Challenges) -> Result<(), String> {
    match offered.iter().any(|challenge| challenge.is("Digest")) {
        true => Err("the server offers Digest, so the password is not sent by Basic".to_owned()),
        false => Ok(()),
    }
}
