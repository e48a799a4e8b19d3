//! Binds tokens to the key that a token request proves to have (RFC 9449 §5).

use super::failure::oauth_error;
use super::state::{Inner, State};
use crate::message::{Answer, ReceivedRequest};
use crate::protection::{Judgement, ProofTarget, proven_key};

impl State {
    /// The thumbprint of the key that a token request proves to have. `None` if the request has no proof. The error is the
    /// answer to an invalid proof.
    pub(super) fn key_of(&self, inner: &Inner, request: &ReceivedRequest) -> Result<Option<String>, Box<Answer>> {
        if !request.headers().contains_key("dpop") {
            return Ok(None);
        }
        let target = ProofTarget { token: None, nonce: inner.nonce.as_deref() };
        proven_key(request, &target, &self.tokens).map(Some).map_err(|judgement| {
            Box::new(match judgement {
                Judgement::NonceRequired(nonce) => oauth_error(400, "use_dpop_nonce").header("dpop-nonce", nonce),
                _ => oauth_error(400, "invalid_dpop_proof"),
            })
        })
    }

    /// Binds a token to the key. Returns the `token_type`.
    pub(super) fn bind(&self, token: &str, key: Option<String>) -> &'static str {
        let Some(key) = key else { return "Bearer" };
        self.tokens.bind(token, &key);
        "DPoP"
    }
}
