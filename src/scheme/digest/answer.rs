//! The answer to a Digest challenge (RFC 7616 §3.4).

use std::io::Write;

use url::Url;
use zeroize::Zeroizing;

use super::hash::Hash;
use super::nonces::NonceUse;
use crate::credential::Secret;
use crate::origin::Origin;

/// The quality of protection (`qop`, RFC 7616 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Qop {
    Auth,
    AuthInt,
    /// The mode of RFC 2069: no `qop`, no count and no nonce of the client.
    None,
}

impl Qop {
    fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::AuthInt => "auth-int",
            Self::None => "",
        }
    }
}

/// A protection space, and the user in it.
pub(super) struct ProtectionSpace {
    pub(super) hash: Hash,
    /// Whether the algorithm is a `-sess` variant.
    pub(super) is_sess: bool,
    pub(super) qop: Qop,
    pub(super) user: String,
    /// The octets that the server sent, in any encoding.
    pub(super) realm: Vec<u8>,
    pub(super) origin: Option<Origin>,
    /// Whether the user name is sent as a hash.
    pub(super) has_userhash: bool,
    /// The roots of the space. If there are none, the space is the whole origin.
    pub(super) domain: Vec<Url>,
    /// The hash of user name, realm and password. In this realm it can replace the password, so it is wiped.
    pub(super) base: Zeroizing<String>,
}

/// The parts of a request that are signed.
pub(super) struct SignedParts<'t> {
    pub(super) method: &'t str,
    pub(super) uri: &'t str,
    /// The hash of the body, for `auth-int`.
    pub(super) body: Option<String>,
}

/// The hash of A1 without the nonces of `-sess` (RFC 7616 §3.4.2). It contains the plain user name, also with `userhash`
/// (erratum 4897).
pub(super) fn base(hash: Hash, user: &str, realm: &[u8], password: &Secret) -> Zeroizing<String> {
    Zeroizing::new(hash.of(&[user.as_bytes(), realm, password.expose().as_bytes()]))
}

impl ProtectionSpace {
    /// Whether the URL is in this space. A domain can only narrow the space, because this client sends the credential to no
    /// other origins.
    pub(super) fn covers(&self, url: &Url) -> bool {
        let within = |root: &Url| root.origin() == url.origin() && url.path().starts_with(root.path());
        let whole_server = || self.origin.as_ref().is_none_or(|origin| origin.contains(url));
        if self.domain.is_empty() { whole_server() } else { self.domain.iter().any(within) }
    }

    /// The hash of A1.
    fn key(&self, used: &NonceUse) -> Zeroizing<String> {
        if !self.is_sess {
            return self.base.clone();
        }
        let (server, client) = (&used.session.server, &used.session.client);
        Zeroizing::new(self.hash.of(&[self.base.as_bytes(), server.as_bytes(), client.as_bytes()]))
    }

    /// The value of `response`. `second` is the hash of A2.
    fn response(&self, used: &NonceUse, second: &str) -> String {
        let key = self.key(used);
        if self.qop == Qop::None {
            return self.hash.of(&[key.as_bytes(), used.nonce.as_bytes(), second.as_bytes()]);
        }
        let pieces = [&*key, &used.nonce, &used.count, &used.client, self.qop.name(), second];
        self.hash.of(&pieces.map(str::as_bytes))
    }

    /// The value of `Authorization`.
    pub(super) fn answer(&self, parts: &SignedParts<'_>, used: &NonceUse) -> Vec<u8> {
        let second = match &parts.body {
            Some(body) => self.hash.of(&[parts.method, parts.uri, body].map(str::as_bytes)),
            None => self.hash.of(&[parts.method, parts.uri].map(str::as_bytes)),
        };
        let mut text = Vec::with_capacity(512);
        text.extend_from_slice(b"Digest ");
        self.name(&mut text);
        let response = self.response(used, &second);
        for (name, value) in [("realm", &*self.realm), ("nonce", used.nonce.as_bytes())] {
            quoted(&mut text, name, value);
        }
        quoted(&mut text, "uri", parts.uri.as_bytes());
        quoted(&mut text, "response", response.as_bytes());
        if let Some(opaque) = &used.opaque {
            quoted(&mut text, "opaque", opaque.as_bytes());
        }
        let mut push = |piece: &str| text.extend_from_slice(piece.as_bytes());
        ["algorithm=", self.hash.name(self.is_sess)].into_iter().for_each(&mut push);
        if self.qop != Qop::None {
            let pieces = [", qop=", self.qop.name(), ", nc=", &used.count, ", cnonce=\"", &used.client, "\""];
            pieces.into_iter().for_each(&mut push);
        }
        if self.has_userhash {
            push(", userhash=true");
        }
        text
    }

