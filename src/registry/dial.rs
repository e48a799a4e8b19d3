//! Which URLs of a challenge are dialled.

use std::fmt;

use url::Url;

use crate::origin::Origin;

/// A URL that a challenge named and nobody trusts.
#[derive(Debug)]
pub(super) struct Untrusted {
    what: &'static str,
    origin: Option<Origin>,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        self.origin.as_ref().map_or(Ok(()), |origin| write!(f, ": if that is right, say `token_server(\"{origin}\")`"))
    }
}

impl std::error::Error for Untrusted {}

/// The URL of a token server, if it is the API's own origin or one that the caller named: a list of pairs, because whoever
/// answers for the API must not choose who gets a password. What it resolves to is the named host's own business.
pub(super) fn checked(text: &str, api: &Origin, named: &[Origin]) -> Result<Url, Untrusted> {
    let refuse = |what, origin| Err(Untrusted { what, origin });
    let Ok(url) = Url::parse(text) else { return refuse("the challenge's realm is no URL", None) };
    let Some(origin) = Origin::of(&url) else { return refuse("the challenge's realm is no URL by https", None) };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("the challenge's realm has a user name in it", None);
    }
    let stays_here = origin.is_loopback() && api.is_loopback();
    if !origin.is_https() && !stays_here {
        return refuse("the challenge's realm is by plain http", None);
    }
    if origin != *api && !named.contains(&origin) {
        return refuse("the challenge names a token server that nobody named", Some(origin));
    }
    Ok(url)
}
