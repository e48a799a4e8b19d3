//! Origins: how they are parsed and which URLs belong to them.

use reqwest::Url;
use reqwest_challenge::{ChallengeMiddleware, Credential, Origin, OriginErrorKind};

#[track_caller]
fn origin(text: &str) -> Origin {
    Origin::new(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn an_origin_is_parsed_by_the_url_standard() {
    for (text, wanted) in [
        ("https://api.example.com", "https://api.example.com"),
        ("HTTPS://API.Example.COM:443/", "https://api.example.com"),
        ("http://example.com:80", "http://example.com"),
        ("http://example.com:8080", "http://example.com:8080"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://[2001:DB8:0::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://0x7f.1", "http://127.0.0.1"),
        ("https://example.com.", "https://example.com."),
    ] {
        assert_eq!(origin(text).to_string(), wanted);
        assert_eq!(origin(wanted), origin(text));
    }
    assert_ne!(origin("https://example.com."), origin("https://example.com"));
    assert_ne!(origin("https://example.com:80"), origin("http://example.com"));
}

#[test]
fn the_error_for_an_invalid_origin_says_what_to_write() {
    for (text, wanted) in [
        ("https://api.example.com/v1", "an origin has no path: write `https://api.example.com`"),
        ("https://api.example.com:8443/?q", "an origin has no query: write `https://api.example.com:8443`"),
        ("https://api.example.com/#f", "an origin has no fragment: write `https://api.example.com`"),
        (
            "https://me:hunter2@api.example.com",
            "an origin has no user name or password: write `https://api.example.com`",
        ),
        ("https://@api.example.com", "an origin has no user name or password: write `https://api.example.com`"),
        (
            "ftp://api.example.com",
            "the scheme of an origin is http or https: write `https://host` or `https://host:port`",
        ),
        (
            "api.example.com",
            "this is not an origin (relative URL without a base): write `https://host` or `https://host:port`",
        ),
        ("https://", "this is not an origin (empty host): write `https://host` or `https://host:port`"),
    ] {
        let error = Origin::new(text).unwrap_err();
        assert_eq!(error.to_string(), wanted, "{text}");
        assert_eq!(format!("{error:?}"), format!("OriginError({wanted:?})"));
        let error = ChallengeMiddleware::new(text, Credential::bearer("t")).unwrap_err();
        assert_eq!(format!("{error:?}"), format!("BuildError({wanted:?})"));
    }
    let error = ChallengeMiddleware::new("http://api.example.com", Credential::bearer("t")).unwrap_err();
    assert_eq!(format!("{error:?}"), format!("BuildError({:?})", error.to_string()));
}

#[test]
fn a_text_with_two_origins_is_told_to_name_one() {
    for text in [
        "https://a.example,https://b.example",
        "https://a.example, https://b.example",
        "https://a.example https://b.example",
        "https://me:hunter2@a.example\nhttps://b.example/",
    ] {
        let error = Origin::new(text).unwrap_err();
        assert!(error.is_invalid_url() && error.suggestion().is_none(), "{text}");
        assert_eq!(
            error.to_string(),
            "this is more than one origin: write one origin here; add others with `Builder::origin`"
        );
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    assert_eq!(Origin::new(" https://a.example ").unwrap(), origin("https://a.example"));
}

#[test]
fn a_url_belongs_only_to_its_own_origin() {
    let api = origin("https://api.example.com");
    for (url, inside) in [
        ("https://api.example.com/v1?x#y", true),
        ("https://user@API.example.com:443/", true),
        ("http://api.example.com/", false),
        ("https://api.example.com:444/", false),
        ("https://api.example.com./", false),
        ("https://api.example.com.evil.example/", false),
        ("https://evil.example/?api.example.com", false),
        ("data:text/plain,x", false),
    ] {
        let url = Url::parse(url).unwrap();
        assert_eq!(api.contains(&url), inside, "{url}");
        assert_eq!(Origin::of(&url).as_ref() == Some(&api), inside, "{url}");
    }
    assert!(api.is_host_of(&Url::parse("http://api.example.com:8080/").unwrap()));
}

#[test]
fn loopback_is_recognised_by_its_name() {
    for (text, loopback) in [
        ("http://127.0.0.1", true),
        ("http://127.8.9.10:1", true),
        ("http://[::1]", true),
        ("http://LOCALHOST:3000", true),
        ("http://localhost.", true),
        ("http://api.localhost", true),
        ("http://a.b.localhost.:8080", true),
        ("http://localhost.example.com", false),
        ("http://apilocalhost", false),
        ("http://localhost..", false),
        ("http://127.0.0.1.example.com", false),
        ("http://[::ffff:127.0.0.1]", false),
        ("http://0.0.0.0", false),
        ("http://10.0.0.1", false),
    ] {
        assert_eq!(origin(text).is_loopback(), loopback, "{text}");
    }
    assert!(!origin("http://localhost").is_https() && origin("https://localhost").is_https());
}

#[test]
fn an_origin_is_accepted_where_its_text_is() {
    let api = origin("https://api.example.com:8443/");
    assert_eq!(api.as_ref() as &str, "https://api.example.com:8443");
    assert_eq!(Origin::new(&api).as_ref(), Ok(&api));
    let built = ChallengeMiddleware::builder(&api, Credential::bearer("t")).origin(origin("https://b.example")).build();
    assert!(built.is_ok());
}

#[test]
fn an_origin_error_has_a_kind() {
    for (text, kind) in [
        ("api.example.com", OriginErrorKind::InvalidUrl),
        ("ftp://api.example.com", OriginErrorKind::UnsupportedScheme),
        ("https://me@api.example.com", OriginErrorKind::Userinfo),
        ("https://api.example.com/v1", OriginErrorKind::Path),
        ("https://api.example.com?q", OriginErrorKind::Query),
        ("https://api.example.com#f", OriginErrorKind::Fragment),
    ] {
        let error = Origin::new(text).unwrap_err();
        assert_eq!(error.kind(), kind, "{text}");
        assert_eq!(error.is_invalid_url(), kind == OriginErrorKind::InvalidUrl);
        assert_eq!(error.is_unsupported_scheme(), kind == OriginErrorKind::UnsupportedScheme);
        assert_eq!(error.is_extra_part(), error.suggestion() == Some("https://api.example.com"), "{text}");
    }
}
