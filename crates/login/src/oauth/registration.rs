//! A client that a server gets to know at a login (RFC 7591).

use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Map, Value};

use super::client::{Identity, Proof};
use super::dialer::Dialer;
use super::form::Form;
use super::server::Server;
use reqwest_challenge::Secret;
use reqwest_challenge::support::is_transient_status;
use reqwest_challenge::{RefreshError, RefreshErrorKind};

/// What helps whom a server does not register.
const ADVICE: &str = "get a client identifier there, and say `Client::public`";

/// What a client says of itself when it registers (RFC 7591 §2).
#[derive(Clone, Debug)]
pub struct Registration(Vec<(String, Value)>);

impl Registration {
    /// Under that name, which the person sees when asked for consent.
    #[must_use]
    pub fn named(client_name: impl Into<String>) -> Self {
        Self(vec![("client_name".to_owned(), client_name.into().into())])
    }

    /// With one more member of text, such as `client_uri` or `software_id`.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push((name.into(), value.into().into()));
        self
    }

    /// Registers for a grant, with the redirect URI that it has. It is a public client, unless the server makes it another.
    pub(super) async fn register(
        &self,
        dialer: &Dialer<'_>,
        server: &Server,
        asked: (&str, Option<&str>),
    ) -> Result<Identity, RefreshError> {
        let (grant, redirect) = asked;
        let no = |why: &str| RefreshError::denied("registration").caused_by(why);
        if !server.endpoints.contains_key("registration_endpoint") {
            return Err(no(&format!("{} registers nobody: {ADVICE}", server.issuer)));
        }
        let url = server.endpoint(dialer, "registration_endpoint")?;
        let mut asked: Map<String, Value> = self.0.iter().cloned().collect();
        let grants = vec![Value::from(grant), "refresh_token".into()];
        asked.insert("grant_types".to_owned(), grants.into());
        asked.insert("token_endpoint_auth_method".to_owned(), "none".into());
        asked.insert("application_type".to_owned(), "native".into());
        let responses = if redirect.is_some() { vec![Value::from("code")] } else { Vec::new() };
        asked.insert("response_types".to_owned(), responses.into());
        asked.insert("redirect_uris".to_owned(), redirect.map(Value::from).into_iter().collect::<Vec<_>>().into());
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let reply = dialer.post(&url, headers, Value::Object(asked).to_string().into()).await?;
        if reply.is_error() {
            let error = reply.refusal("the registration endpoint", &Form::default());
            // A page that says no is a no, too: it is asked once a login, and whoever logs in wants to know.
            let is_no = !is_transient_status(reply.status) && !reply.status.is_redirection();
            return Err(match error.kind() {
                RefreshErrorKind::Transient { .. } if is_no => {
                    no(&format!("the registration endpoint says {}: {ADVICE}", reply.status.as_u16()))
                }
                _ => error,
            });
        }
        let mut members = reply.members().ok_or_else(|| match reply.is_cut() {
            true => RefreshError::transient(None).caused_by("the registration's answer is cut"),
            false => no("the registration's answer is no JSON object"),
        })?;
        let id = members.take("client_id").ok_or_else(|| no("the registration's answer has no `client_id`"))?;
        let secret = members.take("client_secret").map(Secret::new);
        let proof = match (members.text("token_endpoint_auth_method"), secret) {
            (Some("none"), _) | (_, None) => Proof::None,
            (Some("client_secret_post"), Some(secret)) => Proof::Post(secret),
            // RFC 7591 §2: this is what it is where nothing is said.
            (_, Some(secret)) => Proof::Basic(secret),
        };
        Ok(Identity { id, proof })
    }
}
