//! Authenticates the client of a token or revocation request.

use super::state::{Inner, KnownClient, State};
use crate::message::ReceivedRequest;
use crate::protection::basic_pair;
#[cfg(feature = "dpop")]
use crate::protection::is_signed_client;

impl State {
    /// Whether the request authenticates the client that the provider requires. True if it requires none.
    pub(super) fn is_client_known(&self, inner: &Inner, request: &ReceivedRequest) -> bool {
        match &inner.client {
            None => true,
            Some(KnownClient::Secret { id, secret }) => has_secret(request, id, secret),
            #[cfg(feature = "dpop")]
            Some(KnownClient::Key { id, jwk }) => is_signed_client(request, id, jwk, &self.tokens),
        }
    }
}

/// Whether the request has the id and the secret of the client: by Basic with both parts form-encoded, or in the body
/// (RFC 6749 §2.3.1).
fn has_secret(request: &ReceivedRequest, id: &str, secret: &str) -> bool {
    let decode = |text: &str| {
        let pair = format!("x={text}");
        url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    let is_in_header = basic_pair(request).is_some_and(|pair| {
        pair.split_once(':').is_some_and(|(user, password)| {
            decode(user).as_deref() == Some(id) && decode(password).as_deref() == Some(secret)
        })
    });
    let in_body = (request.form("client_id"), request.form("client_secret"));
    is_in_header || in_body == (Some(id.to_owned()), Some(secret.to_owned()))
}
