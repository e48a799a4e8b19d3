//! What is put on a request.

use super::authorize::Authorize;
use super::header;
use super::header::CredentialError;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::Request;
use zeroize::Zeroizing;

use super::secret::Secret;
use crate::BoxError;

/// A credential: what is put on a request, and what is known of it (RFC 9110 §11.4).
///
/// It is cheap to clone and prints no secret; its text is wiped when the last clone is gone and the last request that
/// carries it has been sent. Two are equal if they put the same on a request.
///
/// ```
/// use reqwest_challenge::Credential;
///
/// let credential = Credential::bearer("s3cret").scopes(["read", "write"]);
/// assert_eq!(format!("{credential:?}"), r#"Credential { scheme: "Bearer", scopes: ["read", "write"], .. }"#);
/// ```
#[derive(Clone)]
pub struct Credential(pub(super) Arc<Inner>);

#[derive(Clone)]
pub(super) struct Inner {
    pub(super) kind: Kind,
    pub(super) scheme: Cow<'static, str>,
    pub(super) expires_at: Option<SystemTime>,
    pub(super) scopes: Option<Arc<[String]>>,
    pub(super) source: Option<Box<str>>,
    pub(super) attachment: Option<Secret>,
    /// What else of it is a secret that a server may echo.
    pub(super) inner: Option<Secret>,
}

#[derive(Clone)]
pub(super) enum Kind {
    /// The plain kinds: one header, made once.
    Header(HeaderName, Result<HeaderValue, CredentialError>),
    Custom(Arc<dyn Authorize>),
}

impl Credential {
    /// `Authorization: Bearer …` (RFC 6750 §2.1). Where the token cannot stand in a header, [`check`](Self::check) says so.
    #[must_use]
    pub fn bearer(token: impl Into<String>) -> Self {
        Self::of("Bearer", Kind::Header(AUTHORIZATION, header::bearer(&Zeroizing::new(token.into()))))
    }

    /// `Authorization: Basic …` (RFC 7617 §2), encoded as UTF-8. Where the user name has a colon, or either of them a
    /// control character, [`check`](Self::check) says so.
    #[must_use]
    pub fn basic(user: impl AsRef<str>, password: impl Into<String>) -> Self {
        let password = Secret::new(password);
        let made = Self::of("Basic", Kind::Header(AUTHORIZATION, header::basic(user.as_ref(), password.expose())));
        made.with(|inner| inner.inner = Some(password))
    }

    /// A header of its own, such as `x-api-key`. Where the value cannot stand in a header, [`check`](Self::check) says so.
    ///
    /// On a redirect to another server reqwest takes `Authorization` away, and no other header: send such a credential
    /// with a [`hardened`](crate::hardened) client.
    #[must_use]
    pub fn header(name: HeaderName, value: impl Into<String>) -> Self {
        Self::of(name.as_str().to_owned(), Kind::Header(name.clone(), header::plain(&Zeroizing::new(value.into()))))
    }

    /// Whatever a scheme of one's own does to a request.
    #[must_use]
    pub fn custom(authorize: impl Authorize) -> Self {
        let authorize: Arc<dyn Authorize> = Arc::new(authorize);
        Self::of(authorize.scheme().to_owned(), Kind::Custom(authorize.clone()))
    }

    /// What a caller set himself, to be masked like ours.
    pub(crate) fn of_caller(value: HeaderValue) -> Self {
        Self::of("", Kind::Header(AUTHORIZATION, Ok(value)))
    }

    /// The same, for a secret that is not on the request but must be masked too.
    #[cfg(feature = "digest")]
    pub(crate) fn hiding(self, secret: Secret) -> Self {
        self.with(|inner| inner.inner = Some(secret))
    }

