//! What servers write, and what it means: phrases, and the words that change their meaning.

/// A meaning that a text can have.
pub(super) struct Meaning {
    /// In lower case. Each phrase has the meaning.
    phrases: &'static [&'static str],
    /// In lower case. If one of these words is in the same sentence, the phrase means something else.
    but: &'static [&'static str],
}

/// A token is too old.
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
    // Such tokens are no credentials, and such sentences are advice.
    but: &[
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
    but: &[],
};

/// The request is malformed.
pub(super) const MALFORMED: Meaning = Meaning {
    phrases: &["missing parameter", "missing required", "malformed request", "is malformed json"],
    // A missing or malformed credential or permission does not make the request malformed.
    but: &[
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
    but: &[],
};

impl Meaning {
    /// Whether a text has the meaning. The text is in lower case.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let sentences = text.split(['.', '!', '?', ';', '"', '<', '>', '\n', '\r']);
        sentences.into_iter().any(|sentence| {
            self.phrases.iter().any(|phrase| sentence.contains(phrase))
                && !self.but.iter().any(|word| sentence.contains(word))
        })
    }
}

/// Codes of a refused credential, as the `error` of a JSON body with a success status.
const ERRORS: [&str; 10] = [
    "invalid_token",
    "unauthorized",
    "forbidden",
    "insufficient_scope",
    "access_denied",
    "invalid_grant",
    // From Slack.
    "token_expired",
    "token_revoked",
    "invalid_auth",
    "not_authed",
];

/// Whether a JSON object has such a code as its own `error`, and not in a nested object.
pub(super) fn is_refusal(json: &str) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, octet) in json.bytes().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => {
                quoted = !quoted;
                if quoted && depth == 1 && json.get(at..).is_some_and(has_error) {
                    return true;
                }
            }
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Whether the text begins with `"error": "…"` and such a code.
fn has_error(member: &str) -> bool {
    let value = member.strip_prefix("\"error\"").and_then(|rest| rest.trim_start().strip_prefix(':'));
    let value = value.and_then(|rest| rest.trim_start().strip_prefix('"'));
    value.is_some_and(|value| {
        ERRORS.iter().any(|code| value.strip_prefix(code).is_some_and(|rest| rest.starts_with('"')))
    })
}
