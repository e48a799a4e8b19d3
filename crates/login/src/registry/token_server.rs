//! Which token server is used.

use std::fmt;

use url::Url;

use crate::transport::{RefusedUrl, UrlPolicy, UrlProblem};
use reqwest_challenge::Origin;

/// A token server that a challenge names and that the caller does not trust.
#[derive(Debug)]
pub(super) struct UntrustedTokenServer(RefusedUrl);

impl fmt::Display for UntrustedTokenServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            RefusedUrl { problem: UrlProblem::UnknownHost, origin: Some(origin) } => write!(
                f,
                "the challenge names the token server {origin}, which the caller did not name; if it is the right one, \
                 call `token_server(\"{origin}\")`"
            ),
            refused => write!(f, "the realm of the challenge {refused}"),
        }
    }
}

impl std::error::Error for UntrustedTokenServer {}

/// The URL of the token server, if it is on the API's own origin or on an origin that the caller named. The caller names
/// each token server, because otherwise the API could choose who gets the password. What the host name of a trusted
/// server resolves to is not checked.
pub(super) fn checked(text: &str, api: &Origin, trusted: &[Origin]) -> Result<Url, UntrustedTokenServer> {
    // A token server that the caller named may be on this machine. Otherwise the API names it.
    let own = Url::parse(text).ok().and_then(|url| trusted.iter().find(|origin| origin.contains(&url)));
    let policy = UrlPolicy { named_by: own.unwrap_or(api), api, trusted };
    let url = policy.check(text).map_err(|error| match error.problem {
        // The remedy is the same: the caller names the server.
        UrlProblem::PrivateAddress => UntrustedTokenServer(RefusedUrl { problem: UrlProblem::UnknownHost, ..error }),
        _ => UntrustedTokenServer(error),
    })?;
    if api.contains(&url) || trusted.iter().any(|origin| origin.contains(&url)) {
        Ok(url)
    } else {
        Err(UntrustedTokenServer(RefusedUrl { problem: UrlProblem::UnknownHost, origin: Origin::of(&url) }))
    }
}
