//! Under what a credential is stored.

use std::fmt;

use reqwest_challenge::support::url_without_secrets;
use url::Url;

/// Under what a credential is stored: of whom it is, for which client, account and scopes. It has no secret in it: of a URL the
/// userinfo, the query and the fragment are left out, so that two which differ by a query alone want an account or an API beside it.
/// The parts are taken in the order in which they are said.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// Of that issuer, or of that API.
    #[must_use]
    pub fn new(issuer_or_origin: impl AsRef<str>) -> Self {
        Self(part(&bare(issuer_or_origin.as_ref())))
    }

    /// For that API, by its origin. A token is good for one, and another that asks under the same key gets it: a tool that can be told
    /// which API to ask has this in its key.
    #[must_use]
    pub fn api(self, origin: impl AsRef<str>) -> Self {
        self.and("api", &bare(origin.as_ref()))
    }

    /// For that client.
    #[must_use]
    pub fn client(self, id: impl AsRef<str>) -> Self {
        self.and("client", id.as_ref())
    }

    /// For that account.
    #[must_use]
    pub fn account(self, name: impl AsRef<str>) -> Self {
        self.and("account", name.as_ref())
    }

    /// For these scopes, in whatever order.
    #[must_use]
    pub fn scopes<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        let mut scopes: Vec<String> = scopes.into_iter().map(Into::into).collect();
        scopes.sort_unstable();
        scopes.dedup();
        self.and("scopes", &scopes.join(" "))
    }

    /// Where those wait for each other who ask a person for a login.
    pub(super) fn of_logins(&self) -> Self {
        self.clone().and("asks", "person")
    }

    fn and(mut self, name: &str, value: &str) -> Self {
        self.0 += &format!(" {name}={}", part(value));
        self
    }

    /// The key as text, which is another for each key.
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

/// With blanks and what cannot be seen written as `%XX`, so that no part reads as two.
fn part(text: &str) -> String {
    use std::fmt::Write;
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
fn bare(text: &str) -> String {
    let bare = Url::parse(text).ok().filter(Url::has_host).map(|url| url_without_secrets(&url).to_string());
    // What is no URL may have a password before its host, too.
    let text = text.rsplit('@').next().unwrap_or_default();
    bare.map_or_else(|| text.to_owned(), |url| url.trim_end_matches('/').to_owned())
}
