//! Which token server is dialled.

use std::fmt;

use url::Url;

use crate::transport::{Trust, Undialled, Why};
use reqwest_challenge::Origin;

/// A token server that a challenge named and nobody trusts.
#[derive(Debug)]
pub(super) struct Untrusted(Undialled);

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Undialled { why: Why::Unnamed, origin: Some(origin) } => write!(
                f,
                "the challenge names a token server that nobody named: if that is right, say `token_server(\"{origin}\")`"
            ),
            other => write!(f, "the challenge's realm {other}"),
        }
    }
}

impl std::error::Error for Untrusted {}

/// The URL of a token server, if it is the API's own origin or one that the caller named: a list of pairs, because whoever
/// answers for the API must not choose who gets a password. What it resolves to is the named host's own business.
pub(super) fn checked(text: &str, api: &Origin, named: &[Origin]) -> Result<Url, Untrusted> {
    // A token server that the caller named may be on this machine. Otherwise the API names it.
    let own = Url::parse(text).ok().and_then(|url| named.iter().find(|origin| origin.contains(&url)));
    let trust = Trust { by: own.unwrap_or(api), api, named };
    let url = trust.url(text).map_err(|error| match error.why {
        // A host inside that somebody named is known, so this one was not.
        Why::Inside => Untrusted(Undialled { why: Why::Unnamed, ..error }),
        _ => Untrusted(error),
    })?;
    if api.contains(&url) || named.iter().any(|origin| origin.contains(&url)) {
        Ok(url)
    } else {
        Err(Untrusted(Undialled { why: Why::Unnamed, origin: Origin::of(&url) }))
    }
}
