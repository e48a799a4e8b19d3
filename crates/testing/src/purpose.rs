//! The purpose of a request: the caller's own, a new credential, or something that a credential needs.

use http::Method;

use crate::answer::Answer;
use crate::arrived::Arrived;

/// The purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A caller's own request to an API.
    Call,
    /// A request for a new credential: a token request (RFC 6749 §3.2).
    Token,
    /// Another request that a credential needs: metadata, keys, a registration, a page, a code, a revocation.
    Aside,
}

impl Purpose {
    /// The purpose of a request to an identity provider whose token endpoint is at `/token`.
    pub(super) fn at_provider(arrived: &Arrived) -> Self {
        let is_token = arrived.method == Method::POST && arrived.path() == "/token";
        if is_token { Self::Token } else { Self::Aside }
    }

    /// The purpose of a request to a server that may have any role.
    pub(super) fn at_any(arrived: &Arrived) -> Self {
        let posts = |name| arrived.method == Method::POST && arrived.is_form() && arrived.form(name).is_some();
        // Metadata are read without a credential (RFC 8414 §3, RFC 9728 §3).
        let is_metadata = arrived.path().contains("/.well-known/") && arrived.credential().is_none();
        if posts("grant_type") {
            Self::Token
        } else if is_metadata || posts("client_id") || posts("token_type_hint") {
            // The other requests are those of RFC 8628 §3.1 and RFC 7009 §2.1.
            Self::Aside
        } else {
            Self::Call
        }
    }
}

/// Whether the response to a token request asks for the same request again. Both count as one refresh.
pub(super) fn is_asked_again(answer: &Answer) -> bool {
    const AGAIN: [&str; 3] = ["authorization_pending", "slow_down", "use_dpop_nonce"];
    let body = String::from_utf8_lossy(&answer.payload.bytes);
    let close: String = body.chars().filter(|character| !character.is_whitespace()).collect();
    !answer.status.is_success() && AGAIN.iter().any(|code| close.contains(&format!("\"error\":\"{code}\"")))
}
