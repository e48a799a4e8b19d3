//! Options of one request.

use std::fmt;
use std::sync::Arc;

use http::Extensions;
use reqwest::Body;

use crate::credential::Credential;

/// Options of one request. They are an extension of the request.
///
/// ```
/// # fn example(client: &reqwest_challenge::reqwest_middleware::ClientWithMiddleware) {
/// use reqwest_challenge::CallOptions;
///
/// let request = client.get("https://api.example.com/health").with_extension(CallOptions::new().skip());
/// # }
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct CallOptions {
    pub(crate) skip: bool,
    pub(crate) no_retry: bool,
    pub(crate) pass_through: bool,
    pub(crate) body: Option<Arc<dyn Fn() -> Body + Send + Sync>>,
    pub(crate) identity: Option<Credential>,
    /// The key of the tenant, whose type the caller chooses.
    tenant: Option<Extensions>,
}

/// The key of a tenant, as an extension of the options.
#[derive(Clone)]
struct TenantKey<K>(K);

impl CallOptions {
    /// Returns options that change nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Passes the request and its response through: no credential, no refresh, no typed error.
    pub fn skip(mut self) -> Self {
        self.skip = true;
        self
    }

    /// Sends the request only once. A 401 is an error at once, and the refresher is not asked.
    pub fn no_retry(mut self) -> Self {
        self.no_retry = true;
        self
    }

    /// Returns a final 401 and every 403 as a response, with its [`Challenges`](crate::Challenges) and its
    /// [`AuthReport`](crate::AuthReport) in the extensions. A 403 is still not sent again.
    pub fn pass_through(mut self) -> Self {
        self.pass_through = true;
        self
    }

    /// Allows a second send of a request whose body is a stream: the second send gets the body that this function makes. The
    /// function must return the same bytes as the body of the request. It is called only if a second send needs it.
    pub fn body(mut self, make: impl Fn() -> Body + Send + Sync + 'static) -> Self {
        self.body = Some(Arc::new(make));
        self
    }

    /// Sends the request with another credential, once. A 401 is an error at once, as with a credential header that the caller
    /// set.
    pub fn identity(mut self, credential: Credential) -> Self {
        self.identity = Some(credential);
        self
    }

    /// Names the tenant of the request, for a [`SessionPool`](crate::SessionPool). The key must have the type of the pool's
    /// keys: a pool of `String` does not find a `&str`. Without a pool it has no effect.
    pub fn tenant<K: Clone + Send + Sync + 'static>(mut self, key: K) -> Self {
        let mut tenant = Extensions::new();
        tenant.insert(TenantKey(key));
        self.tenant = Some(tenant);
        self
    }

    /// The key of the tenant, if the caller named one of this type.
    pub(crate) fn tenant_key<K: Send + Sync + 'static>(&self) -> Option<&K> {
        self.tenant.as_ref()?.get::<TenantKey<K>>().map(|key| &key.0)
    }

    /// Whether the caller named a tenant, of whatever type.
    pub(crate) fn has_tenant(&self) -> bool {
        self.tenant.is_some()
    }

    /// Whether the request passes through.
    pub(crate) fn skips(&self) -> bool {
        self.skip
    }
}

impl fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallOptions")
            .field("skip", &self.skip)
            .field("no_retry", &self.no_retry)
            .field("pass_through", &self.pass_through)
            .field("body", &self.body.is_some())
            .field("identity", &self.identity)
            .field("tenant", &self.has_tenant())
            .finish()
    }
}
