//! What the error codes of authorization servers mean. To support a code of another server, extend the table.
//!
//! Case and punctuation do not matter: `bad_refresh_token` also matches `BAD_REFRESH_TOKEN` and `Bad refresh token`.

use Meaning::{InvalidGrant, InvalidRefreshToken, LoginRequired, Refused, Temporary};

/// What an error code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::oauth) enum Meaning {
    /// The grant is no longer valid, whichever request gets this code (RFC 6749 §5.2).
    InvalidGrant,
    /// The refresh token that was presented is no longer valid. In another request the code has no special meaning.
    InvalidRefreshToken,
    /// The user must act. The refresh token may still be valid.
    LoginRequired,
    /// The same request may succeed later.
    Temporary,
    /// A final refusal that no login changes: the client or its configuration is at fault.
    Refused,
}

/// The codes and their meanings. The comment names the specification or the vendors that use the code.
const CODES: &[(&str, Meaning)] = &[
    ("invalid_grant", InvalidGrant), // RFC 6749 §5.2
    // Invalid refresh tokens, in the codes of vendors.
    ("bad_refresh_token", InvalidRefreshToken),              // GitHub, HubSpot
    ("expired_refresh_token", InvalidRefreshToken),          // several
    ("expired_token", InvalidRefreshToken),                  // Weibo
    ("invalid_code", InvalidRefreshToken),                   // Zoho
    ("invalid_refresh_token", InvalidRefreshToken),          // Slack, Twitch, Firebase, PayPal
    ("invalid_token", InvalidRefreshToken),                  // Spring Security OAuth
    ("refresh_token_already_used", InvalidRefreshToken),     // Supabase
    ("refresh_token_expired", InvalidRefreshToken),          // several
    ("refresh_token_has_expired", InvalidRefreshToken),      // Cognito
    ("refresh_token_has_been_revoked", InvalidRefreshToken), // Cognito
    ("refresh_token_invalid", InvalidRefreshToken),          // several
    ("refresh_token_invalidated", InvalidRefreshToken),      // OpenAI
    ("refresh_token_is_invalid", InvalidRefreshToken),       // Atlassian, in the description of `unauthorized_client`
    ("refresh_token_not_found", InvalidRefreshToken),        // Supabase
    ("refresh_token_reused", InvalidRefreshToken),           // OpenAI
    ("refresh_token_revoked", InvalidRefreshToken),          // several
    ("session_expired", InvalidRefreshToken),                // Supabase
    ("session_not_found", InvalidRefreshToken),              // Supabase
    ("token_expired", InvalidRefreshToken),                  // Slack, Firebase
    ("token_revoked", InvalidRefreshToken),                  // Slack
    ("user_not_found", InvalidRefreshToken),                 // Firebase
    // The user must act.
    ("account_selection_required", LoginRequired), // OpenID Connect Core §3.1.2.6
    ("additional_action", LoginRequired),          // Microsoft Entra, as `suberror`
    ("basic_action", LoginRequired),               // Microsoft Entra, as `suberror`
    ("consent_required", LoginRequired),           // OpenID Connect Core §3.1.2.6
    ("insufficient_user_authentication", LoginRequired), // RFC 9470 §3
    ("interaction_required", LoginRequired),       // OpenID Connect Core §3.1.2.6
    ("invalid_rapt", LoginRequired),               // Google, as `error_subtype`
    ("login_required", LoginRequired),             // OpenID Connect Core §3.1.2.6
    ("mfa_enrollment_required", LoginRequired),    // several
    ("mfa_required", LoginRequired),               // Auth0
    ("password_change_required", LoginRequired),   // several
    ("password_expired", LoginRequired),           // several
    ("rapt_required", LoginRequired),              // Google, as `error_subtype`
    ("reauth_required", LoginRequired),            // several
    ("reauthentication_required", LoginRequired),  // several
    ("unmet_authentication_requirements", LoginRequired), // OpenID Connect, the document of that name
    ("user_authentication_required", LoginRequired), // several
    ("user_password_expired", LoginRequired),      // Microsoft Entra, as `suberror`
    // The request may succeed later.
    ("authorization_pending", Temporary),    // RFC 8628 §3.5
    ("internal_error", Temporary),           // Slack
    ("internal_failure", Temporary),         // Google
    ("internal_server_error", Temporary),    // several
    ("quota_exceeded", Temporary),           // Google
    ("rate_limit_exceeded", Temporary),      // Google
    ("rate_limited", Temporary),             // Slack: `ratelimited`
    ("resource_exhausted", Temporary),       // Google
    ("server_error", Temporary),             // RFC 6749 §4.1.2.1
    ("service_unavailable", Temporary),      // Slack
    ("slow_down", Temporary),                // RFC 8628 §3.5
    ("temporarily_unavailable", Temporary),  // RFC 6749 §4.1.2.1
    ("too_many_requests", Temporary),        // several
    ("user_rate_limit_exceeded", Temporary), // Google
    // The client or its configuration is at fault. A login does not help.
    ("bad_client_id", Refused),                // HubSpot, Slack
    ("bad_client_secret", Refused),            // HubSpot, Slack
    ("deleted_client", Refused),               // Google
    ("disabled_client", Refused),              // Google
    ("incorrect_client_credentials", Refused), // GitHub
    ("invalid_client", Refused),               // RFC 6749 §5.2
    ("invalid_client_id", Refused),            // Slack
    ("invalid_client_secret", Refused),        // several
    ("invalid_dpop_proof", Refused),           // RFC 9449 §5
    ("unauthorized_client", Refused),          // RFC 6749 §5.2
    ("use_dpop_nonce", Refused),               // RFC 9449 §8
];

/// Further codes that are never masked. A secret that equals one of them is not revealed by it.
const UNMASKED_CODES: &[&str] = &["access_denied"];

/// What the code means. `None` if it is not in the table.
pub(in crate::oauth) fn meaning(code: &str) -> Option<Meaning> {
    let mut found = CODES.iter().filter(|(word, _)| is_same(word, code));
    found.next().map(|(_, meaning)| *meaning)
}

/// The code for an invalid refresh token that a server writes as a sentence, such as `Bad refresh token`. A sentence
/// that does not contain `refresh` may be about another token.
pub(in crate::oauth) fn refresh_token_phrase(sentence: &str) -> Option<&'static str> {
    let phrases = CODES.iter().filter(|(word, meaning)| *meaning == InvalidRefreshToken && word.contains("refresh"));
    phrases.map(|(word, _)| *word).find(|word| is_same(word, sentence))
}

/// Whether the code is in the table and is printed unmasked.
pub(in crate::oauth) fn is_known(code: &str) -> bool {
    UNMASKED_CODES.contains(&code) || meaning(code).is_some()
}

/// Compares letters and digits only, ignoring case.
fn is_same(word: &str, other: &str) -> bool {
    let letters = |text: &str| {
        let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
        letters.map(|octet| octet.to_ascii_lowercase()).collect::<Vec<_>>()
    };
    // A long text is not a code, and is not copied.
    other.len() <= 2 * word.len() + 8 && letters(word) == letters(other)
}
