//! Words and URLs that are not codes, and words that add nothing to the status.

/// Values of code members that do not name an error.
pub(super) const NO_CODES: &[&str] = &[
    "about:blank",
    "error",
    "errors",
    "fail",
    "failed",
    "failure",
    "false",
    "fatal",
    "info",
    "none",
    "null",
    "ok",
    "true",
    "unknown",
    "warn",
    "warning",
];

/// Parts of URLs that say no more than the status: URLs of RFCs and of lists of all statuses.
pub(super) const NO_CODE_URLS: &[&str] = &["ietf.org/", "rfc-editor.org/", "//httpstatuses."];

/// Words that say no more than the status.
pub(super) const GENERIC_WORDS: &[&str] =
    &["code", "error", "errors", "forbidden", "http", "status", "unauthorized", "unauthorised"];

/// Parts of words that name a refusal. Other statuses and names do not contain them.
pub(super) const DENIALS: &[&str] = &["denied", "expired", "invalid", "not_allowed", "permission", "unauth"];
