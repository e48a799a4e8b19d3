//! A login on another device (RFC 8628).

use crate::util::abandoned;
use reqwest_challenge::support::find_error;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::Obtain;
use reqwest_challenge::BoxError;

use crate::oauth::answer::Answer;
use crate::oauth::authorization_prompt::{AuthorizationPrompt, Show, demands};
use crate::oauth::client::Identity;
use crate::oauth::form::Form;
use crate::oauth::grant_context::{GrantContext, Granted, TOKEN_ENDPOINT};
use reqwest_challenge::support::hides_text;
use reqwest_challenge::{RefreshError, RefreshErrorKind};

use crate::util::unless;
use reqwest_challenge::Secret;

/// How often is asked where the server does not say (RFC 8628 §3.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// What `slow_down` adds, for good (RFC 8628 §3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// However bad the network is, no longer than this between two, unless the server says so.
const SLOWEST: Duration = Duration::from_secs(60);
/// However eager the server is, no shorter than this.
const FASTEST: Duration = Duration::from_secs(1);
/// How long a person has, at most: so long servers let a code live.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// A login on another device, with a code to type there (RFC 8628): for a terminal without a browser.
pub struct DeviceCode {
    show: Show,
}

impl DeviceCode {
    /// With something that shows the page and the code to a person.
    #[must_use]
    pub fn new(show: impl Fn(&AuthorizationPrompt) -> Result<(), BoxError> + Send + Sync + 'static) -> Self {
        Self { show: Arc::new(show) }
    }

    async fn ask(&self, grant: &GrantContext<'_>, identity: &Identity) -> Result<Device, RefreshError> {
        let mut form = Form::default();
        form.add_scopes(&grant.scopes);
        grant.describe(&mut form);
        for (name, value) in demands(grant) {
            form.add(name, value);
        }
        let (reply, sent) = grant.ask("device_authorization_endpoint", identity, form).await?;
        if reply.is_error() {
            return Err(reply.refusal("the device authorization endpoint", &sent));
        }
        let odd = |why: &str| RefreshError::transient(None).caused_by(format!("the device authorization has no {why}"));
        let mut members = reply.members().ok_or_else(|| odd("JSON object"))?;
        let user_code = members.take("user_code").filter(|code| code.len() <= 64 && !code.contains(hides_text));
        // The second name is Google's, from a draft of the RFC.
        let either = |names: [&str; 2]| names.into_iter().find_map(|name| members.text(name));
        let verification = either(["verification_uri", "verification_url"]).ok_or_else(|| odd("`verification_uri`"))?;
        let complete = either(["verification_uri_complete", "verification_url_complete"]);
        let page = |name, text| grant.server.page(&grant.dialer, name, text);
        let url = page("verification_uri", verification)?;
        let (now, span) = (grant.clock().now(), members.seconds("expires_in").map(Duration::from_secs));
        let span = span.unwrap_or(LONGEST).min(LONGEST);
        Ok(Device {
            invitation: AuthorizationPrompt {
                url: url.clone(),
                complete: complete
                    .map(|text| page("verification_uri_complete", text))
                    .transpose()?
                    // It is the host of the page that a person looks at.
                    .filter(|complete| complete.host() == url.host()),
                user_code: Some(user_code.ok_or_else(|| odd("`user_code` that can be shown"))?),
                issuer: grant.server.issuer.clone(),
                api: grant.dialer.api.to_string(),
                expires_at: now.checked_add(span),
            },
            interval: members.seconds("interval").map_or(INTERVAL, Duration::from_secs).clamp(FASTEST, LONGEST),
            code: Secret::new(members.take("device_code").ok_or_else(|| odd("`device_code`"))?),
            end: now.checked_add(span).unwrap_or(now),
        })
    }
}

struct Device {
    invitation: AuthorizationPrompt,
    code: Secret,
    interval: Duration,
    end: SystemTime,
}

