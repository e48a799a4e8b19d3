//! A login by whichever way reaches the person.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::Obtain;
use super::authorization_code::AuthorizationCode;
use super::device::DeviceCode;
use crate::oauth::grant_context::{GrantContext, Granted};
use reqwest_challenge::RefreshError;

/// How a person logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Way {
    /// In a browser of this machine, which comes back to a port of it.
    Browser,
    /// On any device, with a code.
    Device,
}

/// What an authorization server has for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offers {
    /// A page for a browser (RFC 6749 §3.1).
    pub browser: bool,
    /// Codes for other devices (RFC 8628).
    pub device: bool,
}

impl Offers {
    /// Whether it has that way.
    #[must_use]
    pub fn has(self, way: Way) -> bool {
        match way {
            Way::Browser => self.browser,
            Way::Device => self.device,
        }
    }
}

type Choose = Box<dyn Fn(Offers) -> Option<Way> + Send + Sync>;

/// A login in a browser or on another device: whichever the server has, and reaches the person.
pub struct Interactive {
    code: AuthorizationCode,
    device: DeviceCode,
    choose: Choose,
    reaches: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Interactive {
    /// By one of the two, as that chooses of what the server has; none of them is
    /// [`LoginRequired`](crate::RefreshErrorKind::LoginRequired).
    #[must_use]
    pub fn new(
        code: AuthorizationCode,
        device: DeviceCode,
        choose: impl Fn(Offers) -> Option<Way> + Send + Sync + 'static,
    ) -> Self {
        Self { code, device, choose: Box::new(choose), reaches: Box::new(|| true) }
    }

    /// Says whether there is a person at all, which is asked before any server is. Not said, there is.
    #[must_use]
    pub fn reaching(mut self, reaches: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.reaches = Box::new(reaches);
        self
    }
}

impl fmt::Debug for Interactive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interactive").field("code", &self.code).field("device", &self.device).finish_non_exhaustive()
    }
}

#[async_trait]
impl Obtain for Interactive {
    fn name(&self) -> &'static str {
        "authorization_code"
    }

    async fn obtain(&self, grant: &GrantContext<'_>) -> Result<Granted, RefreshError> {
        let has = |name| grant.server.endpoints.contains_key(name);
        let offers = Offers { browser: has("authorization_endpoint"), device: has("device_authorization_endpoint") };
        match (self.choose)(offers).filter(|way| offers.has(*way)) {
            Some(Way::Browser) => self.code.obtain(grant).await,
            Some(Way::Device) => self.device.obtain(grant).await,
            None => Err(RefreshError::login_required(&*grant.setup.hint)
                .caused_by(format!("{} has no way to log in that reaches you here", grant.server.issuer))),
        }
    }

    fn needs_person(&self) -> bool {
        true
    }

    fn reaches_person(&self) -> bool {
        (self.reaches)()
    }

    fn timeout(&self) -> Duration {
        self.code.timeout().max(self.device.timeout())
    }
}
