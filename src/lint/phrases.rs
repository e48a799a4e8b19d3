//! The meaning of texts in error bodies: phrases that servers write, and words that change their meaning.

/// A meaning, and the phrases that express it.
pub(super) struct Meaning {
    /// The phrases that have the meaning, in lower case.
    phrases: &'static [&'static str],
    /// Words in lower case. If the same sentence has one of them, the phrase means something else.
    exceptions: &'static [&'static str],
}

/// A token is expired.
pub(super) const EXPIRED: Meaning = Meaning {
    phrases: &[
        "token expired",
        "token has expired",
        "expired token",
        "token is expired",
        "jwt expired",
        "jwt is expired",
        "token included in the request is expired",
    ],
    // The first words name tokens that are not credentials. The last words begin advice to the user.
    exceptions: &[
        "csrf",
        "xsrf",
        "forgery",
        "licen",
        "invit",
        "reset",
        "verification",
        "confirmation",
        "activation",
        "upload",
        "download",
        "share",
        "captcha",
        "form token",
        "page token",
        "trial",
        "if your",
        "if the",
        "make sure",
        "check that",
    ],
};

/// The client sent too many requests.
pub(super) const TOO_MANY: Meaning = Meaning {
    phrases: &[
        "rate limit exceeded",
        "rate limited",
        "rate limit has been",
        "exceeded the rate limit",
        "too many requests",
    ],
    exceptions: &[],
};

/// The request is malformed.
pub(super) const MALFORMED: Meaning = Meaning {
    phrases: &["missing parameter", "missing required", "malformed request", "is malformed json"],
    // A missing or malformed credential or permission does not make the request malformed.
    exceptions: &[
        "auth",
        "credential",
        "token",
        "bearer",
        "jwt",
        "scope",
        "permission",
        "privilege",
        "role",
        "claim",
        "grant",
        "access",
        "api key",
        "api-key",
        "api_key",
        "apikey",
        "subscription",
        "secret",
        "signature",
        "login",
        "log in",
        "sign in",
        "session",
        "cookie",
        "password",
        "certificate",
        "entitlement",
        "licen",
        "consent",
        "capabilit",
        "csrf",
        "xsrf",
        "forgery",
        "group",
        "member",
        "policy",
        "approval",
        "mfa",
        "factor",
        "admin",
        "owner",
    ],
};

/// The credential does not allow the request.
pub(super) const DENIED: Meaning = Meaning {
    phrases: &["permission", "not authorized", "not allowed", "access denied", "do not have access"],
    exceptions: &[],
};

impl Meaning {
    /// Whether a sentence of the text has the meaning. The text must be in lower case.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let sentences = text.split(['.', '!', '?', ';', '"', '<', '>', '\n', '\r']);
        sentences.into_iter().any(|sentence| {
            self.phrases.iter().any(|phrase| sentence.contains(phrase))
                && !self.exceptions.iter().any(|word| sentence.contains(word))
        })
    }
}

/// Codes of a refused credential that servers send as the `error` of a JSON body with a success status.
const REFUSAL_CODES: [&str; 10] = [
    "invalid_token",
    "unauthorized",
    "forbidden",
    "insufficient_scope",
    "access_denied",
    "invalid_grant",
    // Slack sends these.
    "token_expired",
    "token_revoked",
    "invalid_auth",
    "not_authed",
];

/// Whether the `error` of a JSON object is such a code. Nested objects do not count.
pub(super) fn is_refusal(json: &str) -> bool {
    let (mut depth, mut is_quoted, mut is_escaped) = (0_usize, false, false);
    for (at, octet) in json.bytes().enumerate() {
        match octet {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => {
                is_quoted = !is_quoted;
                if is_quoted && depth == 1 && json.get(at..).is_some_and(has_error) {
                    return true;
                }
            }
            b'{' | b'[' if !is_quoted => depth += 1,
            b'}' | b']' if !is_quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Whether the text begins with `"error":` and such a code.
fn has_error(member: &str) -> bool {
    let value = member.strip_prefix("\"error\"").and_then(|rest| rest.trim_start().strip_prefix(':'));
    let value = value.and_then(|rest| rest.trim_start().strip_prefix('"'));
    value.is_some_and(|value| {
        REFUSAL_CODES.iter().any(|code| value.strip_prefix(code).is_some_and(|rest| rest.starts_with('"')))
    })
}
