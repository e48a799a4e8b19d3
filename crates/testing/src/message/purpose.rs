//! The purpose of a request: the caller's own, a new credential, or another request that a credential needs.

use http::Method;

use super::answer::Answer;
use super::received_request::ReceivedRequest;

/// The purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A caller's own request to an API.
    Call,
    /// A request for a new credential: a token request (RFC 6749 §3.2).
    Token,
    /// Another request that a credential needs: metadata, keys, a registration, a page, a code, a revocation.
    Setup,
}

impl Purpose {
    /// The purpose of a request to an identity provider whose token endpoint is at `/token`.
    pub(crate) fn at_provider(request: &ReceivedRequest) -> Self {
        let is_token = request.method == Method::POST && request.path() == "/token";
        if is_token { Self::Token } else { Self::Setup }
    }

    /// The purpose of a request to a server that may be an API or an identity provider.
    pub(crate) fn at_any(request: &ReceivedRequest) -> Self {
        let posts = |name| request.method == Method::POST && request.is_form() && request.form(name).is_some();
        // Metadata are read without a credential (RFC 8414 §3, RFC 9728 §3).
        let is_metadata = request.path().contains("/.well-known/") && request.credential().is_none();
        if posts("grant_type") {
            Self::Token
        } else if is_metadata || posts("client_id") || posts("token_type_hint") {
            // The other requests are those of RFC 8628 §3.1 and RFC 7009 §2.1.
            Self::Setup
        } else {
            Self::Call
        }
    }
}

/// Whether the answer to a token request asks for the same request again. The two requests count as one refresh.
pub(super) fn asks_for_repetition(answer: &Answer) -> bool {
    const CODES: [&str; 3] = ["authorization_pending", "slow_down", "use_dpop_nonce"];
    let body = String::from_utf8_lossy(&answer.payload.bytes);
    let compact: String = body.chars().filter(|character| !character.is_whitespace()).collect();
    !answer.status.is_success() && CODES.iter().any(|code| compact.contains(&format!("\"error\":\"{code}\"")))
}
