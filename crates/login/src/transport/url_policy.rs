//! Which URLs of a server are used: one policy for all of them.
//!
//! A server that names a URL may be hostile, so the URL is checked before anything is sent there. It must be `https`, or
//! `http` on this machine if the server that names it is on this machine too. It must have no userinfo and no fragment. It
//! must not be an address that only this machine or its network can reach, unless its host is the host of the server that
//! names it, the host of the API, or an origin that the caller named.

use std::fmt;

use url::{Host, Url};

use super::address::is_public_address;
use reqwest_challenge::Origin;

/// A URL that is not used, and why. It shows neither the userinfo nor the query of the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefusedUrl {
    pub(crate) problem: UrlProblem,
    pub(crate) origin: Option<Origin>,
}

/// Why a URL is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UrlProblem {
    NotHttps,
    HasUserinfo,
    HasFragment,
    PlainHttp,
    /// An address of this machine or its network, or an address that is reserved.
    PrivateAddress,
    /// A host that the caller did not name.
    UnknownHost,
}

impl fmt::Display for RefusedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.problem {
            UrlProblem::NotHttps => "is not an https URL",
            UrlProblem::HasUserinfo => "contains a user name",
            UrlProblem::HasFragment => "contains a fragment",
            UrlProblem::PlainHttp => "uses plain http",
            UrlProblem::PrivateAddress => {
                "leads to an address of this machine or its network, and the caller did not name the host"
            }
            UrlProblem::UnknownHost => "is on a host that the caller did not name",
        })?;
        self.origin.as_ref().map_or(Ok(()), |origin| write!(f, " ({origin})"))
    }
}

impl std::error::Error for RefusedUrl {}

/// Decides which URLs a server may name.
#[derive(Clone, Copy)]
pub(crate) struct UrlPolicy<'p> {
    /// The server that names the URL. Only a server on this machine may name another server on this machine.
    pub(crate) named_by: &'p Origin,
    /// The API's own origin.
    pub(crate) api: &'p Origin,
    /// The further origins that the caller named.
    pub(crate) trusted: &'p [Origin],
}

impl UrlPolicy<'_> {
    /// The URL, if its text may be used. What its host name resolves to is checked when the client connects.
    pub(crate) fn check(&self, text: &str) -> Result<Url, RefusedUrl> {
        let not_https = || RefusedUrl { problem: UrlProblem::NotHttps, origin: None };
        let url = Url::parse(text).map_err(|_| not_https())?;
        let origin = Origin::of(&url).ok_or_else(not_https)?;
        let refuse = |problem| Err(RefusedUrl { problem, origin: Some(origin.clone()) });
        // The URL standard drops an empty userinfo, as in `https://@host`.
        let authority = text.split(['/', '\\', '?', '#']).find(|part| !part.is_empty() && !part.ends_with(':'));
        if !url.username().is_empty() || url.password().is_some() || authority.is_some_and(|part| part.contains('@')) {
            return refuse(UrlProblem::HasUserinfo);
        }
        if url.fragment().is_some() {
            return refuse(UrlProblem::HasFragment);
        }
        if !(origin.is_https() || origin.is_loopback() && self.named_by.is_loopback()) {
            return refuse(UrlProblem::PlainHttp);
        }
        let is_private = match url.host() {
            Some(Host::Domain(_)) => origin.is_loopback(),
            Some(Host::Ipv4(address)) => !is_public_address(address.into()),
            Some(Host::Ipv6(address)) => !is_public_address(address.into()),
            None => true,
        };
        if is_private && !self.knows(&url) { refuse(UrlProblem::PrivateAddress) } else { Ok(url) }
    }

    /// Whether the caller named the origin of the URL, or the URL is on the host of the API or of `named_by`. The addresses
    /// of such a host are not checked.
    pub(crate) fn knows(&self, url: &Url) -> bool {
        if Origin::of(url).is_some_and(|origin| origin.is_loopback()) {
            return self.named_by.is_loopback();
        }
        let is_trusted = || self.trusted.iter().any(|origin| origin.contains(url));
        self.api.is_host_of(url) || self.named_by.is_host_of(url) || is_trusted()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_public_host_may_be_named() {
        let api = Origin::new("https://api.example.com").unwrap();
        let policy = UrlPolicy { named_by: &api, api: &api, trusted: &[] };
        assert!(
            policy.check("https://1.1.1.1/metadata").is_ok() && policy.check("https://auth.example/metadata").is_ok()
        );
    }

    #[test]
    fn a_server_may_name_a_private_address_only_if_it_is_there_itself() {
        let origin = |text: &str| Origin::new(text).unwrap();
        let (here, elsewhere) = (origin("http://127.0.0.1:8080"), origin("https://auth.example.com"));
        let inside = origin("https://10.0.0.5");
        let below_localhost = origin("http://api.localhost");
        let trusted = [here.clone(), inside.clone()];
        for (named_by, api, trusted, url, is_allowed) in [
            // The API, or the origin that the caller named, is on this machine; the server that names the URL is not.
            (&elsewhere, &here, &[] as &[Origin], "http://127.0.0.1:9090/admin", false),
            (&elsewhere, &here, &[], "https://localhost:9090/admin", false),
            (&elsewhere, &elsewhere, &trusted, "http://127.0.0.1:8080/admin", false),
            (&elsewhere, &elsewhere, &trusted, "https://[::1]/admin", false),
            (&elsewhere, &elsewhere, &trusted, "https://api.localhost/admin", false),
            (&elsewhere, &below_localhost, &[], "https://api.localhost/admin", false),
            (&below_localhost, &elsewhere, &[], "http://127.0.0.1:9090/token", true),
            (&here, &elsewhere, &[], "http://auth.localhost:9090/token", true),
            (&here, &elsewhere, &[], "http://auth.localhost.:9090/token", true),
            (&here, &elsewhere, &[], "http://127.0.0.1:9090/token", true),
            (&here, &elsewhere, &[], "http://10.0.0.5/token", false),
            (&here, &elsewhere, &[], "https://10.0.0.5/token", false),
            // A private address: allowed on the server that names it, or exactly as the caller named it.
            (&inside, &elsewhere, &[], "https://10.0.0.5:8443/token", true),
            (&elsewhere, &elsewhere, &trusted, "https://10.0.0.5/token", true),
            (&elsewhere, &elsewhere, &trusted, "https://10.0.0.5:8443/token", false),
            (&elsewhere, &inside, &[], "https://10.0.0.5:8443/token", true),
        ] {
            let policy = UrlPolicy { named_by, api, trusted };
            assert_eq!(policy.check(url).is_ok(), is_allowed, "{url} named by {named_by}, for {api}");
        }
    }
}
