//! Digest: how user names and realms are written and hashed.

use md5::{Digest, Md5};
use reqwest_challenge::{Password, Unauthorized, UnauthorizedReason};
use reqwest_challenge_testing::{Answer, Script};

use crate::digests::expected;
use crate::passwords::{auth, param, refusing};
use crate::support::script::{API, status};

const PLAIN: &str = "Digest realm=\"a\", nonce=\"n\", qop=\"auth\"";
const UTF8: &str = "Digest realm=\"a\", nonce=\"n\", qop=\"auth\", charset=UTF-8, algorithm=SHA-256";

/// The answer for a user of that name. Checks that it hashes the plain name.
async fn presented(challenge: &'static str, user: &str) -> String {
    let server = Script::new(move |arrived, _| match arrived.headers().contains_key("authorization") {
        true => status(200),
        false => Answer::unauthorized([challenge]),
    });
    server.client(&auth(Password::new(user, "p"))).get(API).send().await.unwrap();
    let arrived = &server.requests()[1];
    let known = challenge.replace(", charset=UTF-8", "");
    assert_eq!(param(arrived, "response").unwrap(), expected(&known, arrived, user, "p").response, "{user}");
    arrived.credential().unwrap().to_owned()
}

#[tokio::test]
async fn a_user_name_is_a_quoted_string_if_possible() {
    for challenge in [PLAIN, UTF8] {
        for (user, written) in [
            ("jim", "username=\"jim\", "),
            ("j\u{fc}rgen", "username=\"j\u{fc}rgen\", "),
            ("\u{5c71}\u{7530} \u{1f511}", "username=\"\u{5c71}\u{7530} \u{1f511}\", "),
            ("a\"b\\c", "username=\"a\\\"b\\\\c\", "),
            ("DOMAIN\\j\u{fc}rgen", "username=\"DOMAIN\\\\j\u{fc}rgen\", "),
            ("a, b=\"c\"", "username=\"a, b=\\\"c\\\"\", "),
            ("", "username=\"\", "),
            ("a:b", "username=\"a:b\", "),
        ] {
            let value = presented(challenge, user).await;
            assert!(value.starts_with(&format!("Digest {written}")), "{value}");
            assert!(!value.contains("username*"), "{value}");
        }
    }
}

#[tokio::test]
async fn a_user_name_with_a_control_character_has_the_extended_form() {
    for (user, written) in
        [("a\u{7f}b", "a%7Fb"), ("a\r\nX: y", "a%0D%0AX%3A%20y"), ("j\u{fc}\u{1}", "j%C3%BC%01"), ("a\0", "a%00")]
    {
        let value = presented(PLAIN, user).await;
        assert!(value.starts_with(&format!("Digest username*=UTF-8''{written}, ")), "{value}");
        assert!(!value.contains("username="), "{value}");
    }
}

#[tokio::test]
async fn a_realm_in_another_encoding_is_hashed_and_sent_back_with_the_same_octets() {
    let server = Script::new(|arrived, _| match arrived.headers().contains_key("authorization") {
        true => status(200),
        false => Answer::new(401).header("www-authenticate", b"Digest realm=\"Z\xfcrich\", nonce=\"n\", qop=\"auth\""),
    });
    let client = server.client(&auth(Password::new("u", "p")));
    for _ in 0..2 {
        client.get(format!("{API}/a")).send().await.unwrap();
    }
    assert_eq!(server.sends(), 3, "the second call is sent with an answer at once");
    let requests = server.requests();
    let value = requests[1].headers()["authorization"].as_bytes();
    let holds = |part: &[u8]| value.windows(part.len()).any(|window| window == part);
    assert!(holds(b"realm=\"Z\xfcrich\""));
    let hash = |pieces: &[&[u8]]| -> String {
        Md5::digest(pieces.join(&b':')).iter().map(|octet| format!("{octet:02x}")).collect()
    };
    let text = String::from_utf8_lossy(value);
    let client = text.split("cnonce=\"").nth(1).unwrap().split('"').next().unwrap();
    let (one, two) = (hash(&[b"u", b"Z\xfcrich", b"p"]), hash(&[b"GET", b"/a"]));
    let response = hash(&[one.as_bytes(), b"n", b"00000001", client.as_bytes(), b"auth", two.as_bytes()]);
    assert!(text.contains(&format!("response=\"{response}\"")), "{text}");
}

#[tokio::test]
async fn the_error_names_the_switch_only_if_the_server_uses_rfc_2069() {
    for (lines, named) in [
        (&["Digest realm=\"a\", nonce=\"n\""][..], true),
        (&["Digest realm=\"a\", nonce=\"n\", algorithm=MD5, opaque=\"o\"", "Bearer"], true),
        (&["Digest realm=\"a\", nonce=\"n\", qop=\"\""], true),
        (&["Digest realm=\"a\", nonce=\"n\", qop=\"auth\", algorithm=SHA-1"], false),
        (&["Digest realm=\"a\", nonce=\"n\", qop=\"auth-conf\""], false),
        (&["Bearer realm=\"a\""], false),
    ] {
        let server = refusing(lines);
        let error = server.client(&auth(Password::new("u", "p"))).get(API).send().await.unwrap_err();
        let refused = Unauthorized::find(&error).unwrap();
        assert_eq!(refused.reason(), UnauthorizedReason::Declined);
        assert_eq!(refused.to_string().contains("`Password::allow_rfc_2069`"), named, "{refused}");
        assert_eq!(refused.hint().is_some(), named);
    }
}
