//! How the mock of an authorization server lets people in: its metadata, its pages, its device codes.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::answer::Answer;
use crate::arrived::Arrived;
use crate::endpoint::error;
use crate::provider::{Inner, MockIdentityProvider, State};

/// The page on which somebody types a code.
const TYPE_IT: &str = "<!doctype html><title>A code</title><form action=/device><label>The code that your program shows \
                       <input name=user_code autofocus></label> <button>Log in</button></form>";

/// Who is being let in.
#[derive(Default)]
pub(super) struct Logins {
    /// By their codes, which are good for once.
    codes: HashMap<String, Login>,
    devices: HashMap<String, Device>,
    count: usize,
    refuses: bool,
    interval: Option<Duration>,
}

struct Login {
    client: String,
    redirect: String,
    challenge: String,
    scopes: Option<Vec<String>>,
    /// The thumbprint of the key that may have the token (RFC 9449 §10).
    key: Option<String>,
}

struct Device {
    client: String,
    user_code: String,
    scopes: Option<Vec<String>>,
    decided: Option<bool>,
}

/// What a code is worth.
pub(super) enum Worth {
    /// Such scopes, or all of them.
    Scopes(Option<Vec<String>>),
    /// An error's code.
    Nothing(&'static str),
    /// It is none that was given out here, and is believed.
    Unknown,
}

impl MockIdentityProvider {
    /// Its issuer identifier, under which its metadata are (RFC 8414).
    #[must_use]
    pub fn issuer(&self) -> String {
        self.token_url().trim_end_matches("/token").to_owned()
    }

    /// Whether whoever opens its page for logins refuses. Everybody agrees at once, unless it is told otherwise.
    pub fn refuses_logins(&self, refuses: bool) {
        self.state.lock().logins.refuses = refuses;
    }

    /// The `interval` that it tells those who poll for a device code; none unless it is told.
    pub fn device_interval(&self, interval: Duration) {
        self.state.lock().logins.interval = Some(interval);
    }

    /// Somebody typed that code, and agrees or not. Returns whether there is such a code.
    #[must_use]
    pub fn decide(&self, user_code: &str, agrees: bool) -> bool {
        self.state.lock().logins.decide(user_code, agrees)
    }

    /// The codes that wait for somebody to type them.
    #[must_use]
    pub fn user_codes(&self) -> Vec<String> {
        let inner = self.state.lock();
        let open = inner.logins.devices.values().filter(|device| device.decided.is_none());
        open.map(|device| device.user_code.clone()).collect()
    }
}

impl Logins {
    fn decide(&mut self, user_code: &str, agrees: bool) -> bool {
        let found = self.devices.values_mut().find(|device| device.user_code == user_code);
        found.is_some_and(|device| {
            device.decided = Some(agrees);
            true
        })
    }

