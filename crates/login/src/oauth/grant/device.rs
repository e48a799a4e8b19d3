//! A login on another device (RFC 8628).

use std::fmt;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::grant::Grant;
use super::grant_context::{GrantContext, read_token};
use super::issued_token::IssuedToken;
use super::prompt::{AuthorizationPrompt, Show};
use crate::oauth::client::Identity;
use crate::oauth::http::{Form, ServerResponse};
use crate::oauth::token::TokenResponse;
use crate::secret_json::SecretJson;
use crate::util::{abandoned, unless};
use reqwest_challenge::support::{find_error, hides_text};
use reqwest_challenge::{BoxError, RefreshError, RefreshErrorKind, Secret};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The time between two polls if the server does not name it (RFC 8628 §3.2).
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
/// What `slow_down` adds to the interval for all further polls (RFC 8628 §3.5).
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// The longest interval after failures, unless the server names a longer one.
const MAX_FAILURE_INTERVAL: Duration = Duration::from_secs(60);
/// The shortest interval.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// The longest lifetime of a code, and so the longest login.
const MAX_LOGIN: Duration = Duration::from_secs(15 * 60);
/// How long the requests before and after the login may take.
const REQUESTS: Duration = Duration::from_secs(60);
/// The longest code that a user can type, in bytes.
const MAX_USER_CODE: usize = 64;

/// A login on another device, with a code to type there (RFC 8628). It suits a terminal without a browser.
///
/// ```
/// use reqwest_challenge_login::oauth::{Client, DeviceCode, Issuer, OAuth};
///
/// let device = DeviceCode::new(|prompt| {
///     Ok(eprintln!("open {} and type {}", prompt.url(), prompt.user_code().unwrap_or_default()))
/// });
/// let login = OAuth::new(Issuer::new("https://auth.example.com")?, Client::public("tool"), device)?;
/// # Ok::<(), reqwest_challenge_login::oauth::SetupError>(())
/// ```
#[derive(Clone)]
pub struct DeviceCode {
    show: Show,
}

/// A device authorization response (RFC 8628 §3.2).
struct DeviceAuthorization {
    prompt: AuthorizationPrompt,
    device_code: Secret,
    interval: Duration,
    end: SystemTime,
}

impl DeviceCode {
    /// `show` shows the page and the code to the user.
    #[must_use]
    pub fn new(show: impl Fn(&AuthorizationPrompt) -> Result<(), BoxError> + Send + Sync + 'static) -> Self {
        Self { show: Arc::new(show) }
    }

    /// Requests a device code (RFC 8628 §3.1).
    async fn authorize(context: &GrantContext<'_>, identity: &Identity) -> Result<DeviceAuthorization, RefreshError> {
        let mut form = Form::default();
        form.add_scopes(&context.scopes);
        context.add_common_parameters(&mut form);
        for (name, value) in context.authentication_parameters() {
            form.add(name, value);
        }
        let (response, sent) = context.post("device_authorization_endpoint", identity, form).await?;
        if response.is_error() {
            return Err(response.to_error("the device authorization endpoint", &sent));
        }
        let members = response.members().ok_or_else(|| missing("JSON object"))?;
        DeviceAuthorization::read(context, members)
    }
}

/// The error for an unusable device authorization response. The response may be the page of a proxy, so the error is
/// temporary.
fn missing(what: &str) -> RefreshError {
    RefreshError::transient(None).caused_by(format!("the device authorization response has no {what}"))
}

impl DeviceAuthorization {
    fn read(context: &GrantContext<'_>, mut members: SecretJson) -> Result<Self, RefreshError> {
        let is_shown = |code: &String| code.len() <= MAX_USER_CODE && !code.contains(hides_text);
        let user_code = members.take("user_code").filter(is_shown);
        // The second name is Google's, from a draft of the RFC.
        let either = |names: [&str; 2]| names.into_iter().find_map(|name| members.text(name));
        let page = |name, text| context.server.page(&context.sender, name, text);
        let uri = either(["verification_uri", "verification_url"]).ok_or_else(|| missing("`verification_uri`"))?;
        let complete = either(["verification_uri_complete", "verification_url_complete"]);
        let url = page("verification_uri", uri)?;
        let complete = complete.map(|text| page("verification_uri_complete", text)).transpose()?;
        let now = context.now();
        let lifetime = members.seconds("expires_in").map_or(MAX_LOGIN, Duration::from_secs).min(MAX_LOGIN);
        let interval = members.seconds("interval").map_or(DEFAULT_INTERVAL, Duration::from_secs);
        Ok(Self {
            prompt: AuthorizationPrompt {
                // The user checks the host of one page only, so the complete URL must have the same host.
                complete: complete.filter(|complete| complete.host() == url.host()),
                url,
                user_code: Some(user_code.ok_or_else(|| missing("`user_code` that can be shown"))?),
                issuer: context.issuer().to_owned(),
                api: context.sender.api.to_string(),
                expires_at: now.checked_add(lifetime),
            },
            device_code: Secret::new(members.take("device_code").ok_or_else(|| missing("`device_code`"))?),
            interval: interval.clamp(MIN_INTERVAL, MAX_LOGIN),
            end: now.checked_add(lifetime).unwrap_or(now),
        })
    }

