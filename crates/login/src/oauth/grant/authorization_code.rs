//! A login in a browser of this machine (RFC 6749 §4.1, RFC 7636, RFC 8252).

use crate::util::abandoned;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use url::Url;

use super::Obtain;
use super::loopback::{Loopback, Pairs};
use crate::oauth::authorization_prompt::{AuthorizationPrompt, Show, demands};
use crate::oauth::client::Identity;
use crate::oauth::fault::is_code;
use crate::oauth::form::Form;
use crate::oauth::grant_context::{GrantContext, Granted};
use crate::oauth::reply::printed;
use crate::oauth::words::{Meaning, is_known, meaning};
use crate::oauth::{hashed, random};
use reqwest_challenge::BoxError;
use reqwest_challenge::RefreshError;

use crate::util::unless;
use reqwest_challenge::Secret;

/// How long a person has: a password, a second factor, a consent.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// A login in a browser of this machine, which comes back to a port of it (RFC 6749 §4.1 with RFC 7636 and RFC 8252).
pub struct AuthorizationCode {
    show: Show,
    path: String,
}

/// A request that was shown, and what its answer must fit.
struct Request {
    identity: Identity,
    redirect: String,
    state: Secret,
    verifier: Secret,
}

impl AuthorizationCode {
    /// With something that shows the page to a person: opens a browser, and prints its URL for the case that none opens.
    #[must_use]
    pub fn new(show: impl Fn(&AuthorizationPrompt) -> Result<(), BoxError> + Send + Sync + 'static) -> Self {
        Self { show: Arc::new(show), path: "/callback".to_owned() }
    }

    /// The path of the redirect URI, as it is registered: `/callback` unless it is told otherwise. The port is any that is free.
    #[must_use]
    pub fn redirect_path(mut self, path: impl AsRef<str>) -> Self {
        // As a browser writes it.
        let base = Url::parse("http://127.0.0.1/");
        self.path = base.map_or_else(
            |_| "/callback".to_owned(),
            |mut url| {
                url.set_path(path.as_ref());
                url.path().to_owned()
            },
        );
        self
    }

    /// The path for that server: where it does not name itself in its answers, and learns the URI from us, each has one of its
    /// own, so that another's answer does not fit (RFC 9700 §4.4).
    fn path(&self, grant: &GrantContext<'_>) -> String {
        if grant.is_told_apart() {
            self.path.clone()
        } else {
            format!("{}/{}", self.path.trim_end_matches('/'), &hashed(&grant.server.issuer)[..16])
        }
    }

    fn url(&self, grant: &GrantContext<'_>, request: &Request) -> Result<Url, RefreshError> {
        let text = grant.server.endpoints.get("authorization_endpoint");
        let text = text.ok_or_else(|| {
            RefreshError::denied("no_endpoint").caused_by("the authorization server has no `authorization_endpoint`")
        })?;
        let mut url = grant.server.page(&grant.dialer, "authorization_endpoint", text)?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(request.verifier.expose()));
        let mut query = url.query_pairs_mut();
        query.append_pair("response_type", "code").append_pair("client_id", &request.identity.id);
        query.append_pair("redirect_uri", &request.redirect).append_pair("state", request.state.expose());
        query.append_pair("code_challenge", &challenge).append_pair("code_challenge_method", "S256");
        if !grant.scopes.is_empty() {
            query.append_pair("scope", &grant.scopes.join(" "));
        }
        if let Some(resource) = grant.named_resource() {
            query.append_pair("resource", resource);
        }
        if let Some(dpop) = &grant.setup.dpop {
            query.append_pair("dpop_jkt", &dpop.thumbprint());
        }
        for (name, value) in demands(grant) {
            query.append_pair(name, &value);
        }
        for (name, value) in grant.parameters() {
            query.append_pair(&name, &value);
        }
        drop(query);
        Ok(url)
    }

    /// Shows the page, and waits for the browser to come back.
    async fn ask(&self, grant: &GrantContext<'_>, request: &Request, port: Loopback) -> Result<Pairs, RefreshError> {
        let clock = grant.clock();
        let invitation = AuthorizationPrompt {
            url: self.url(grant, request)?,
            complete: None,
            user_code: None,
            issuer: grant.server.issuer.clone(),
            api: grant.dialer.api.to_string(),
            expires_at: clock.now().checked_add(LONGEST),
        };
        (self.show)(&invitation).map_err(RefreshError::from)?;
        let answer = async { unless(pin!(clock.sleep(LONGEST)), pin!(port.answer(&request.state))).await };
        match unless(pin!(grant.refresh.abandoned()), pin!(answer)).await {
            Ok(Ok(pairs)) => Ok(pairs),
            Ok(Err(())) => Err(late()),
            Err(()) => Err(abandoned()),
        }
    }
}

