//! The answer to a Digest challenge (RFC 7616 §3.4).

use std::io::Write;
use std::sync::OnceLock;

use url::Url;
use zeroize::Zeroizing;

use super::hash::{Hash, Hex};
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
    pub(super) base: Zeroizing<Hex>,
    /// The beginning of each answer. It is made for the first one.
    pub(super) beginning: OnceLock<Box<[u8]>>,
}

/// The parts of a request that are signed.
pub(super) struct SignedParts<'t> {
    pub(super) method: &'t str,
    pub(super) uri: &'t str,
    /// The hash of the body, for `auth-int`.
    pub(super) body: Option<Hex>,
}

/// The hash of A1 without the nonces of `-sess` (RFC 7616 §3.4.2). It contains the plain user name, also with `userhash`
/// (erratum 4897).
pub(super) fn base(hash: Hash, user: &str, realm: &[u8], password: &Secret) -> Zeroizing<Hex> {
    let text = Zeroizing::new([user.as_bytes(), b":", realm, b":", password.expose().as_bytes()].concat());
    Zeroizing::new(hash.of(&text, &[]))
}

impl ProtectionSpace {
    /// Whether the URL is in this space. A domain can only narrow the space, because this client sends the credential to no
    /// other origins.
    pub(super) fn covers(&self, url: &Url) -> bool {
        let within = |root: &Url| root.origin() == url.origin() && url.path().starts_with(root.path());
        let whole_server = || self.origin.as_ref().is_none_or(|origin| origin.contains(url));
        if self.domain.is_empty() { whole_server() } else { self.domain.iter().any(within) }
    }

    /// The value of `response`. `second` is the hash of A2.
    fn response(&self, used: &NonceUse, second: &Hex) -> Hex {
        let of_session;
        let mut key: &Hex = &self.base;
        if self.is_sess {
            let (server, client) = (&used.session.server, &used.session.client);
            of_session = Zeroizing::new(self.hash.of(key.as_bytes(), &[server.as_bytes(), client.as_bytes()]));
            key = &of_session;
        }
        let (key, nonce, second) = (key.as_bytes(), used.nonce.as_bytes(), second.as_bytes());
        if self.qop == Qop::None {
            return self.hash.of(key, &[nonce, second]);
        }
        let (count, client) = (used.count.as_bytes(), used.client.as_bytes());
        self.hash.of(key, &[nonce, count, client, self.qop.name().as_bytes(), second])
    }

    /// The value of `Authorization`.
    pub(super) fn answer(&self, parts: &SignedParts<'_>, used: &NonceUse) -> Vec<u8> {
        let (method, uri) = (parts.method.as_bytes(), parts.uri.as_bytes());
        let second = match &parts.body {
            Some(body) => self.hash.of(method, &[uri, body.as_bytes()]),
            None => self.hash.of(method, &[uri]),
        };
        let response = self.response(used, &second);
        let mut text = Vec::with_capacity(512);
        text.extend_from_slice(self.beginning.get_or_init(|| self.begin()));
        quoted(&mut text, b"nonce=\"", used.nonce.as_bytes());
        quoted(&mut text, b"uri=\"", uri);
        if let Some(opaque) = &used.opaque {
            quoted(&mut text, b"opaque=\"", opaque.as_bytes());
        }
        let mut push = |piece: &[u8]| text.extend_from_slice(piece);
        if self.qop != Qop::None {
            let pieces = [b"nc=", used.count.as_bytes(), b", cnonce=\"", used.client.as_bytes(), b"\", "];
            pieces.into_iter().for_each(&mut push);
        }
        [b"response=\"", response.as_bytes(), b"\""].into_iter().for_each(&mut push);
        text
    }

    /// The beginning of each answer: the parameters that are the same in all of them.
    fn begin(&self) -> Box<[u8]> {
        let mut text = b"Digest ".to_vec();
        self.name(&mut text);
        quoted(&mut text, b"realm=\"", &self.realm);
        let mut push = |piece: &str| text.extend_from_slice(piece.as_bytes());
        ["algorithm=", self.hash.name(self.is_sess), ", "].into_iter().for_each(&mut push);
        if self.qop != Qop::None {
            ["qop=", self.qop.name(), ", "].into_iter().for_each(&mut push);
        }
        if self.has_userhash {
            push("userhash=true, ");
        }
        text.into()
    }

    /// The value that a server sends as `rspauth` if it knows the password. `None` if it depends on the body.
    pub(super) fn proof(&self, used: &NonceUse, uri: &str) -> Option<Hex> {
        let second = || self.hash.of(b"", &[uri.as_bytes()]);
        (self.qop == Qop::Auth).then(|| self.response(used, &second()))
    }

    /// The user name: hashed; or as a quoted string, which may contain UTF-8; or in the extended form if a quoted
    /// string cannot hold it (RFC 7616 §3.4). Most servers do not know the extended form.
    fn name(&self, text: &mut Vec<u8>) {
        if self.has_userhash {
            let hashed = self.hash.of(self.user.as_bytes(), &[&self.realm]);
            return quoted(text, b"username=\"", hashed.as_bytes());
        }
        let is_control = |octet: u8| octet.is_ascii_control() && octet != b'\t';
        if !self.user.bytes().any(is_control) {
            return quoted(text, b"username=\"", self.user.as_bytes());
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

/// Writes `name="value", `, with escapes. `before` is `name="`.
fn quoted(text: &mut Vec<u8>, before: &[u8], value: &[u8]) {
    text.extend_from_slice(before);
    let mut rest = value;
    // Nearly always there is nothing to escape. `contains` looks at many octets at a time.
    let is_plain = !value.contains(&b'"') && !value.contains(&b'\\');
    while !is_plain && let Some(at) = rest.iter().position(|octet| matches!(octet, b'"' | b'\\')) {
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
        NonceUse {
            session: std::sync::Arc::new(SessionNonces { server: nonce.into(), client: client.into() }),
            nonce: nonce.into(),
            client: client.into(),
            count: Hex::of(&[0, 0, 0, 1]),
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
            beginning: OnceLock::new(),
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
