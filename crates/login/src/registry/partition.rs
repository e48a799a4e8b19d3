//! Which requests share a token.

use std::borrow::Cow;
use std::fmt;

use http::Method;
use reqwest::Url;

use super::scope;

/// The name of the token that a request needs: its repository and its kind of access. Pass this function to
/// [`Builder::partition_by`](reqwest_challenge::Builder::partition_by).
#[must_use]
pub fn partition(method: &Method, url: &Url) -> String {
    Partition::of(method, url).to_string()
}

/// What one token is for: a repository, and a kind of access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Partition {
    origin: String,
    repository: String,
    access: Access,
    /// The repository from which a blob is mounted. The token must be valid for it too.
    mounted_from: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Pull,
    Push,
    Delete,
}

impl Partition {
    /// The partition of a request, by the paths of the distribution specification: `/v2/<name>/manifests/…` and similar.
    pub(super) fn of(method: &Method, url: &Url) -> Self {
        let access = match *method {
            Method::GET | Method::HEAD => Access::Pull,
            Method::DELETE => Access::Delete,
            _ => Access::Push,
        };
        let path = url.path().strip_prefix("/v2/").unwrap_or_default();
        let repository = scope::repository(url).unwrap_or(path).to_owned();
        let mounted_from = scope::mounted_from(method, url).map(Cow::into_owned);
        Self { origin: url.origin().ascii_serialization(), repository, access, mounted_from }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?}", self.origin, self.repository, self.access)?;
        self.mounted_from.as_ref().map_or(Ok(()), |from| write!(f, " {from}"))
    }
}