impl Device {
    /// What fails is asked less often, and never more often than was agreed.
    fn slow_down(&mut self, wanted: Option<Duration>) {
        let wanted = wanted.map_or((self.interval * 2).min(SLOWEST), |wanted| wanted.min(LONGEST));
        self.interval = wanted.max(self.interval);
    }

    /// Asks until the person has decided, time is up, or nobody waits.
    async fn wait(mut self, grant: &GrantContext<'_>, identity: &Identity) -> Result<Answer, RefreshError> {
        let clock = grant.clock();
        loop {
            let left = self.end.duration_since(clock.now()).unwrap_or_default();
            let tick = clock.sleep(self.interval.min(left));
            unless(pin!(grant.refresh.abandoned()), pin!(tick)).await.map_err(|()| abandoned())?;
            // Not sooner than was agreed, and not when it is too late.
            if self.interval > left {
                return Err(expired());
            }
            let mut form = Form::of_grant("urn:ietf:params:oauth:grant-type:device_code");
            form.add_secret("device_code", self.code.clone());
            grant.describe(&mut form);
            let (reply, sent) = match grant.ask("token_endpoint", identity, form).await {
                Ok(answered) => answered,
                // RFC 8628 §3.5: after a failed connection the client polls less often.
                Err(error) if may_pass(&error) => {
                    self.slow_down(None);
                    continue;
                }
                Err(error) => return Err(error),
            };
            // Some say so by 200, too.
            match reply.code().as_deref() {
                Some("authorization_pending") => continue,
                Some("slow_down") => {
                    // Some servers also name the interval.
                    let wanted = reply.members().and_then(|members| members.seconds("interval"));
                    let wanted = wanted.map(Duration::from_secs).unwrap_or_default();
                    self.interval = (self.interval + SLOWER).max(wanted).min(LONGEST);
                    continue;
                }
                // What a person has decided is no fault of the endpoint that tells of it.
                Some("access_denied" | "authorization_declined") => {
                    let told = reply.description(&sent).map_or_else(String::new, |told| format!(": {told}"));
                    let line = format!("the login was refused on the other device{told}");
                    return Err(RefreshError::denied("access_denied").caused_by(line));
                }
                Some("expired_token" | "code_expired") => return Err(expired()),
                _ => {}
            }
            let answer =
                if reply.is_error() { Err(reply.refusal(TOKEN_ENDPOINT, &sent)) } else { Answer::read(&reply, &sent) };
            match answer {
                // The page of a proxy or a captive portal is a temporary failure too.
                Err(error) => match error.kind() {
                    RefreshErrorKind::Transient { retry_after } => self.slow_down(*retry_after),
                    _ => return Err(error.of_login()),
                },
                granted => return granted,
            }
        }
    }
}

/// Whether the network failed, in the head or in the body of a response.
fn may_pass(error: &RefreshError) -> bool {
    let network = find_error::<reqwest::Error>(error);
    error.is_transient() || network.is_some_and(|error| !error.is_builder())
}

fn expired() -> RefreshError {
    RefreshError::denied("expired_token").caused_by("nobody typed the code in time")
}

impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceCode(_)")
    }
}

#[async_trait]
impl Obtain for DeviceCode {
    fn name(&self) -> &'static str {
        "urn:ietf:params:oauth:grant-type:device_code"
    }

    async fn obtain(&self, grant: &GrantContext<'_>) -> Result<Granted, RefreshError> {
        let identity = grant.identity(self.name(), None).await?;
        let device = self.ask(grant, &identity).await?;
        (self.show)(&device.invitation).map_err(RefreshError::from)?;
        let answer = device.wait(grant, &identity).await?;
        Ok(Granted { answer, identity })
    }

    fn needs_person(&self) -> bool {
        true
    }

    fn timeout(&self) -> Duration {
        // What a person may take, and the requests around that.
        LONGEST + Duration::from_secs(60)
    }
}
