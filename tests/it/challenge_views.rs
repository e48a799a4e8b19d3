//! The typed views of a challenge: one for each scheme.

use std::time::Duration;

use reqwest_challenge::Challenges;
use reqwest_challenge::challenge::{DigestAlgorithm, ErrorCode};

#[test]
fn a_bearer_challenge_has_its_error_and_its_scopes_in_order() {
    let read = Challenges::parse(
        r#"bearer realm="r", error="insufficient_scope", error_description="a", error_uri="https://e", scope="z  a m", resource_metadata="https://m""#,
    );
    let bearer = read.get("Bearer").unwrap().bearer().unwrap();
    assert_eq!(bearer.realm().as_deref(), Some("r"));
    assert_eq!(bearer.error(), Some(ErrorCode::InsufficientScope));
    assert_eq!(bearer.error_description().as_deref(), Some("a"));
    assert_eq!(bearer.error_uri().as_deref(), Some("https://e"));
    assert_eq!(bearer.scopes(), ["z", "a", "m"]);
    assert_eq!(bearer.resource_metadata().as_deref(), Some("https://m"));
}

#[test]
fn an_unknown_error_code_is_kept() {
    for (code, wanted) in [
        ("invalid_request", ErrorCode::InvalidRequest),
        ("invalid_token", ErrorCode::InvalidToken),
        ("insufficient_user_authentication", ErrorCode::InsufficientUserAuthentication),
        ("insufficient_claims", ErrorCode::InsufficientClaims),
        ("use_dpop_nonce", ErrorCode::UseDpopNonce),
        ("invalid_dpop_proof", ErrorCode::InvalidDpopProof),
        ("Stale_Moon", ErrorCode::Other("Stale_Moon".into())),
    ] {
        let read = Challenges::parse(format!("Bearer error={code}, DPoP error=\"{code}\""));
        let codes = [
            read.get("Bearer").unwrap().bearer().unwrap().error().unwrap(),
            read.get("DPoP").unwrap().dpop().unwrap().error().unwrap(),
        ];
        assert_eq!(codes, [wanted.clone(), wanted]);
        assert_eq!(codes[0].as_str(), code);
    }
}

#[test]
fn a_step_up_challenge_has_its_contexts_and_its_age() {
    let read = Challenges::parse(r#"Bearer acr_values="gold silver", max_age="300""#);
    let bearer = read.get("Bearer").unwrap().bearer().unwrap();
    assert_eq!(bearer.acr_values(), ["gold", "silver"]);
    assert_eq!(bearer.max_age(), Some(Duration::from_secs(300)));
    for odd in ["-1", "+5", "5s", "", "99999999999999999999999"] {
        let read = Challenges::parse(format!("Bearer max_age=\"{odd}\""));
        assert_eq!(read.get("Bearer").unwrap().bearer().unwrap().max_age(), None, "{odd}");
    }
}

#[test]
fn claims_are_read_from_both_base64_alphabets_padded_or_not() {
    // The octets fb ff in base64: "+/8=" in the standard alphabet, "-_8=" in the URL-safe one. The padding may be
    // missing.
    for sent in ["+/8=", "+/8", "-_8=", "-_8"] {
        let read = Challenges::parse(format!("Bearer claims=\"{sent}\""));
        let bearer = read.get("Bearer").unwrap().bearer().unwrap();
        assert_eq!(bearer.claims().as_deref(), Some(sent));
        assert_eq!(bearer.decoded_claims().unwrap().unwrap(), [0xfb, 0xff], "{sent}");
    }
    for odd in ["+_8=", "{}", "a b"] {
        let read = Challenges::parse(format!("Bearer claims=\"{odd}\""));
        let error = read.get("Bearer").unwrap().bearer().unwrap().decoded_claims().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "the challenge's claims parameter is not base64");
    }
}

#[test]
fn a_dpop_challenge_has_its_algorithms() {
    let read = Challenges::parse(
        r#"Bearer scope="not mine", DPoP algs="ES256 PS256", error="use_dpop_nonce", scope="mine", realm="r", resource_metadata="m", error_description="d""#,
    );
    let dpop = read.get("dpop").unwrap().dpop().unwrap();
    assert_eq!(dpop.algs(), ["ES256", "PS256"]);
    assert_eq!((dpop.error(), dpop.scopes()), (Some(ErrorCode::UseDpopNonce), vec!["mine".into()]));
    assert_eq!((dpop.realm().as_deref(), dpop.resource_metadata().as_deref()), (Some("r"), Some("m")));
    assert_eq!(dpop.error_description().as_deref(), Some("d"));
}

