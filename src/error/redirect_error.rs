//! A redirect that was not followed.

use std::error::Error as StdError;
use std::fmt;

use http::{Method, StatusCode};
use reqwest::Url;

use super::seek;
use crate::util::OneLine;

/// A redirect that [`FollowRedirects`](crate::FollowRedirects), or the middleware below it, refused to follow.
///
/// Prints URLs without userinfo, query and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectError(Box<Refused>);

/// The facts of the redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) kind: RedirectErrorKind,
    pub(crate) status: StatusCode,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) location: Url,
}

/// Why a redirect was not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RedirectErrorKind {
    /// The request was redirected more often than the limit allows.
    TooMany,
    /// The redirect keeps the body, and the body is a stream that cannot be sent twice.
    StreamBody,
    /// The target is neither `http` nor `https`.
    Scheme,
    /// The target contains a user name or a password.
    Userinfo,
    /// The redirecting URL is `https`, and the target is plain `http`.
    Downgrade,
    /// A server outside the middleware's origins chose this URL for a request whose method is not safe (RFC 9110
    /// §9.2.1).
    ChosenElsewhere,
}

impl From<Refused> for RedirectError {
    fn from(refused: Refused) -> Self {
        Self(Box::new(refused))
    }
}

impl RedirectError {
    /// Returns why the redirect was not followed.
    #[must_use]
    pub fn kind(&self) -> RedirectErrorKind {
        self.0.kind
    }

    /// Returns the status of the redirect.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Returns the method of the redirected request.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.0.method
    }

    /// Returns the URL that redirected, without userinfo, query and fragment.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0.url
    }

    /// Returns the target of the redirect, without userinfo, query and fragment. If its scheme is neither `http` nor `https`,
    /// only the scheme.
    #[must_use]
    pub fn location(&self) -> &Url {
        &self.0.location
    }
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refused { kind, status, method, url, location } = &*self.0;
        let line = format!("{method} {url} was redirected by {} to {location}", status.as_u16());
        write!(f, "{}", OneLine::new(&line))?;
        f.write_str(match kind {
            RedirectErrorKind::TooMany => ", and the limit of redirects is reached: it is not followed",
            RedirectErrorKind::StreamBody => {
                ", and its body is a stream, which cannot be sent twice: set `CallOptions::body`, or send the request \
                 to that URL"
            }
            RedirectErrorKind::Scheme => ", which is neither http nor https: it is not followed",
            RedirectErrorKind::Userinfo => ", with a user name or password in the URL: it is not followed",
            RedirectErrorKind::Downgrade => ", from https to plain http: it is not followed",
            RedirectErrorKind::ChosenElsewhere => {
                ", by a server outside the middleware's origins: a request whose method is not safe is not signed for a \
                 URL that such a server chose; send it to that URL, or add the redirecting origin"
            }
        })
    }
}

impl StdError for RedirectError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        seek::itself(self)
    }
}
