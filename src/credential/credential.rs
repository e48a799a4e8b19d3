//! Credentials.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::Request;
use zeroize::Zeroizing;

use super::authorize::Authorize;
use super::error::CredentialError;
use super::header;
use super::secret::Secret;
use crate::BoxError;

/// A credential: the header that the middleware puts on a request (RFC 9110 §11.4), and facts about it, such as its
/// expiry and its scopes.
///
/// Cheap to clone. `Debug` prints no secret. The secret is wiped when the last clone is dropped and the last request that
/// carries it is sent.
///
/// Two credentials are equal if they put the same header on a request. [Custom](Self::custom) credentials are equal if their
/// schemes and their [exported texts](Authorize::export) are equal; without an export, only clones of one credential are
/// equal. A credential that fails its [check](Self::check) equals only its clones. Expiry, scopes, source and attachment are
/// not compared.
///
/// ```
/// use reqwest_challenge::Credential;
///
/// let credential = Credential::bearer("s3cret").with_scopes(["read", "write"]);
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
    /// A secret that is not on the request as it is, but that a server may repeat: the password of `Basic` or `Digest`.
    pub(super) password: Option<Secret>,
}

#[derive(Clone)]
pub(super) enum Kind {
    /// A header with a fixed value.
    Header(HeaderName, Result<HeaderValue, CredentialError>),
    /// A scheme that signs each request.
    Custom(Arc<dyn Authorize>),
}

impl Credential {
    /// `Authorization: Bearer …` (RFC 6750 §2.1).
    ///
    /// If the token cannot stand in a header, [`check`](Self::check) returns an error, and no request is sent.
    #[must_use]
    pub fn bearer(token: impl Into<String>) -> Self {
        Self::of("Bearer", Kind::Header(AUTHORIZATION, header::bearer(&Zeroizing::new(token.into()))))
    }

    /// `Authorization: Basic …` (RFC 7617 §2), encoded as UTF-8.
    ///
    /// If the user name has a colon, or one of the two has a control character, [`check`](Self::check) returns an error,
    /// and no request is sent.
    #[must_use]
    pub fn basic(user: impl AsRef<str>, password: impl Into<String>) -> Self {
        let password = Secret::new(password);
        let value = header::basic(user.as_ref(), password.expose());
        Self::of("Basic", Kind::Header(AUTHORIZATION, value)).with(|inner| inner.password = Some(password))
    }

    /// A header with another name, such as `x-api-key`.
    ///
    /// If the value cannot stand in a header, [`check`](Self::check) returns an error, and no request is sent.
    ///
    /// If a server redirects to another server, reqwest removes the `Authorization` header, but not this header. Send such
    /// a credential with a [`hardened`](crate::hardened) client.
    #[must_use]
    pub fn header(name: HeaderName, value: impl Into<String>) -> Self {
        Self::of(name.as_str().to_owned(), Kind::Header(name.clone(), header::plain(&Zeroizing::new(value.into()))))
    }

    /// A credential that signs each request with a scheme of the caller.
    #[must_use]
    pub fn custom(authorize: impl Authorize) -> Self {
        let authorize: Arc<dyn Authorize> = Arc::new(authorize);
        Self::of(authorize.scheme().to_owned(), Kind::Custom(authorize.clone()))
    }

    /// A header that the caller set on a request. It is masked like the credentials of the session.
    pub(crate) fn of_caller(value: HeaderValue) -> Self {
        Self::of("", Kind::Header(AUTHORIZATION, Ok(value)))
    }

