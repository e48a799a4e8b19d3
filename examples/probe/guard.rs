//! Whether a credential may be sent: as the middleware decides it.

use reqwest::Url;
use reqwest_challenge::{Challenges, Origin};

/// Refuses a credential that anybody on the way could read.
pub(crate) fn may_go_to(url: &Url) -> Result<(), String> {
    match Origin::of(url) {
        Some(origin) if origin.is_https() || origin.is_loopback() => Ok(()),
        _ => Err("the credential would be readable on the way: write `https://…`".to_owned()),
    }
}

/// Refuses to send a password by Basic where the server offers Digest, with Basic beside it or alone: Digest does not send it, and
/// anybody on the way can add Basic.
pub(crate) fn may_be_basic(offered: &Challenges) -> Result<(), String> {
    match offered.iter().any(|challenge| challenge.is("Digest")) {
        true => Err("the server offers Digest: the password itself is not sent by Basic".to_owned()),
        false => Ok(()),
    }
}
