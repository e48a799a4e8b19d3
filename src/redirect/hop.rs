//! One redirect: its target, and the request that follows it. No step here waits.

use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION};
use http::{Method, StatusCode, Version};
use reqwest::{Body, Request, Response, Url};

use super::headers;
use crate::call::{is_mock, replay};
use crate::credential::{Credential, Masker};
use crate::error::{AuthReport, RedirectErrorKind};
use crate::origin::{Origin, url_without_secrets};

/// Makes another body with the same bytes.
pub(super) type MakeBody = dyn Fn() -> Body + Send + Sync;

/// The parts of a request that are kept while it is sent. They are copied before the middlewares below add a credential.
pub(super) struct HopRequest {
    pub(super) method: Method,
    pub(super) url: Url,
    headers: HeaderMap,
    version: Version,
    timeout: Option<Duration>,
    body: Content,
}

enum Content {
    None,
    Bytes(Body),
    Stream,
}

impl HopRequest {
    pub(super) fn of(request: &mut Request) -> Self {
        let body = match request.body() {
            None => Content::None,
            Some(_) => replay::copy_body(request.body_mut()).map_or(Content::Stream, Content::Bytes),
        };
        Self {
            method: request.method().clone(),
            url: request.url().clone(),
            headers: request.headers().clone(),
            version: request.version(),
            timeout: request.timeout().copied(),
            body,
        }
    }

    /// Updates the URL to the one that responded, which differs if the client below follows redirects too. Returns
    /// whether its origin is the same.
    pub(super) fn update_url(&mut self, response: &Response) -> bool {
        let answered = response.url();
        if is_mock(response) {
            return true;
        }
        let same_origin = self.is_same_origin(answered);
        let fragment = self.url.fragment().map(str::to_owned);
        self.url = answered.clone();
        self.url.set_fragment(fragment.as_deref());
        same_origin
    }

    /// The target of the redirect. If `Location` has no fragment, the target inherits this request's fragment (RFC 9110
    /// §10.2.2). `None` if the response is not a redirect, or if its `Location` cannot be read.
    pub(super) fn target(&self, response: &Response) -> Option<Url> {
        if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let mut lines = response.headers().get_all(LOCATION).iter();
        let line = lines.next()?;
        // Two different targets cannot be followed.
        if lines.any(|other| other != line) {
            return None;
        }
        let text = std::str::from_utf8(line.as_bytes()).ok().filter(|text| !text.trim().is_empty())?;
        let mut base = self.url.clone();
        // Userinfo in the target then always comes from the server.
        let _ = (base.set_username(""), base.set_password(None));
        let mut target = base.join(text).ok()?;
        if target.fragment().is_none() {
            target.set_fragment(self.url.fragment());
        }
        Some(target)
    }

    /// Refuses targets that are never followed.
    pub(super) fn check(&self, target: &Url) -> Result<(), RedirectErrorKind> {
        if !matches!(target.scheme(), "http" | "https") {
            return Err(RedirectErrorKind::Scheme);
        }
        if !target.username().is_empty() || target.password().is_some() {
            return Err(RedirectErrorKind::Userinfo);
        }
        if self.url.scheme() == "https" && target.scheme() == "http" {
            return Err(RedirectErrorKind::Downgrade);
        }
        Ok(())
    }

    /// Whether the caller set `Authorization`.
    pub(super) fn has_credential(&self) -> bool {
        self.headers.contains_key(AUTHORIZATION)
    }

    /// Adds the secrets that the caller and the middlewares below sent.
    pub(super) fn add_secrets(&self, response: &Response, echoes: &mut AuthReport) {
        let report = AuthReport::of(response);
        echoes.echoes.extend(report.sent.into_iter().flatten().chain(report.echoes));
        let is_secret = |(name, value): &(&HeaderName, &HeaderValue)| **name == AUTHORIZATION || value.is_sensitive();
        let callers = self.headers.iter().filter(is_secret).map(|(_, value)| Credential::of_caller(value.clone()));
        echoes.echoes.extend(callers);
        echoes.mask_url_values(&self.url);
    }

    /// Whether the URL has this request's origin.
    pub(super) fn is_same_origin(&self, target: &Url) -> bool {
        Origin::of(&self.url).is_some_and(|origin| origin.contains(target))
    }

    /// The request that follows the redirect (RFC 9110 §15.4).
    pub(super) fn follow(
        self,
        status: StatusCode,
        target: Url,
        same_origin: bool,
        make: Option<&MakeBody>,
    ) -> Result<Request, RedirectErrorKind> {
        let (method, keeps_body) = method_after(status, &self.method);
        let mut request = Request::new(method, target);
        *request.version_mut() = self.version;
        *request.timeout_mut() = self.timeout;
        *request.headers_mut() = self.headers;
        if !same_origin {
            headers::keep_safe(request.headers_mut());
        }
        if !keeps_body {
            headers::drop_body(request.headers_mut());
            return Ok(request);
        }
        *request.body_mut() = match self.body {
            Content::None => None,
            Content::Bytes(body) => Some(body),
            Content::Stream => Some(make.ok_or(RedirectErrorKind::StreamBody)?()),
        };
        Ok(request)
    }
}

/// The method that follows a redirect, and whether the body is sent again. 301 and 302 turn POST into GET, as in
/// browsers and in reqwest.
fn method_after(status: StatusCode, method: &Method) -> (Method, bool) {
    match status {
        StatusCode::SEE_OTHER if *method == Method::HEAD => (Method::HEAD, false),
        StatusCode::SEE_OTHER => (Method::GET, false),
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if *method == Method::POST => (Method::GET, false),
        _ => (method.clone(), true),
    }
}

/// The URL in a form that is safe to print.
pub(super) fn printable(url: &Url, masker: &Masker) -> Url {
    if !matches!(url.scheme(), "http" | "https") {
        // For another scheme, everything after the scheme may be secret.
        return Url::parse(&format!("{}:", url.scheme())).unwrap_or_else(|_| root(url));
    }
    let bare = url_without_secrets(url);
    let masked = masker.mask_certain(bare.to_string());
    if masked == bare.as_str() {
        return bare;
    }
    // If the masked text is not a URL, a secret is outside the path.
    Url::parse(&masked).unwrap_or_else(|_| root(url))
}

/// The URL without its path.
fn root(url: &Url) -> Url {
    let mut root = url_without_secrets(url);
    root.set_path("/");
    root
}