    /// The same credential, with a password that is not on the request but must be masked.
    #[cfg(feature = "digest")]
    pub(crate) fn with_password(self, password: Secret) -> Self {
        self.with(|inner| inner.password = Some(password))
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
            password: None,
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// The same credential, which expires at this time of the session's clock. The middleware renews it before this time.
    /// A refresher converts a time of the server, such as the `exp` of a token, with
    /// [`RefreshContext::clock_skew`](crate::RefreshContext::clock_skew).
    #[must_use]
    pub fn with_expiry(self, time: SystemTime) -> Self {
        self.with(|inner| inner.expires_at = Some(time))
    }

    /// The same credential, which expires `lifetime` after `now`. Pass [`RefreshContext::now`](crate::RefreshContext::now).
    /// If the lifetime is too long for [`SystemTime`], the expiry is not known.
    #[must_use]
    pub fn with_lifetime(self, lifetime: Duration, now: SystemTime) -> Self {
        self.with(|inner| inner.expires_at = now.checked_add(lifetime))
    }

    /// The same credential, with its scopes (RFC 6749 §3.3).
    #[must_use]
    pub fn with_scopes<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes = scopes.into_iter().map(Into::into).collect();
        self.with(|inner| inner.scopes = Some(scopes))
    }

    /// The same credential, with its source, such as `env:API_TOKEN`, `file:/home/…` or `keyring`. `Debug` and errors print
    /// the source, so it must contain no secret.
    #[must_use]
    pub fn with_source(self, source: impl AsRef<str>) -> Self {
        self.with(|inner| inner.source = Some(source.as_ref().into()))
    }

    /// The same credential, with a secret that belongs to it but is never sent with a request, such as a refresh token.
    #[must_use]
    pub fn with_attachment(self, attachment: impl Into<Secret>) -> Self {
        self.with(|inner| inner.attachment = Some(attachment.into()))
    }

    /// The name of the scheme, such as `Bearer`. For [`Credential::header`], the name of the header.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.0.scheme
    }

    /// The time at which the credential expires, if it is known.
    #[must_use]
    pub fn expiry(&self) -> Option<SystemTime> {
        self.0.expires_at
    }

    /// The scopes of the credential, in their order, if they are known.
    #[must_use]
    pub fn scopes(&self) -> Option<&[String]> {
        self.0.scopes.as_deref()
    }

    /// The source of the credential, if it is known.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        self.0.source.as_deref()
    }

    /// The secret that belongs to the credential and is never sent with a request.
    #[must_use]
    pub fn attachment(&self) -> Option<&Secret> {
        self.0.attachment.as_ref()
    }

    /// Checks whether the credential can be put on a request. A [custom](Self::custom) credential always passes, because
    /// its scheme makes the header later.
    ///
    /// # Errors
    /// [`CredentialError`] if a token is empty, if a token has a blank, if a token or a value of a header has a control
    /// character or a non-ASCII character, if a user name has a colon, or if a user name or a password has a control
    /// character.
    pub fn check(&self) -> Result<(), CredentialError> {
        match &self.0.kind {
            Kind::Header(_, value) => value.as_ref().map(|_| ()).map_err(Clone::clone),
            Kind::Custom(_) => Ok(()),
        }
    }

    /// The token of a bearer credential without its scheme, or the [export](Authorize::export) of a custom credential.
    /// `None` for any other credential.
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

    /// The name of the header that the credential sets. `None` if a custom credential sets none or several.
    #[must_use]
    pub fn header_name(&self) -> Option<&HeaderName> {
        match &self.0.kind {
            Kind::Header(name, _) => Some(name),
            Kind::Custom(authorize) => authorize.header_name(),
        }
    }

    /// The value of the header that the credential sets. `None` for a custom credential, which has no fixed value, and if
    /// [`check`](Self::check) fails.
    #[must_use]
    pub fn header_value(&self) -> Option<&HeaderValue> {
        match &self.0.kind {
            Kind::Header(_, value) => value.as_ref().ok(),
            Kind::Custom(_) => None,
        }
    }

    /// Sets the header of a plain credential on the request. The value is marked as sensitive. `None` for a custom
    /// credential: its [`authorizer`](Self::authorizer) signs the request.
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

    /// The scheme of a [custom](Self::custom) credential.
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
            // The server wrote these scopes and may have repeated a secret in them.
            shown.field("scopes", &scopes.iter().map(|scope| masker.mask_word(scope.clone())).collect::<Vec<_>>());
        }
        if let Some(source) = &self.0.source {
            shown.field("source", source);
        }
        shown.finish_non_exhaustive()
    }
}