    /// What a token request's code is worth; it is worth that once.
    pub(super) fn worth(&mut self, arrived: &Arrived, grant_type: &str, key: Option<&str>) -> Worth {
        let client = arrived.form("client_id");
        let is_for = |wanted: &str| client.as_deref().is_none_or(|client| client == wanted);
        if grant_type == "authorization_code" {
            let code = arrived.form("code").unwrap_or_default();
            if !code.starts_with("mock-code-") {
                return Worth::Unknown;
            }
            let Some(login) = self.codes.remove(&code) else { return Worth::Nothing("invalid_grant") };
            let verifier = arrived.form("code_verifier").unwrap_or_default();
            let fits = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == login.challenge
                && arrived.form("redirect_uri") == Some(login.redirect)
                && is_for(&login.client)
                && login.key.is_none_or(|bound| key == Some(&*bound));
            return if fits { Worth::Scopes(login.scopes) } else { Worth::Nothing("invalid_grant") };
        }
        let code = arrived.form("device_code").unwrap_or_default();
        if !code.starts_with("mock-device-") {
            return Worth::Unknown;
        }
        match self.devices.get(&code) {
            Some(device) if !is_for(&device.client) => Worth::Nothing("invalid_grant"),
            Some(Device { decided: None, .. }) => Worth::Nothing("authorization_pending"),
            Some(Device { decided: Some(false), .. }) => Worth::Nothing("access_denied"),
            Some(_) => Worth::Scopes(self.devices.remove(&code).and_then(|device| device.scopes)),
            None => Worth::Nothing("expired_token"),
        }
    }
}

impl State {
    /// What is at those paths; `None` where nothing is.
    pub(super) fn login(&self, arrived: &Arrived) -> Option<Answer> {
        let base = arrived.url().origin().ascii_serialization();
        let mut inner = self.lock();
        Some(match (arrived.method(), arrived.path()) {
            (&Method::GET, "/.well-known/oauth-authorization-server") => metadata(&base),
            (&Method::POST, "/register") => {
                inner.logins.count += 1;
                let id = format!("mock-client-{}", inner.logins.count);
                Answer::new(201).json_body(json!({ "client_id": id, "token_endpoint_auth_method": "none" }))
            }
            (&Method::GET, "/authorize") => authorize(&mut inner.logins, arrived, &base),
            (&Method::POST, "/device_authorization") => device(&mut inner, arrived, &base),
            (&Method::GET, "/device") => {
                let code = arrived.url().query_pairs().find(|(name, _)| name == "user_code");
                let agrees = !inner.logins.refuses;
                match code {
                    None => Answer::ok(TYPE_IT).header("content-type", "text/html"),
                    Some((_, code)) if inner.logins.decide(&code, agrees) => Answer::ok("Thank you."),
                    Some(_) => Answer::new(404).body("There is no such code."),
                }
            }
            _ => return None,
        })
    }
}

fn metadata(base: &str) -> Answer {
    let at = |path: &str| format!("{base}{path}");
    Answer::json(json!({
        "issuer": base,
        "token_endpoint": at("/token"),
        "authorization_endpoint": at("/authorize"),
        "device_authorization_endpoint": at("/device_authorization"),
        "revocation_endpoint": at("/revoke"),
        "registration_endpoint": at("/register"),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": true,
    }))
}

fn scopes(text: Option<String>) -> Option<Vec<String>> {
    text.map(|scope| scope.split(' ').map(str::to_owned).collect())
}

/// An authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3), to which somebody agrees at once.
fn authorize(logins: &mut Logins, arrived: &Arrived, base: &str) -> Answer {
    let query: HashMap<String, String> = arrived.url().query_pairs().into_owned().collect();
    let get = |name: &str| query.get(name).cloned();
    // Whose redirect URI is not right is not sent anywhere (RFC 6749 §3.1.2.4).
    let (Some(client), Some(redirect)) = (get("client_id"), get("redirect_uri")) else { return Answer::new(400) };
    let Ok(mut target) = url::Url::parse(&redirect) else { return Answer::new(400) };
    let is_right = get("response_type").as_deref() == Some("code")
        && get("code_challenge_method").as_deref() == Some("S256")
        && get("code_challenge").is_some_and(|challenge| challenge.len() == 43);
    {
        let mut answer = target.query_pairs_mut();
        if !is_right {
            answer.append_pair("error", "invalid_request");
        } else if logins.refuses {
            answer.append_pair("error", "access_denied");
        } else {
            logins.count += 1;
            let code = format!("mock-code-{:06}", logins.count);
            answer.append_pair("code", &code);
            let challenge = get("code_challenge").unwrap_or_default();
            let (scopes, key) = (scopes(get("scope")), get("dpop_jkt"));
            logins.codes.insert(code, Login { client, redirect, challenge, scopes, key });
        }
        if let Some(state) = get("state") {
            answer.append_pair("state", &state);
        }
        answer.append_pair("iss", base);
    }
    Answer::redirect(target.as_str())
}

/// A device authorization request (RFC 8628 §3.1).
fn device(inner: &mut Inner, arrived: &Arrived, base: &str) -> Answer {
    let Some(client) = arrived.form("client_id") else { return error(400, "invalid_request") };
    let logins = &mut inner.logins;
    logins.count += 1;
    let (code, user_code) = (format!("mock-device-{:06}", logins.count), format!("MOCK-{:04}", logins.count));
    let mut answer = json!({
        "device_code": code,
        "user_code": user_code,
        "verification_uri": format!("{base}/device"),
        "verification_uri_complete": format!("{base}/device?user_code={user_code}"),
        "expires_in": 600,
    });
    if let Some(interval) = logins.interval {
        answer["interval"] = interval.as_secs().into();
    }
    let device = Device { client, user_code, scopes: scopes(arrived.form("scope")), decided: None };
    logins.devices.insert(code, device);
    Answer::json(answer)
}
