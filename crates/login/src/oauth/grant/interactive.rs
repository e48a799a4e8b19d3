//! A login by the method that reaches the user.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::authorization_code::AuthorizationCode;
use super::device::DeviceCode;
use super::grant::Grant;
use super::grant_context::GrantContext;
use super::issued_token::IssuedToken;
use reqwest_challenge::RefreshError;

/// How a user logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoginMethod {
    /// In a browser on this machine, which returns to a port of this machine.
    Browser,
    /// On any device, with a code.
    Device,
}

/// The login methods that an authorization server supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LoginMethods {
    /// Whether the server has a page for a browser (RFC 6749 §3.1).
    pub browser: bool,
    /// Whether the server issues codes for other devices (RFC 8628).
    pub device: bool,
}

impl LoginMethods {
    /// Whether the server supports this method.
    #[must_use]
    pub fn contains(self, method: LoginMethod) -> bool {
        match method {
            LoginMethod::Browser => self.browser,
            LoginMethod::Device => self.device,
        }
    }
}

/// A login in a browser or on another device: by the method that the server supports and that reaches the user.
///
/// ```
/// use reqwest_challenge_login::oauth::{AuthorizationCode, AuthorizationPrompt, DeviceCode, Interactive, LoginMethod};
///
/// let show = |prompt: &AuthorizationPrompt| Ok(eprintln!("open {}", prompt.complete_url()));
/// let grant = Interactive::new(AuthorizationCode::new(show), DeviceCode::new(show), |supported| {
///     // No browser of this machine can be opened over SSH.
///     let is_remote = std::env::var_os("SSH_CONNECTION").is_some();
///     let methods = [LoginMethod::Browser, LoginMethod::Device];
///     methods.into_iter().find(|method| supported.contains(*method) && !(is_remote && *method == LoginMethod::Browser))
/// });
/// ```
pub struct Interactive {
    code: AuthorizationCode,
    device: DeviceCode,
    choose: Box<dyn Fn(LoginMethods) -> Option<LoginMethod> + Send + Sync>,
    can_reach_user: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Interactive {
    /// Runs the grant that `choose` returns for the methods that the server supports. Fails with
    /// [`LoginRequired`](reqwest_challenge::RefreshErrorKind::LoginRequired) if `choose` returns `None`.
    #[must_use]
    pub fn new(
        code: AuthorizationCode,
        device: DeviceCode,
        choose: impl Fn(LoginMethods) -> Option<LoginMethod> + Send + Sync + 'static,
    ) -> Self {
        Self { code, device, choose: Box::new(choose), can_reach_user: Box::new(|| true) }
    }

    /// Sets the function that returns whether the user can be reached at all. It is called before any request is sent. If it
    /// is not set, the user can be reached.
    #[must_use]
    pub fn reaching(mut self, can_reach_user: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.can_reach_user = Box::new(can_reach_user);
        self
    }
}

impl fmt::Debug for Interactive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interactive").field("code", &self.code).field("device", &self.device).finish_non_exhaustive()
    }
}

#[async_trait]
impl Grant for Interactive {
    fn grant_type(&self) -> &str {
        self.code.grant_type()
    }

    async fn obtain(&self, context: &GrantContext<'_>) -> Result<IssuedToken, RefreshError> {
        let has = |endpoint| context.server.has_endpoint(endpoint);
        let supported =
            LoginMethods { browser: has("authorization_endpoint"), device: has("device_authorization_endpoint") };
        match (self.choose)(supported).filter(|method| supported.contains(*method)) {
            Some(LoginMethod::Browser) => self.code.obtain(context).await,
            Some(LoginMethod::Device) => self.device.obtain(context).await,
            None => Err(RefreshError::login_required(&*context.settings.hint)
                .caused_by(format!("{} supports no login method that reaches the user", context.issuer()))),
        }
    }

    fn has_secret(&self) -> bool {
        false
    }

    fn needs_user(&self) -> bool {
        true
    }

    fn can_reach_user(&self) -> bool {
        (self.can_reach_user)()
    }

    fn timeout(&self) -> Duration {
        self.code.timeout().max(self.device.timeout())
    }
}
