//! Origins: scheme, host and port.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use url::{Host, Url};

use super::error::{OriginError, OriginErrorKind};
use super::loopback::is_loopback;

/// An `http` or `https` origin: scheme, host and port (RFC 9110 §4.3.1). Cheap to clone.
///
/// The text is read by the URL standard. Case and default ports do not matter, and a Unicode name becomes punycode.
/// `example.com.` is another host than `example.com`.
///
/// ```
/// use reqwest_challenge::Origin;
///
/// let origin = Origin::new("HTTPS://Bücher.Example:443")?;
/// assert_eq!(origin.to_string(), "https://xn--bcher-kva.example");
///
/// let error = Origin::new("https://api.example.com/v1").unwrap_err();
/// assert_eq!(error.to_string(), "an origin has no path: write `https://api.example.com`");
/// # Ok::<(), reqwest_challenge::OriginError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(Arc<Parts>);

#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Parts {
    is_https: bool,
    host: Host<String>,
    port: u16,
    /// The beginning of every URL of this origin that has no userinfo.
    text: Box<str>,
}

impl Origin {
    /// Reads an origin, such as `https://api.example.com` or `http://127.0.0.1:8080`. One slash may follow it.
    ///
    /// # Errors
    /// [`OriginError`] if the text is not an absolute URL, if its scheme is neither `http` nor `https`, or if it has
    /// userinfo, a path, a query or a fragment.
    pub fn new(text: impl AsRef<str>) -> Result<Self, OriginError> {
        let text = text.as_ref();
        // The URL standard reads a second origin as a part of the host, or of the path.
        let parts = text.split(|character: char| character == ',' || character.is_whitespace());
        if parts.filter(|part| part.contains("://")).count() > 1 {
            return Err(OriginError::several_origins());
        }
        let (url, origin) = Self::parse_url(text)?;
        // The URL standard drops an empty userinfo, as in `https://@host`. Such a text is not an origin either.
        let authority = text.split(['/', '\\', '?', '#']).find(|part| !part.is_empty() && !part.ends_with(':'));
        let kind = if !url.username().is_empty() || authority.is_some_and(|authority| authority.contains('@')) {
            OriginErrorKind::Userinfo
        } else if url.path() != "/" {
            OriginErrorKind::Path
        } else if url.query().is_some() {
            OriginErrorKind::Query
        } else if url.fragment().is_some() {
            OriginErrorKind::Fragment
        } else {
            return Ok(origin);
        };
        Err(OriginError::extra_part(kind, origin.as_str()))
    }

    /// Parses a URL of an API, with its origin.
    pub(crate) fn parse_url(text: &str) -> Result<(Url, Self), OriginError> {
        let url = Url::parse(text).map_err(OriginError::invalid_url)?;
        let origin = Self::of(&url).ok_or_else(OriginError::unsupported_scheme)?;
        Ok((url, origin))
    }

    /// The origin of a URL. `None` if its scheme is neither `http` nor `https`.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        let (is_https, host, port) = (is_https(url)?, url.host()?.to_owned(), url.port_or_known_default()?);
        let text = match (is_https, port) {
            (true, 443) => format!("https://{host}"),
            (false, 80) => format!("http://{host}"),
            (is_https, port) => format!("{}://{host}:{port}", if is_https { "https" } else { "http" }),
        };
        Some(Self(Arc::new(Parts { is_https, host, port, text: text.into() })))
    }

    /// The origin as text, as RFC 6454 §6.2 writes it: `https://api.example.com`, with the port if it is not the
    /// default one.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Whether the URL is of this origin. Allocates nothing.
    #[must_use]
    pub fn contains(&self, url: &Url) -> bool {
        // Nearly every URL of this origin begins with its text, because a URL is kept in its normal form. A URL with
        // userinfo does not.
        url.as_str().strip_prefix(&*self.0.text).is_some_and(|rest| rest.starts_with('/')) || self.contains_parts(url)
    }

    fn contains_parts(&self, url: &Url) -> bool {
        is_https(url) == Some(self.0.is_https)
            && url.port_or_known_default() == Some(self.0.port)
            && self.is_host_of(url)
    }

    /// Whether the URL has the host of this origin. Its scheme and port may be others.
    #[must_use]
    pub fn is_host_of(&self, url: &Url) -> bool {
        match (url.host(), &self.0.host) {
            (Some(Host::Domain(theirs)), Host::Domain(ours)) => theirs == ours,
            (Some(Host::Ipv4(theirs)), Host::Ipv4(ours)) => theirs == *ours,
            (Some(Host::Ipv6(theirs)), Host::Ipv6(ours)) => theirs == *ours,
            _ => false,
        }
    }

    /// Whether the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.is_https
    }

    /// The scheme: `https` or `http`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.0.is_https { "https" } else { "http" }
    }

    /// The host as a URL has it: in lower case and punycode, an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> String {
        self.0.host.to_string()
    }

    /// The port. If the text has none, the default port of the scheme.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Whether the host is the local machine, by its text: an address of 127.0.0.0/8, `[::1]`, or `localhost` and the
    /// names below it, such as `api.localhost` (RFC 6761 §6.3). A dot may follow a name. No name is resolved.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0.host)
    }

    /// The address of the host, if the host is an address. No name is resolved.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match &self.0.host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(*address)),
            Host::Ipv6(address) => Some(IpAddr::V6(*address)),
        }
    }
}

fn is_https(url: &Url) -> Option<bool> {
    match url.scheme() {
        "https" => Some(true),
        "http" => Some(false),
        _ => None,
    }
}

/// The text of [`as_str`](Origin::as_str). Functions that take an origin as text accept an `Origin` too.
impl AsRef<str> for Origin {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        Self::new(text)
    }
}

impl TryFrom<&str> for Origin {
    type Error = OriginError;

    fn try_from(text: &str) -> Result<Self, OriginError> {
        Self::new(text)
    }
}

/// The text of [`as_str`](Origin::as_str).
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