fn late() -> RefreshError {
    // A no that is remembered for a while: whoever ignored one prompt is not shown another at once.
    RefreshError::denied("login_timed_out").caused_by("nobody came back from the login's page in time")
}

/// The code of an answer to the request, if the answer is the server's.
fn code(grant: &GrantContext<'_>, pairs: &Pairs) -> Result<Secret, RefreshError> {
    let one = |name: &str| {
        let mut found = pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value);
        (found.next(), found.next().is_some())
    };
    // RFC 9207 §2.4, before anything else of it counts.
    let said = match one("iss") {
        (Some(issuer), false) => issuer.expose() == grant.server.issuer,
        (None, _) => !grant.server.names_itself,
        _ => false,
    };
    if !said {
        return Err(RefreshError::denied("issuer_mismatch").caused_by("another server answered the login"));
    }
    if let Some(error) = one("error").0.filter(|error| !error.is_empty()) {
        let mut sent = Form::default();
        let ours = pairs.iter().filter(|(name, _)| matches!(&**name, "state" | "code"));
        ours.for_each(|(_, value)| sent.beside(value.clone()));
        let error = Some(error.expose()).filter(|code| is_code(code)).unwrap_or("invalid_request");
        let told = one("error_description").0.map(|text| printed(&sent.mask(text.expose().to_owned())));
        let told = told.unwrap_or_else(|| "the login came to nothing".to_owned());
        return Err(match meaning(error) {
            Some(Meaning::Passing) => RefreshError::transient(None).caused_by(told),
            _ if is_known(error) => RefreshError::denied(error).caused_by(told),
            _ => RefreshError::denied(sent.mask(error.to_owned())).caused_by(told),
        });
    }
    match one("code") {
        (Some(code), false) if !code.is_empty() => Ok(code.clone()),
        _ => Err(RefreshError::denied("invalid_request").caused_by("the login's answer has no `code`")),
    }
}

impl fmt::Debug for AuthorizationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationCode").field("path", &self.path).finish_non_exhaustive()
    }
}

#[async_trait]
impl Obtain for AuthorizationCode {
    fn name(&self) -> &'static str {
        "authorization_code"
    }

    async fn obtain(&self, grant: &GrantContext<'_>) -> Result<Granted, RefreshError> {
        let proves_codes = match &grant.server.challenge_methods {
            Some(methods) => methods.iter().any(|method| method == "S256"),
            // Whom the caller chose is believed to know its RFCs; whom a challenge named must say so.
            None => grant.pinned,
        };
        if !proves_codes {
            let line = format!("{} does not say that it checks codes by S256 (RFC 7636)", grant.server.issuer);
            return Err(RefreshError::denied("pkce").caused_by(line));
        }
        let port = Loopback::listen(&self.path(grant)).await.map_err(RefreshError::from)?;
        let redirect = port.uri().map_err(RefreshError::from)?;
        let identity = grant.identity(self.name(), Some(&redirect)).await?;
        // Whoever has one redirect URI for all servers could be handed another's code, and would take it to this one (RFC 9700 §4.4).
        if !grant.is_told_apart() && !grant.registers() {
            let line = format!(
                "{} does not name itself in its answers (RFC 9207), and is named by the API alone: say `Issuer::new` if it is the one \
                 that you know, or let the client register",
                grant.server.issuer
            );
            return Err(RefreshError::denied("mix_up").caused_by(line));
        }
        let request = Request { identity, redirect, state: Secret::new(random()?), verifier: Secret::new(random()?) };
        let pairs = self.ask(grant, &request, port).await?;
        let mut form = Form::of_grant(self.name());
        form.add_secret("code", code(grant, &pairs)?);
        form.add("redirect_uri", request.redirect.as_str());
        form.add_secret("code_verifier", request.verifier);
        grant.describe(&mut form);
        let answer = grant.token(&request.identity, form).await.map_err(RefreshError::of_login)?;
        Ok(Granted { answer, identity: request.identity })
    }

    fn needs_person(&self) -> bool {
        true
    }

    fn timeout(&self) -> Duration {
        // What a person may take, and the requests around that.
        LONGEST + Duration::from_secs(60)
    }
}
