//! The metadata, the registration and the pages of a login.

use std::collections::HashMap;

use http::Method;
use serde_json::json;
use url::Url;

use super::failure::oauth_error;
use super::logins::{Authorization, Device, Logins};
use super::state::State;
use crate::message::{Answer, ReceivedRequest};

/// The page on which the user types the code of a device login.
const CODE_PAGE: &str = "<!doctype html><title>A code</title><form action=/device><label>The code that your program shows \
                         <input name=user_code autofocus></label> <button>Log in</button></form>";

impl State {
    /// The answer at the paths of a login. `None` at any other path.
    pub(super) fn login_page(&self, request: &ReceivedRequest) -> Option<Answer> {
        let issuer = request.url().origin().ascii_serialization();
        let logins = &mut self.lock().logins;
        Some(match (request.method(), request.path()) {
            (&Method::GET, "/.well-known/oauth-authorization-server") => metadata(&issuer),
            (&Method::POST, "/register") => register(logins),
            (&Method::GET, "/authorize") => authorize(logins, request, &issuer),
            (&Method::POST, "/device_authorization") => begin_device_login(logins, request, &issuer),
            (&Method::GET, "/device") => device_page(logins, request),
            _ => return None,
        })
    }
}

/// The metadata of the provider (RFC 8414).
fn metadata(issuer: &str) -> Answer {
    let at = |path: &str| format!("{issuer}{path}");
    Answer::json(json!({
        "issuer": issuer,
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

/// The answer to a registration (RFC 7591 §3.2.1).
fn register(logins: &mut Logins) -> Answer {
    logins.count += 1;
    let id = format!("mock-client-{}", logins.count);
    Answer::new(201).json_body(json!({ "client_id": id, "token_endpoint_auth_method": "none" }))
}

/// The answer to an authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3). The user decides at once.
fn authorize(logins: &mut Logins, request: &ReceivedRequest, issuer: &str) -> Answer {
    let query: HashMap<String, String> = request.url().query_pairs().into_owned().collect();
    let get = |name: &str| query.get(name).cloned();
    // A request without a valid redirect URI is not redirected (RFC 6749 §3.1.2.4).
    let (Some(client), Some(redirect_uri)) = (get("client_id"), get("redirect_uri")) else { return Answer::new(400) };
    let Ok(mut target) = Url::parse(&redirect_uri) else { return Answer::new(400) };
    let is_valid = get("response_type").as_deref() == Some("code")
        && get("code_challenge_method").as_deref() == Some("S256")
        && get("code_challenge").is_some_and(|challenge| challenge.len() == 43);
    {
        let mut answer = target.query_pairs_mut();
        if !is_valid {
            answer.append_pair("error", "invalid_request");
        } else if logins.refuses {
            answer.append_pair("error", "access_denied");
        } else {
            logins.count += 1;
            let code = format!("mock-code-{:06}", logins.count);
            answer.append_pair("code", &code);
            let code_challenge = get("code_challenge").unwrap_or_default();
            let (scopes, key) = (split_scopes(get("scope")), get("dpop_jkt"));
            let login = Authorization { client, redirect_uri, code_challenge, scopes, key };
            logins.authorizations.insert(code, login);
        }
        if let Some(state) = get("state") {
            answer.append_pair("state", &state);
        }
        answer.append_pair("iss", issuer);
    }
    Answer::redirect(target.as_str())
}

/// The answer to a device authorization request (RFC 8628 §3.1).
fn begin_device_login(logins: &mut Logins, request: &ReceivedRequest, issuer: &str) -> Answer {
    let Some(client) = request.form("client_id") else { return oauth_error(400, "invalid_request") };
    logins.count += 1;
    let (code, user_code) = (format!("mock-device-{:06}", logins.count), format!("MOCK-{:04}", logins.count));
    let mut answer = json!({
        "device_code": code,
        "user_code": user_code,
        "verification_uri": format!("{issuer}/device"),
        "verification_uri_complete": format!("{issuer}/device?user_code={user_code}"),
        "expires_in": 600,
    });
    if let Some(interval) = logins.interval {
        answer["interval"] = interval.as_secs().into();
    }
    let device = Device { client, user_code, scopes: split_scopes(request.form("scope")), is_confirmed: None };
    logins.devices.insert(code, device);
    Answer::json(answer)
}

/// The page on which the user confirms a device login.
fn device_page(logins: &mut Logins, request: &ReceivedRequest) -> Answer {
    let confirms = !logins.refuses;
    match request.url().query_pairs().find(|(name, _)| name == "user_code") {
        None => Answer::ok(CODE_PAGE).header("content-type", "text/html"),
        Some((_, code)) if logins.decide(&code, confirms) => Answer::ok("Thank you."),
        Some(_) => Answer::new(404).body("There is no such code."),
    }
}

fn split_scopes(text: Option<String>) -> Option<Vec<String>> {
    text.map(|scope| scope.split(' ').map(str::to_owned).collect())
}