    /// The value that a server sends as `rspauth` if it knows the password. `None` if it depends on the body.
    pub(super) fn proof(&self, used: &NonceUse) -> Option<String> {
        let second = || self.hash.of(&[b"", used.uri.as_bytes()]);
        (self.qop == Qop::Auth).then(|| self.response(used, &second()))
    }

    /// The user name: hashed; or as a quoted string, which may contain UTF-8; or in the extended form if a quoted
    /// string cannot hold it (RFC 7616 §3.4). Most servers do not know the extended form.
    fn name(&self, text: &mut Vec<u8>) {
        if self.has_userhash {
            let hashed = self.hash.of(&[self.user.as_bytes(), &self.realm]);
            return quoted(text, "username", hashed.as_bytes());
        }
        let is_control = |octet: u8| octet.is_ascii_control() && octet != b'\t';
        if !self.user.bytes().any(is_control) {
            return quoted(text, "username", self.user.as_bytes());
        }
        text.extend_from_slice(b"username*=UTF-8''");
        for octet in self.user.bytes() {
            // RFC 8187 §3.2.1: these characters are not encoded.
            match octet {
                b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => text.push(octet),
                // Writing to a vector cannot fail.
                _ => drop(write!(text, "%{octet:02X}")),
            }
        }
        text.extend_from_slice(b", ");
    }
}

/// Writes `name="value", `, with escapes.
fn quoted(text: &mut Vec<u8>, name: &str, value: &[u8]) {
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b"=\"");
    let mut rest = value;
    // Nearly always there is nothing to escape.
    while let Some(at) = rest.iter().position(|octet| matches!(octet, b'"' | b'\\')) {
        text.extend_from_slice(&rest[..at]);
        text.extend_from_slice(&[b'\\', rest[at]]);
        rest = &rest[at + 1..];
    }
    text.extend_from_slice(rest);
    text.extend_from_slice(b"\", ");
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::nonces::SessionNonces;
    use super::*;

    fn used(nonce: &str, client: &str) -> NonceUse {
        let (nonce, client) = (nonce.to_owned(), client.to_owned());
        NonceUse {
            session: std::sync::Arc::new(SessionNonces { server: nonce.clone(), client: client.clone() }),
            nonce,
            client,
            count: "00000001".to_owned(),
            uri: String::new(),
            opaque: None,
        }
    }

    fn space(hash: Hash, user: &str, realm: &str, password: &str) -> ProtectionSpace {
        ProtectionSpace {
            hash,
            is_sess: false,
            qop: Qop::Auth,
            user: user.to_owned(),
            realm: realm.as_bytes().to_vec(),
            origin: None,
            has_userhash: false,
            domain: Vec::new(),
            base: base(hash, user, realm.as_bytes(), &Secret::new(password)),
        }
    }

    #[test]
    fn the_examples_of_rfc_7616_section_3_9_1_hold() {
        let used = used("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
        let target = SignedParts { method: "GET", uri: "/dir/index.html", body: None };
        for (hash, response) in [
            (Hash::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Hash::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let answer = space(hash, "Mufasa", "http-auth@example.org", "Circle of Life").answer(&target, &used);
            let answer = String::from_utf8(answer).unwrap();
            assert!(answer.contains(&format!("response=\"{response}\"")), "{answer}");
            assert!(answer.starts_with("Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "), "{answer}");
        }
    }

    #[test]
    fn the_example_of_section_3_9_2_holds_with_erratum_4897() {
        let mut space = space(Hash::Sha512_256, "J\u{e4}s\u{f8}n Doe", "api@example.org", "Secret, or not?");
        space.has_userhash = true;
        let used = used("5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v");
        let answer = space.answer(&SignedParts { method: "GET", uri: "/doe.json", body: None }, &used);
        let answer = String::from_utf8(answer).unwrap();
        for wanted in [
            "username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\"",
            "response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\"",
            "userhash=true",
        ] {
            assert!(answer.contains(wanted), "{wanted} in {answer}");
        }
    }
}