    fn of(scheme: impl Into<Cow<'static, str>>, kind: Kind) -> Self {
        let scheme = scheme.into();
        Self(Arc::new(Inner {
            kind,
            scheme,
            expires_at: None,
            scopes: None,
            source: None,
            attachment: None,
            inner: None,
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// The same, known to expire then.
    #[must_use]
    pub fn with_expiry(self, time: SystemTime) -> Self {
        self.with(|inner| inner.expires_at = Some(time))
    }

    /// The same credential, which expires `lifetime` after `now`. Pass [`RefreshContext::now`](crate::RefreshContext::now).
    /// A lifetime too long for [`SystemTime`] means that the expiry is not known.
    #[must_use]
    pub fn with_lifetime(self, lifetime: Duration, now: SystemTime) -> Self {
        self.with(|inner| inner.expires_at = now.checked_add(lifetime))
    }

    /// The same, known to have these scopes (RFC 6749 §3.3).
    #[must_use]
    pub fn with_scopes<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes = scopes.into_iter().map(Into::into).collect();
        self.with(|inner| inner.scopes = Some(scopes))
    }

    /// The same, with where it came from: `env:API_TOKEN`, `file:/home/…`, `keyring`. No secret belongs in it.
    #[must_use]
    pub fn with_source(self, source: impl AsRef<str>) -> Self {
        self.with(|inner| inner.source = Some(source.as_ref().into()))
    }

    /// The same, with a secret that belongs to it and is never sent with a request: a refresh token, a key.
    #[must_use]
    pub fn with_attachment(self, attachment: impl Into<Secret>) -> Self {
        self.with(|inner| inner.attachment = Some(attachment.into()))
    }

    /// The name of its scheme, or of its header.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.0.scheme
    }

    /// When it expires, if that is known.
    #[must_use]
    pub fn expiry(&self) -> Option<SystemTime> {
        self.0.expires_at
    }

    /// The scopes that it has, in their order, if that is known.
    #[must_use]
    pub fn scopes(&self) -> Option<&[String]> {
        self.0.scopes.as_deref()
    }

    /// Where it came from, if that is known.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        self.0.source.as_deref()
    }

    /// The secret that belongs to it.
    #[must_use]
    pub fn attachment(&self) -> Option<&Secret> {
        self.0.attachment.as_ref()
    }

    /// Whether it can be put on a request at all.
    ///
    /// # Errors
    /// [`CredentialError`], which names the byte and never the text: a control character or an octet that is no ASCII in
    /// a token or a header's value, an empty token, a colon in a user name.
    pub fn check(&self) -> Result<(), CredentialError> {
        match &self.0.kind {
            Kind::Header(_, value) => value.as_ref().map(|_| ()).map_err(Clone::clone),
            Kind::Custom(_) => Ok(()),
        }
    }

    /// The token alone: of a bearer token, and of a scheme that says what a store keeps of it.
    #[must_use]
    pub fn token(&self) -> Option<Secret> {
        match &self.0.kind {
            Kind::Header(_, value) => {
                let text = value.as_ref().ok()?.to_str().ok()?;
                text.strip_prefix("Bearer ").map(Secret::new)
            }
            Kind::Custom(authorize) => authorize.export(),
        }
    }

    /// The header that it sets, if it sets one of its own.
    #[must_use]
    pub fn header_name(&self) -> Option<&HeaderName> {
        match &self.0.kind {
            Kind::Header(name, _) => Some(name),
            Kind::Custom(authorize) => authorize.header_name(),
        }
    }

    /// The value of the header that it sets, if it has a fixed one.
    #[must_use]
    pub fn header_value(&self) -> Option<&HeaderValue> {
        match &self.0.kind {
            Kind::Header(_, value) => value.as_ref().ok(),
            Kind::Custom(_) => None,
        }
    }

    /// Puts it on the request, in place of what was there, if it is of a plain kind; the value is marked as sensitive.
    pub(crate) fn put_on(&self, request: &mut Request) -> Option<Result<(), BoxError>> {
        match &self.0.kind {
            Kind::Header(name, Ok(value)) => {
                request.headers_mut().insert(name, value.clone());
                Some(Ok(()))
            }
            Kind::Header(_, Err(error)) => Some(Err(error.clone().into())),
            Kind::Custom(_) => None,
        }
    }

    /// What signs each request, if it is not of a plain kind.
    #[must_use]
    pub fn authorizer(&self) -> Option<&Arc<dyn Authorize>> {
        match &self.0.kind {
            Kind::Header(..) => None,
            Kind::Custom(authorize) => Some(authorize),
        }
    }
}

impl PartialEq for Credential {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0.kind, &other.0.kind) {
            (Kind::Header(name, Ok(value)), Kind::Header(other_name, Ok(other_value))) => {
                name == other_name && value == other_value
            }
            (Kind::Custom(ours), Kind::Custom(theirs)) => {
                let same = |ours: Secret| theirs.export().is_some_and(|theirs| ours == theirs);
                Arc::ptr_eq(ours, theirs) || ours.scheme() == theirs.scheme() && ours.export().is_some_and(same)
            }
            _ => Arc::ptr_eq(&self.0, &other.0),
        }
    }
}

impl Eq for Credential {}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Credential");
        shown.field("scheme", &self.0.scheme);
        if let Some(scopes) = &self.0.scopes {
            let masker = Self::masker_of([self]);
            // A server wrote these scopes.
            shown.field("scopes", &scopes.iter().map(|scope| masker.mask_word(scope.clone())).collect::<Vec<_>>());
        }
        if let Some(source) = &self.0.source {
            shown.field("source", source);
        }
        shown.finish_non_exhaustive()
    }
}
