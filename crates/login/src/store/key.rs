//! The key under which a credential is stored.

use std::fmt::{self, Write};

use reqwest_challenge::support::url_without_secrets;
use url::Url;

/// The key under which a credential is stored: the issuer or the API, and what else tells one credential from another.
///
/// A key contains no secret. The user name, password, query and fragment of a URL are left out. If two URLs differ in the
/// query only, add an account or an API to the key. The order of the calls is part of the key.
///
/// ```
/// use reqwest_challenge_login::store::Key;
///
/// let key = Key::new("https://auth.example.com/").client("tool").account("alice smith");
/// assert_eq!(key.as_str(), "https://auth.example.com client=tool account=alice%20smith");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// The key of an issuer's credential, or of an API's credential if there is no issuer.
    #[must_use]
    pub fn new(issuer_or_origin: impl AsRef<str>) -> Self {
        Self(escaped(&without_secrets(issuer_or_origin.as_ref())))
    }

    /// Adds the origin of the API. A token is valid for one API, and each API that uses the same key receives the same token.
    /// If the user can choose the API, add it to the key.
    #[must_use]
    pub fn api(self, origin: impl AsRef<str>) -> Self {
        self.and("api", &without_secrets(origin.as_ref()))
    }

    /// Adds the client identifier (RFC 6749 §2.2).
    #[must_use]
    pub fn client(self, id: impl AsRef<str>) -> Self {
        self.and("client", id.as_ref())
    }

    /// Adds the name of the account.
    #[must_use]
    pub fn account(self, name: impl AsRef<str>) -> Self {
        self.and("account", name.as_ref())
    }

    /// Adds the scopes. Their order and repetitions make no difference.
    #[must_use]
    pub fn scopes<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        let mut scopes: Vec<String> = scopes.into_iter().map(Into::into).collect();
        scopes.sort_unstable();
        scopes.dedup();
        self.and("scopes", &scopes.join(" "))
    }

    /// The key of the lock that a process holds while it asks the user. Nothing is stored under it.
    pub(super) fn of_prompts(&self) -> Self {
        self.clone().and("lock", "prompt")
    }

    fn and(mut self, name: &str, value: &str) -> Self {
        self.0 += &format!(" {name}={}", escaped(value));
        self
    }

    /// The key as text. Different keys have different texts.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text with `%XX` for spaces, control characters and non-ASCII octets, so that no part of a key reads as two.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut text, octet| {
        match octet {
            b'!'..=b'~' if octet != b'%' => text.push(char::from(octet)),
            // Writing to a string does not fail.
            _ => drop(write!(text, "%{octet:02X}")),
        }
        text
    })
}

/// A URL without userinfo, query, fragment, and the slash at its end.
fn without_secrets(text: &str) -> String {
    let bare = Url::parse(text).ok().filter(Url::has_host).map(|url| url_without_secrets(&url).to_string());
    // Text that is not a URL may contain a password before its host, too.
    let text = text.rsplit('@').next().unwrap_or_default();
    bare.map_or_else(|| text.to_owned(), |url| url.trim_end_matches('/').to_owned())
}
