//! Which URLs that somebody else named are dialled: the one policy for all of them.
//!
//! A server that says "ask there" may be anybody, so "there" is looked at before anything is sent: by https, or on this machine
//! if the server that names the URL is on this machine too; without userinfo; and on no address that only this machine or its network
//! can reach, unless it is the host of the server that names it, the API's own host, or an origin that the caller named.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use reqwest_challenge::Origin;

/// Why a URL is not dialled. It says neither its userinfo nor its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Undialled {
    pub(crate) why: Why,
    pub(crate) origin: Option<Origin>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    NoUrl,
    Userinfo,
    Fragment,
    Plaintext,
    /// An address of this machine, of its network, of nobody.
    Inside,
    /// A host that nobody named.
    Unnamed,
}

impl fmt::Display for Undialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.why {
            Why::NoUrl => "is no URL by https",
            Why::Userinfo => "has a user name in it",
            Why::Fragment => "has a fragment",
            Why::Plaintext => "is by plain http",
            Why::Inside => "leads to an address inside of this machine or its network, which nobody named",
            Why::Unnamed => "is on a host that nobody named",
        })?;
        self.origin.as_ref().map_or(Ok(()), |origin| write!(f, " ({origin})"))
    }
}

impl std::error::Error for Undialled {}

/// Who names a URL, and which hosts the caller chose.
#[derive(Clone, Copy)]
pub(crate) struct Trust<'t> {
    /// The server that names the URL. It may name only what it can reach itself: only a server on this machine may name
    /// another server on this machine.
    /// here.
    pub(crate) by: &'t Origin,
    /// The API's own origin.
    pub(crate) api: &'t Origin,
    /// Those that the caller named beside it.
    pub(crate) named: &'t [Origin],
}

impl Trust<'_> {
    /// The URL, if it may be dialled as far as its text says.
    pub(crate) fn url(&self, text: &str) -> Result<Url, Undialled> {
        let url = Url::parse(text).map_err(|_| Undialled { why: Why::NoUrl, origin: None })?;
        let Some(origin) = Origin::of(&url) else { return Err(Undialled { why: Why::NoUrl, origin: None }) };
        let refuse = |why| Err(Undialled { why, origin: Some(origin.clone()) });
        // The URL standard drops an empty userinfo, as in `https://@host`.
        let authority = text.split(['/', '\\', '?', '#']).find(|part| !part.is_empty() && !part.ends_with(':'));
        if !url.username().is_empty() || url.password().is_some() || authority.is_some_and(|part| part.contains('@')) {
            return refuse(Why::Userinfo);
        }
        if url.fragment().is_some() {
            return refuse(Why::Fragment);
        }
        if !(origin.is_https() || origin.is_loopback() && self.by.is_loopback()) {
            return refuse(Why::Plaintext);
        }
        let inside = match url.host() {
            Some(Host::Domain(_)) => origin.is_loopback(),
            Some(Host::Ipv4(address)) => !is_public(address.into()),
            Some(Host::Ipv6(address)) => !is_public(address.into()),
            None => true,
        };
        if inside && !self.knows(&url) { refuse(Why::Inside) } else { Ok(url) }
    }

    /// Whether the caller chose the place, or it is on the server that names it. The caller is responsible for what
    /// such a name resolves to.
    pub(crate) fn knows(&self, url: &Url) -> bool {
        if Origin::of(url).is_some_and(|origin| origin.is_loopback()) {
            return self.by.is_loopback();
        }
        let is_named = || self.named.iter().any(|origin| origin.contains(url));
        self.api.is_host_of(url) || self.by.is_host_of(url) || is_named()
    }
}

/// Whether anybody on the internet can reach that address (the special-purpose registries of RFC 6890).
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [224..=255, ..]
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match [a, b, c, d, e, f] {
        // An IPv4 address in another dress: mapped, and by NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0xFFFF] | [0x64, 0xFF9B, 0, 0, 0, 0] => v4(g, h),
        // By 6to4 (RFC 3056).
        [0x2002, ..] => v4(b, c),
        // Teredo and its neighbours, documentation.
        [0x2001, 0..=0x01FF, ..] | [0x2001, 0x0DB8, ..] | [0x3FFF, 0..=0x0FFF, ..] => false,
        // What is given out to the public at all.
        [0x2000..=0x3FFF, ..] => true,
        _ => false,
    }
}

// The addresses inside are tried through what dials; nobody may dial these to try them.
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_address_that_everybody_can_reach_is_public() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "126.0.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700::1111",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        let api = Origin::new("https://api.example.com").unwrap();
        let trust = Trust { by: &api, api: &api, named: &[] };
        assert!(trust.url("https://1.1.1.1/metadata").is_ok() && trust.url("https://auth.example/metadata").is_ok());
    }

    #[test]
    fn what_a_server_may_name_on_this_machine_or_inside_depends_on_where_that_server_is() {
        let origin = |text: &str| Origin::new(text).unwrap();
        let (here, elsewhere) = (origin("http://127.0.0.1:8080"), origin("https://auth.example.com"));
        let inside = origin("https://10.0.0.5");
        let below_localhost = origin("http://api.localhost");
        let named = [here.clone(), inside.clone()];
        for (by, api, named, url, may) in [
            // The API, or the origin that the caller named, is on this machine; the server that names the URL is not.
            (&elsewhere, &here, &[] as &[Origin], "http://127.0.0.1:9090/admin", false),
            (&elsewhere, &here, &[], "https://localhost:9090/admin", false),
            (&elsewhere, &elsewhere, &named, "http://127.0.0.1:8080/admin", false),
            (&elsewhere, &elsewhere, &named, "https://[::1]/admin", false),
            (&elsewhere, &elsewhere, &named, "https://api.localhost/admin", false),
            (&elsewhere, &below_localhost, &[], "https://api.localhost/admin", false),
            (&below_localhost, &elsewhere, &[], "http://127.0.0.1:9090/token", true),
            (&here, &elsewhere, &[], "http://auth.localhost:9090/token", true),
            (&here, &elsewhere, &[], "http://auth.localhost.:9090/token", true),
            (&here, &elsewhere, &[], "http://127.0.0.1:9090/token", true),
            (&here, &elsewhere, &[], "http://10.0.0.5/token", false),
            (&here, &elsewhere, &[], "https://10.0.0.5/token", false),
            // A private address: allowed on the server that names it, or exactly as the caller named it.
            (&inside, &elsewhere, &[], "https://10.0.0.5:8443/token", true),
            (&elsewhere, &elsewhere, &named, "https://10.0.0.5/token", true),
            (&elsewhere, &elsewhere, &named, "https://10.0.0.5:8443/token", false),
            (&elsewhere, &inside, &[], "https://10.0.0.5:8443/token", true),
        ] {
            let trust = Trust { by, api, named };
            assert_eq!(trust.url(url).is_ok(), may, "{url} by {by}, for {api}");
        }
    }
}
