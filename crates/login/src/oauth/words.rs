//! What the error codes of authorization servers mean. To support a code of another server, extend the table.
//!
//! Case and punctuation do not matter: `bad_refresh_token` also matches `BAD_REFRESH_TOKEN` and `Bad refresh token`.

use Meaning::{Ended, Grant, LoginRequired, Passing, Refused};

/// What an error code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The grant is no longer valid, in whatever request the server says so (RFC 6749 §5.2).
    Grant,
    /// The refresh token that was presented is no longer valid. In another request the code has no special meaning.
    Ended,
    /// The user must act. The refresh token may still be valid.
    LoginRequired,
    /// The same request may succeed later.
    Passing,
    /// A final refusal that no login changes: the client or its configuration is at fault.
    Refused,
}

/// A code, its meaning, and who uses it.
const WORDS: &[(&str, Meaning)] = &[
    ("invalid_grant", Grant), // RFC 6749 §5.2
    // Invalid refresh tokens, in the words of vendors.
    ("bad_refresh_token", Ended),              // GitHub, HubSpot
    ("expired_refresh_token", Ended),          // several
    ("expired_token", Ended),                  // Weibo
    ("invalid_code", Ended),                   // Zoho
    ("invalid_refresh_token", Ended),          // Slack, Twitch, Firebase, PayPal
    ("invalid_token", Ended),                  // Spring Security OAuth
    ("refresh_token_already_used", Ended),     // Supabase
    ("refresh_token_expired", Ended),          // several
    ("refresh_token_has_expired", Ended),      // Cognito
    ("refresh_token_has_been_revoked", Ended), // Cognito
    ("refresh_token_invalid", Ended),          // several
    ("refresh_token_invalidated", Ended),      // OpenAI
    ("refresh_token_is_invalid", Ended),       // Atlassian, in the description of `unauthorized_client`
    ("refresh_token_not_found", Ended),        // Supabase
    ("refresh_token_reused", Ended),           // OpenAI
    ("refresh_token_revoked", Ended),          // several
    ("session_expired", Ended),                // Supabase
    ("session_not_found", Ended),              // Supabase
    ("token_expired", Ended),                  // Slack, Firebase
    ("token_revoked", Ended),                  // Slack
    ("user_not_found", Ended),                 // Firebase
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
    ("authorization_pending", Passing),    // RFC 8628 §3.5
    ("internal_error", Passing),           // Slack
    ("internal_failure", Passing),         // Google
    ("internal_server_error", Passing),    // several
    ("quota_exceeded", Passing),           // Google
    ("rate_limit_exceeded", Passing),      // Google
    ("rate_limited", Passing),             // Slack: `ratelimited`
    ("resource_exhausted", Passing),       // Google
    ("server_error", Passing),             // RFC 6749 §4.1.2.1
    ("service_unavailable", Passing),      // Slack
    ("slow_down", Passing),                // RFC 8628 §3.5
    ("temporarily_unavailable", Passing),  // RFC 6749 §4.1.2.1
    ("too_many_requests", Passing),        // several
    ("user_rate_limit_exceeded", Passing), // Google
    // No login changes it.
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

/// Codes that are never masked. A secret that equals one of these words is not revealed by them.
const PLAIN: &[&str] = &["access_denied"];

/// What the code means. `None` if it is not in the table.
pub(super) fn meaning(code: &str) -> Option<Meaning> {
    let mut found = WORDS.iter().filter(|(word, _)| is_same(word, code));
    found.next().map(|(_, meaning)| *meaning)
}

/// The entry that a server's sentence matches, if the entry names the refresh token. A vaguer sentence may be about any
/// token.
pub(super) fn ending_of(sentence: &str) -> Option<&'static str> {
    let endings = WORDS.iter().filter(|(word, meaning)| *meaning == Ended && word.contains("refresh"));
    endings.map(|(word, _)| *word).find(|word| is_same(word, sentence))
}

/// Whether the code is in the table and is printed unmasked.
pub(super) fn is_known(code: &str) -> bool {
    PLAIN.contains(&code) || meaning(code).is_some()
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
