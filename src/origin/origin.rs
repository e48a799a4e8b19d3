//! Where a credential belongs: scheme, host and port.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use url::{Host, Url};

/// An `http` or `https` origin: scheme, host and port (RFC 9110 §4.3.1).
///
/// It is read by the URL standard: case and default ports do not matter, a name in Unicode is its punycode, and
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
///
/// It is cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(Arc<Parts>);

#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Parts {
    secure: bool,
    host: Host<String>,
    port: u16,
    /// How every URL of this origin begins that has no userinfo.
    text: Box<str>,
}

impl Origin {
    /// Reads an origin, such as `https://api.example.com` or `http://127.0.0.1:8080`. One slash at its end is no path.
    ///
    /// # Errors
    /// [`OriginError`], which says what to write instead: text that is no absolute URL, a scheme other than `http` and
    /// `https`, and a URL with userinfo, a path, a query or a fragment.
    pub fn new(text: impl AsRef<str>) -> Result<Self, OriginError> {
        let text = text.as_ref();
        let (url, origin) = Self::parse_url(text)?;
        // The URL standard drops an empty userinfo, as in `https://@host`, which is nobody's origin either.
        let authority = text.split(['/', '\\', '?', '#']).find(|part| !part.is_empty() && !part.ends_with(':'));
        let kind = if !url.username().is_empty() || authority.is_some_and(|authority| authority.contains('@')) {
            Kind::Userinfo
        } else if url.path() != "/" {
            Kind::Path
        } else if url.query().is_some() {
            Kind::Query
        } else if url.fragment().is_some() {
            Kind::Fragment
        } else {
            return Ok(origin);
        };
        Err(OriginError { kind, instead: Some(origin) })
    }

    /// Parses a URL of an API, with its origin.
    pub(crate) fn parse_url(text: &str) -> Result<(Url, Self), OriginError> {
        let url = Url::parse(text).map_err(|error| OriginError { kind: Kind::NoUrl(error), instead: None })?;
        let origin = Self::of(&url).ok_or(OriginError { kind: Kind::Scheme, instead: None })?;
        Ok((url, origin))
    }

    /// The origin of a URL; `None` where it is neither `http` nor `https`.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        let (secure, host, port) = (secure(url)?, url.host()?.to_owned(), url.port_or_known_default()?);
        let text = match (secure, port) {
            (true, 443) => format!("https://{host}"),
            (false, 80) => format!("http://{host}"),
            (secure, port) => format!("{}://{host}:{port}", if secure { "https" } else { "http" }),
        };
        Some(Self(Arc::new(Parts { secure, host, port, text: text.into() })))
    }

    /// Whether the URL is of this origin. Allocates nothing.
    #[must_use]
    pub fn contains(&self, url: &Url) -> bool {
        // A URL is kept in its normal form, so that its text says it nearly always.
        url.as_str().strip_prefix(&*self.0.text).is_some_and(|rest| rest.starts_with('/')) || self.contains_parts(url)
    }

    fn contains_parts(&self, url: &Url) -> bool {
        secure(url) == Some(self.0.secure) && url.port_or_known_default() == Some(self.0.port) && self.is_host_of(url)
    }

    /// Whether the URL has this origin's host, whatever its scheme and port.
    #[must_use]
    pub fn is_host_of(&self, url: &Url) -> bool {
        match (url.host(), &self.0.host) {
            (Some(Host::Domain(theirs)), Host::Domain(ours)) => theirs == ours,
            (Some(Host::Ipv4(theirs)), Host::Ipv4(ours)) => theirs == *ours,
            (Some(Host::Ipv6(theirs)), Host::Ipv6(ours)) => theirs == *ours,
            _ => false,
        }
    }

    /// Whether its scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.secure
    }

    /// `https` or `http`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.0.secure { "https" } else { "http" }
    }

    /// The host as it stands in a URL: lower case, punycode, an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> String {
        self.0.host.to_string()
    }

    /// The port, the scheme's default one included.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port
    }

    /// Whether the host is this machine by its very name: `localhost`, 127.0.0.0/8 or `[::1]`. Nothing is resolved.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match &self.0.host {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => Ipv4Addr::is_loopback(address),
            Host::Ipv6(address) => Ipv6Addr::is_loopback(address),
        }
    }

    /// The host's address, where it is written as one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match &self.0.host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(*address)),
            Host::Ipv6(address) => Some(IpAddr::V6(*address)),
        }
    }
}

fn secure(url: &Url) -> Option<bool> {
    match url.scheme() {
        "https" => Some(true),
        "http" => Some(false),
        _ => None,
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

/// As RFC 6454 §6.2 writes it: `https://api.example.com`, with the port where it is not the default one.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

/// Text that is no origin. It says what to write, and never shows the text: it may have had a password in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginError {
    kind: Kind,
    instead: Option<Origin>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    NoUrl(url::ParseError),
    Scheme,
    Userinfo,
    Path,
    Query,
    Fragment,
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.kind {
            Kind::NoUrl(error) => {
                return write!(f, "this is no origin ({error}): write `https://host` or `https://host:port`");
            }
            Kind::Scheme => {
                return f.write_str("an origin is http or https: write `https://host` or `https://host:port`");
            }
            Kind::Userinfo => "user name or password",
            Kind::Path => "path",
            Kind::Query => "query",
            Kind::Fragment => "fragment",
        };
        write!(f, "an origin has no {what}")?;
        self.instead.as_ref().map_or(Ok(()), |origin| write!(f, ": write `{origin}`"))
    }
}

impl std::error::Error for OriginError {}
