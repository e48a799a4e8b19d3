//! The answer to a Digest challenge (RFC 7616 §3.4).

use std::fmt::Write;

use url::Url;
use zeroize::Zeroizing;

use super::hash::Hash;
use super::nonces::Used;
use crate::origin::Origin;
use crate::secret::Secret;

/// What is protected, beside knowing the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quality {
    Auth,
    AuthInt,
    /// RFC 2069's mode: without a count and a nonce of the client.
    Legacy,
}

impl Quality {
    fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
            Self::Legacy => "",
        }
    }
}

/// One protection space, and who somebody is in it.
pub(super) struct Space {
    pub(super) hash: Hash,
    pub(super) sess: bool,
    pub(super) quality: Quality,
    pub(super) user: String,
    pub(super) realm: String,
    pub(super) origin: Option<Origin>,
    pub(super) userhash: bool,
    /// Where the space is; none means the whole server.
    pub(super) domain: Vec<Url>,
    /// The hash of user name, realm and password: as good as the password itself there.
    pub(super) base: Zeroizing<String>,
}

/// What is signed.
pub(super) struct Target<'t> {
    pub(super) method: &'t str,
    pub(super) uri: &'t str,
    /// The hash of the body, where it is protected.
    pub(super) body: Option<String>,
}

/// A1 without the nonces of `-sess`, hashed. The user name is the plain one, with `userhash` too (erratum 4897).
pub(super) fn base(hash: Hash, user: &str, realm: &str, password: &Secret) -> Zeroizing<String> {
    Zeroizing::new(hash.of(&[user.as_bytes(), realm.as_bytes(), password.expose().as_bytes()]))
}

impl Space {
    /// Whether the URL is in this space: its domain narrows it, and widens nothing, because nobody asks about other origins.
    pub(super) fn covers(&self, url: &Url) -> bool {
        let within = |root: &Url| root.origin() == url.origin() && url.path().starts_with(root.path());
        let whole_server = || self.origin.as_ref().is_none_or(|origin| origin.contains(url));
        if self.domain.is_empty() { whole_server() } else { self.domain.iter().any(within) }
    }

    fn key(&self, used: &Used) -> Zeroizing<String> {
        if !self.sess {
            return self.base.clone();
        }
        let (nonce, client) = &*used.first;
        Zeroizing::new(self.hash.of(&[self.base.as_bytes(), nonce.as_bytes(), client.as_bytes()]))
    }

    fn response(&self, used: &Used, second: &str) -> String {
        let key = self.key(used);
        if self.quality == Quality::Legacy {
            return self.hash.of(&[key.as_bytes(), used.nonce.as_bytes(), second.as_bytes()]);
        }
        let pieces = [&*key, &used.nonce, &used.count, &used.client, self.quality.name(), second];
        self.hash.of(&pieces.map(str::as_bytes))
    }

    /// The value of `Authorization`.
    pub(super) fn answer(&self, target: &Target<'_>, used: &Used) -> String {
        let second = match &target.body {
            Some(body) => self.hash.of(&[target.method, target.uri, body].map(str::as_bytes)),
            None => self.hash.of(&[target.method, target.uri].map(str::as_bytes)),
        };
        let mut text = String::with_capacity(512);
        text.push_str("Digest ");
        self.name(&mut text);
        let response = self.response(used, &second);
        for (name, value) in [("realm", &self.realm), ("nonce", &used.nonce)] {
            quoted(&mut text, name, value);
        }
        quoted(&mut text, "uri", target.uri);
        quoted(&mut text, "response", &response);
        if let Some(opaque) = &used.opaque {
            quoted(&mut text, "opaque", opaque);
        }
        text.push_str("algorithm=");
        text.push_str(self.hash.name(self.sess));
        if self.quality != Quality::Legacy {
            let pieces = [", qop=", self.quality.name(), ", nc=", &used.count, ", cnonce=\"", &used.client, "\""];
            pieces.iter().for_each(|piece| text.push_str(piece));
        }
        if self.userhash {
            text.push_str(", userhash=true");
        }
        text
    }

    /// What the server sends as `rspauth` if it knows the password; `None` where its body is part of that.
    pub(super) fn proof(&self, used: &Used) -> Option<String> {
        let second = || self.hash.of(&[b"", used.uri.as_bytes()]);
        (self.quality == Quality::Auth).then(|| self.response(used, &second()))
    }

    /// The user name: hashed, plain, or in the form for what is no ASCII (RFC 7616 §3.4).
    fn name(&self, text: &mut String) {
        if self.userhash {
            let hashed = self.hash.of(&[self.user.as_bytes(), self.realm.as_bytes()]);
            return quoted(text, "username", &hashed);
        }
        if self.user.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
            return quoted(text, "username", &self.user);
        }
        text.push_str("username*=UTF-8''");
        for octet in self.user.bytes() {
            // RFC 8187 §3.2.1: what stands for itself.
            let _ = match octet {
                b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                    write!(text, "{}", char::from(octet))
                }
                _ => write!(text, "%{octet:02X}"),
            };
        }
        text.push_str(", ");
    }
}

/// `name="value", ` with what must be escaped escaped.
fn quoted(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str("=\"");
    let mut rest = value;
    // Nearly always there is none to be escaped.
    while let Some(at) = rest.bytes().position(|octet| matches!(octet, b'"' | b'\\')) {
        text.push_str(&rest[..at]);
        text.push('\\');
        text.push_str(&rest[at..=at]);
        rest = &rest[at + 1..];
    }
    text.push_str(rest);
    text.push_str("\", ");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(nonce: &str, client: &str) -> Used {
        let (nonce, client) = (nonce.to_owned(), client.to_owned());
        Used {
            first: std::sync::Arc::new((nonce.clone(), client.clone())),
            nonce,
            client,
            count: "00000001".to_owned(),
            uri: String::new(),
            opaque: None,
        }
    }

    fn space(hash: Hash, user: &str, realm: &str, password: &str) -> Space {
        Space {
            hash,
            sess: false,
            quality: Quality::Auth,
            user: user.to_owned(),
            realm: realm.to_owned(),
            origin: None,
            userhash: false,
            domain: Vec::new(),
            base: base(hash, user, realm, &Secret::new(password)),
        }
    }

    #[test]
    fn the_examples_of_rfc_7616_section_3_9_1_hold() {
        let used = used("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
        let target = Target { method: "GET", uri: "/dir/index.html", body: None };
        for (hash, response) in [
            (Hash::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Hash::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let answer = space(hash, "Mufasa", "http-auth@example.org", "Circle of Life").answer(&target, &used);
            assert!(answer.contains(&format!("response=\"{response}\"")), "{answer}");
            assert!(answer.starts_with("Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "), "{answer}");
        }
    }

    #[test]
    fn the_example_of_section_3_9_2_holds_with_erratum_4897() {
        let mut space = space(Hash::Sha512_256, "J\u{e4}s\u{f8}n Doe", "api@example.org", "Secret, or not?");
        space.userhash = true;
        let used = used("5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v");
        let answer = space.answer(&Target { method: "GET", uri: "/doe.json", body: None }, &used);
        for wanted in [
            "username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\"",
            "response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\"",
            "userhash=true",
        ] {
            assert!(answer.contains(wanted), "{wanted} in {answer}");
        }
    }
}