    /// Polls until the user has decided, the code has expired, or no caller waits any more.
    async fn wait(mut self, context: &GrantContext<'_>, identity: &Identity) -> Result<TokenResponse, RefreshError> {
        let clock = context.refresh_context.clock();
        loop {
            let left = self.end.duration_since(clock.now()).unwrap_or_default();
            let pause = clock.sleep(self.interval.min(left));
            unless(pin!(context.refresh_context.abandoned()), pin!(pause)).await.map_err(|()| abandoned())?;
            // The client does not poll before the interval has passed, and does not poll after the code has expired.
            if self.interval > left {
                return Err(expired());
            }
            let mut form = Form::for_grant(GRANT_TYPE);
            form.add_secret("device_code", self.device_code.clone());
            context.add_common_parameters(&mut form);
            match context.post("token_endpoint", identity, form).await {
                Ok((response, sent)) => {
                    if let ControlFlow::Break(outcome) = self.read_poll(&response, &sent) {
                        return outcome;
                    }
                }
                // After a failed connection, the client polls less often (RFC 8628 §3.5).
                Err(error) if is_temporary(&error) => self.poll_less_often(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads the response to a poll (RFC 8628 §3.5). Returns `Continue` if the client must poll again.
    fn read_poll(
        &mut self,
        response: &ServerResponse,
        sent: &Form,
    ) -> ControlFlow<Result<TokenResponse, RefreshError>> {
        // Some servers send these codes with status 200.
        match response.error_code().as_deref() {
            Some("authorization_pending") => return ControlFlow::Continue(()),
            Some("slow_down") => {
                // Some servers also name the new interval.
                let named = response.members().and_then(|members| members.seconds("interval"));
                let named = named.map(Duration::from_secs).unwrap_or_default();
                self.interval = (self.interval + SLOW_DOWN).max(named).min(MAX_LOGIN);
                return ControlFlow::Continue(());
            }
            // The user decided, so the error text does not name the token endpoint, which is not at fault.
            Some("access_denied" | "authorization_declined") => {
                let text = response.error_text(sent).map_or_else(String::new, |text| format!(": {text}"));
                let line = format!("the login was refused on the other device{text}");
                return ControlFlow::Break(Err(RefreshError::denied("access_denied").caused_by(line)));
            }
            Some("expired_token" | "code_expired") => return ControlFlow::Break(Err(expired())),
            _ => {}
        }
        let error = match read_token(response, sent) {
            Ok(token) => return ControlFlow::Break(Ok(token)),
            Err(error) => error,
        };
        // The page of a proxy or of a captive portal is a temporary failure too.
        if let RefreshErrorKind::Transient { retry_after } = error.kind() {
            self.poll_less_often(*retry_after);
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(Err(error.of_login()))
    }

    /// Polls less often after a failure, and never more often than before.
    fn poll_less_often(&mut self, named: Option<Duration>) {
        let interval = named.map_or((self.interval * 2).min(MAX_FAILURE_INTERVAL), |named| named.min(MAX_LOGIN));
        self.interval = interval.max(self.interval);
    }
}

/// Whether the network failed, in the head or in the body of a response.
fn is_temporary(error: &RefreshError) -> bool {
    let network = find_error::<reqwest::Error>(error);
    error.is_transient() || network.is_some_and(|error| !error.is_builder())
}

fn expired() -> RefreshError {
    RefreshError::denied("expired_token").caused_by("the code was not typed in time")
}

impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceCode(_)")
    }
}

#[async_trait]
impl Grant for DeviceCode {
    fn grant_type(&self) -> &str {
        GRANT_TYPE
    }

    async fn obtain(&self, context: &GrantContext<'_>) -> Result<IssuedToken, RefreshError> {
        let identity = context.identity(self.grant_type(), None).await?;
        let authorization = Self::authorize(context, &identity).await?;
        (self.show)(&authorization.prompt).map_err(RefreshError::from)?;
        let response = authorization.wait(context, &identity).await?;
        Ok(IssuedToken { response, identity })
    }

    fn has_secret(&self) -> bool {
        false
    }

    fn needs_user(&self) -> bool {
        true
    }

    fn timeout(&self) -> Duration {
        MAX_LOGIN + REQUESTS
    }
}
