//! A client that registers at the server (RFC 7591).

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value};

use super::identity::{Identity, Proof};
use crate::oauth::http::{Form, Sender, ServerResponse};
use crate::oauth::server::ServerMetadata;
use reqwest_challenge::support::is_transient_status;
use reqwest_challenge::{RefreshError, RefreshErrorKind, Secret};

/// What the user can do if the server does not register the client.
const ADVICE: &str = "get a client identifier there, and pass it to `Client::public`";

/// What a client says about itself when it registers (RFC 7591 §2).
///
/// ```
/// use reqwest_challenge_login::oauth::Registration;
///
/// let registration = Registration::named("a tool").with("client_uri", "https://tool.example");
/// ```
#[derive(Clone, Debug)]
pub struct Registration(Vec<(String, Value)>);

impl Registration {
    /// Registers under this name. The user sees it on the consent page.
    #[must_use]
    pub fn named(client_name: impl Into<String>) -> Self {
        Self(vec![("client_name".to_owned(), client_name.into().into())])
    }

    /// Adds a text member, such as `client_uri` or `software_id`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push((name.into(), value.into().into()));
        self
    }

    /// Registers for this grant type and redirect URI. The client is public, unless the server issues a secret.
    pub(in crate::oauth) async fn register(
        &self,
        sender: &Sender<'_>,
        server: &ServerMetadata,
        grant_type: &str,
        redirect_uri: Option<&str>,
    ) -> Result<Identity, RefreshError> {
        if !server.has_endpoint("registration_endpoint") {
            return Err(refused(format!("{} does not register clients: {ADVICE}", server.issuer)));
        }
        let url = server.endpoint(sender, "registration_endpoint")?;
        let body = self.document(grant_type, redirect_uri);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let response = sender.post(&url, headers, body.to_string().into()).await?;
        if response.is_error() { Err(error_of(&response)) } else { identity_of(&response) }
    }

    fn document(&self, grant_type: &str, redirect_uri: Option<&str>) -> Value {
        let mut members: Map<String, Value> = self.0.iter().cloned().collect();
        let grants = vec![Value::from(grant_type), "refresh_token".into()];
        members.insert("grant_types".to_owned(), grants.into());
        members.insert("token_endpoint_auth_method".to_owned(), "none".into());
        members.insert("application_type".to_owned(), "native".into());
        let response_types = if redirect_uri.is_some() { vec![Value::from("code")] } else { Vec::new() };
        members.insert("response_types".to_owned(), response_types.into());
        let redirect_uris: Vec<_> = redirect_uri.map(Value::from).into_iter().collect();
        members.insert("redirect_uris".to_owned(), redirect_uris.into());
        Value::Object(members)
    }
}

fn refused(why: impl Into<String>) -> RefreshError {
    RefreshError::denied("registration").caused_by(why.into())
}

fn error_of(response: &ServerResponse) -> RefreshError {
    let error = response.to_error("the registration endpoint", &Form::default());
    // An HTML page with a final status is a refusal too. It is reported, because a login registers only once.
    let is_final = !is_transient_status(response.status) && !response.status.is_redirection();
    match error.kind() {
        RefreshErrorKind::Transient { .. } if is_final => {
            refused(format!("the registration endpoint says {}: {ADVICE}", response.status.as_u16()))
        }
        _ => error,
    }
}

fn identity_of(response: &ServerResponse) -> Result<Identity, RefreshError> {
    let mut members = response.members().ok_or_else(|| {
        if response.is_cut() {
            RefreshError::transient(None).caused_by("the response of the registration endpoint was cut off")
        } else {
            refused("the response of the registration endpoint is not a JSON object")
        }
    })?;
    let no_id = || refused("the response of the registration endpoint has no `client_id`");
    let id = members.take("client_id").ok_or_else(no_id)?;
    let secret = members.take("client_secret").map(Secret::new);
    let proof = match (members.text("token_endpoint_auth_method"), secret) {
        (Some("none"), _) | (_, None) => Proof::None,
        (Some("client_secret_post"), Some(secret)) => Proof::Post(secret),
        // The default of RFC 7591 §2.
        (_, Some(secret)) => Proof::Basic(secret),
    };
    Ok(Identity { id, proof })
}