#[test]
fn a_digest_challenge_has_its_parameters() {
    let read = Challenges::parse(
        r#"Digest realm="r", domain="/a /b", nonce="n", opaque="o", stale=TRUE, algorithm=sha-256-SESS, qop="auth, auth-int", charset=utf-8, userhash=true"#,
    );
    let digest = read.get("Digest").unwrap().digest().unwrap();
    assert_eq!((digest.realm().as_deref(), digest.nonce().as_deref()), (Some("r"), Some("n")));
    assert_eq!((digest.opaque().as_deref(), digest.domain()), (Some("o"), vec!["/a".into(), "/b".into()]));
    assert_eq!((digest.algorithm(), digest.is_session()), (DigestAlgorithm::Sha256, true));
    assert_eq!(digest.qop(), ["auth", "auth-int"]);
    assert!(digest.is_stale() && digest.is_utf8() && digest.has_userhash());
}

#[test]
fn a_digest_challenge_without_an_algorithm_means_md5() {
    let algorithm = |value: &str| {
        let read = Challenges::parse(format!("Digest {value}"));
        let digest = read.get("Digest").unwrap().digest().unwrap();
        (digest.algorithm(), digest.is_session())
    };
    assert_eq!(algorithm("nonce=n"), (DigestAlgorithm::Md5, false));
    assert_eq!(algorithm("algorithm=md5-sess"), (DigestAlgorithm::Md5, true));
    assert_eq!(algorithm("algorithm=\"SHA-512-256\""), (DigestAlgorithm::Sha512_256, false));
    assert_eq!(algorithm("algorithm=Whirl"), (DigestAlgorithm::Other("Whirl".into()), false));
}

#[test]
fn a_basic_challenge_has_its_charset() {
    let read = Challenges::parse(r#"Basic realm="foo", charset="utf-8""#);
    let basic = read.get("Basic").unwrap().basic().unwrap();
    assert_eq!((basic.realm().as_deref(), basic.is_utf8()), (Some("foo"), true));
    assert!(!Challenges::parse("Basic realm=x").get("Basic").unwrap().basic().unwrap().is_utf8());
}

#[test]
fn a_registry_challenge_has_realm_service_and_scopes() {
    let read = Challenges::parse(
        r#"Bearer realm="https://auth.example/token",service="reg",scope="repository:a:pull,push repository:b:pull",scope="registry:catalog:*""#,
    );
    let registry = read.get("Bearer").unwrap().registry().unwrap();
    assert_eq!((registry.realm().as_ref(), registry.service().as_ref()), ("https://auth.example/token", "reg"));
    assert_eq!(registry.scopes(), ["repository:a:pull,push", "repository:b:pull", "registry:catalog:*"]);
    assert!(Challenges::parse("Bearer realm=\"r\"").get("Bearer").unwrap().registry().is_none());
    assert!(Challenges::parse("Bearer service=\"r\"").get("Bearer").unwrap().registry().is_none());
    let without = Challenges::parse("Bearer realm=\"https://nvcr.io/proxy_auth\",scope=\"repository:a:pull\"");
    let without = without.get("Bearer").unwrap().registry().unwrap();
    assert_eq!((without.service().as_ref(), without.scopes().len()), ("", 1));
}

#[test]
fn a_cargo_challenge_has_its_login_url() {
    let read = Challenges::parse(r#"Cargo login_url="https://example.com/me""#);
    assert_eq!(read.get("cargo").unwrap().cargo().unwrap().login_url().as_deref(), Some("https://example.com/me"));
}

#[test]
fn a_view_exists_only_for_its_own_scheme() {
    let read = Challenges::parse("Negotiate");
    let other = read.get("Negotiate").unwrap();
    assert!(other.bearer().is_none() && other.dpop().is_none() && other.digest().is_none());
    assert!(other.basic().is_none() && other.registry().is_none() && other.cargo().is_none());
}
