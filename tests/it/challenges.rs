//! Defects, limits, and the printed form of a list.

use http::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest_challenge::Challenges;
use reqwest_challenge::challenge::DefectKind;

/// The first defect: rule, line, byte.
#[track_caller]
fn defect_of(lines: &[&str]) -> (DefectKind, usize, usize) {
    let read = Challenges::parse_lines(lines);
    let found = read.defects().next().map(|defect| (defect.kind(), defect.line(), defect.byte()));
    found.expect("a defect")
}

#[test]
fn each_defect_is_located() {
    type Case<'c> = (&'c [&'c str], (DefectKind, usize, usize));
    let cases: [Case<'_>; 14] = [
        (&["Basic\trealm=\"x\""], (DefectKind::TabAfterScheme, 0, 5)),
        (&["Bearer a=b, Ba/sic c=d"], (DefectKind::BrokenScheme, 0, 14)),
        (&["Negotiate", "a=\"b\", realm=\"x\""], (DefectKind::OrphanParameter, 1, 0)),
        (&["Basic a=b, realm=, c=d"], (DefectKind::MissingValue, 0, 17)),
        (&["Basic x=y, realm= a=b"], (DefectKind::MissingValue, 0, 18)),
        (&["Bearer realm=https://a.example"], (DefectKind::UnquotedValue, 0, 18)),
        (&["Bearer a=b, realm=\"x, y"], (DefectKind::UnterminatedQuote, 0, 18)),
        (&["Basic realm=\"a\u{7}b\""], (DefectKind::ControlCharacter, 0, 14)),
        (&["Basic realm=\"a\" charset=\"UTF-8\""], (DefectKind::MissingComma, 0, 16)),
        (&["Basic realm=\"a\"; charset=\"UTF-8\""], (DefectKind::Semicolon, 0, 15)),
        (&["Basic realm=\"a\", Realm=\"b\""], (DefectKind::DuplicateParameter, 0, 17)),
        (&["Negotiate abc== realm=\"x\""], (DefectKind::AfterToken68, 0, 16)),
        (&["Basic realm=\"a\" (staging)"], (DefectKind::Junk, 0, 16)),
        (&["Basic realm=\"a\0b\""], (DefectKind::ControlCharacter, 0, 14)),
    ];
    for (lines, wanted) in cases {
        assert_eq!(defect_of(lines), wanted, "{lines:?}");
    }
}

#[test]
fn a_duplicate_is_found_across_lines_and_not_across_challenges() {
    assert_eq!(defect_of(&["Basic realm=\"a\"", "REALM=\"b\""]), (DefectKind::DuplicateParameter, 1, 0));
    assert!(Challenges::parse("Basic realm=\"a\", Digest realm=\"b\"").is_strict());
}

#[test]
fn the_mark_is_below_the_byte_of_the_defect() {
    let read = Challenges::parse("Bearer authorization_uri=https://login.example.com/common/oauth2/authorize, é");
    let marks: Vec<_> = read.defects().map(|defect| defect.mark().to_string()).collect();
    let unquoted = "Bearer authorization_uri=https://login.example.com/common/";
    assert_eq!(marks[0], format!("{unquoted}\n{}^", " ".repeat(30)));
    let junk = "le.com/common/oauth2/authorize, ??";
    assert_eq!(marks[1], format!("{junk}\n{}^", " ".repeat(32)));
}

#[test]
fn a_truncated_value_is_listed_and_no_lookup_returns_it() {
    let read = Challenges::parse("Bearer realm=\"good\", scope=\"read admin");
    let bearer = read.get("bearer").unwrap();
    let broken: Vec<_> = bearer.params().filter(|param| param.is_broken()).collect();
    assert_eq!((broken.len(), broken[0].name(), broken[0].value().as_ref()), (1, "scope", "read admin"));
    assert_eq!(bearer.param("scope"), None);
    assert_eq!(bearer.param_all("scope").count(), 0);
    assert!(bearer.bearer().unwrap().scopes().is_empty());
    assert_eq!(bearer.to_string(), "Bearer realm=\"good\"");
}

#[test]
fn a_lookup_returns_the_first_complete_value_of_a_name() {
    let read = Challenges::parse("Digest nonce=\"1\", Nonce=2, NONCE=\"3");
    let digest = read.get("DIGEST").unwrap();
    assert_eq!(digest.param("nonce").as_deref(), Some("1"));
    assert_eq!(digest.param_all("nonce").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(digest.params().map(|param| param.name()).collect::<Vec<_>>(), ["nonce", "Nonce", "NONCE"]);
}

#[test]
fn a_parameter_after_a_truncated_value_belongs_to_no_challenge() {
    let read = Challenges::parse_lines(["Bearer realm=\"cut", "scope=\"x\""]);
    assert_eq!(read.get("Bearer").unwrap().param("scope"), None);
}

#[test]
fn a_quoted_value_on_two_lines_is_joined_only_if_the_result_is_well_formed() {
    let split = Challenges::parse_lines(["Bearer error_description=\"one", "two\", error=\"invalid_token\""]);
    let bearer = split.get("Bearer").unwrap();
    assert!(split.is_strict());
    assert_eq!(bearer.param("error_description").as_deref(), Some("one, two"));
    assert_eq!(bearer.param("error").as_deref(), Some("invalid_token"));

    let mistake = Challenges::parse_lines(["Bearer realm=\"oops", "Basic realm=\"ok\""]);
    assert!(!mistake.is_strict());
    assert_eq!(mistake.get("Basic").unwrap().realm().as_deref(), Some("ok"));
}

#[test]
fn an_unreadable_line_does_not_hide_other_lines() {
    let mut headers = HeaderMap::new();
    for line in [&b"Basic realm=\"a\""[..], b"\xff\xfe,=\"", b"Bearer realm=\"b\""] {
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(line).unwrap());
    }
    let read = Challenges::from_headers(&headers);
    assert_eq!(read.iter().map(|challenge| challenge.scheme()).collect::<Vec<_>>(), ["Basic", "Bearer"]);
}

#[test]
fn text_inside_a_value_is_not_read_as_a_parameter() {
    let read = Challenges::parse(r#"Bearer error_description="ask for scope=admin, scope=\"root\"", xscope="no""#);
    assert!(read.get("Bearer").unwrap().bearer().unwrap().scopes().is_empty());
}

#[test]
fn octets_are_kept_and_text_is_utf8_or_latin1() {
    let read = Challenges::parse(b"Basic a=\"\xc3\xa4\", b=\"\xe4\"");
    let params: Vec<_> = read
        .get("Basic")
        .unwrap()
        .params()
        .map(|param| (param.bytes().into_owned(), param.value().into_owned()))
        .collect();
    assert_eq!(params, [(b"\xc3\xa4".to_vec(), "ä".to_owned()), (b"\xe4".to_vec(), "ä".to_owned())]);
}

#[test]
fn each_limit_is_a_defect_and_keeps_what_came_before() {
    let last = |read: &Challenges| read.defects().last().map(|defect| defect.kind());
    let schemes = Challenges::parse("A,".repeat(30_000));
    assert_eq!((schemes.len(), last(&schemes)), (Challenges::MAX_CHALLENGES, Some(DefectKind::TooManyChallenges)));

    let line = (0..2_000).map(|number| format!("p{number}=\"x\"")).collect::<Vec<_>>().join(", ");
    let params = Challenges::parse(format!("Bearer {line}"));
    assert_eq!(params.get("Bearer").unwrap().params().len(), Challenges::MAX_PARAMS);
    assert_eq!(last(&params), Some(DefectKind::TooManyParameters));

    let lines = Challenges::parse_lines(vec!["Basic realm=\"x\""; 1_000]);
    assert_eq!((lines.len(), last(&lines)), (Challenges::MAX_LINES, Some(DefectKind::TooManyLines)));

    let defects = Challenges::parse(format!("Basic realm=\"x\"{}, Digest nonce=\"n\"", ", @".repeat(1_000)));
    assert_eq!((defects.defects().len(), last(&defects)), (Challenges::MAX_DEFECTS, Some(DefectKind::TooManyDefects)));
    assert!(defects.get("Digest").is_some());

    let long =
        Challenges::parse(format!("Basic realm=\"x\", Bearer realm=\"{}\"", "y".repeat(Challenges::MAX_LINE_LENGTH)));
    assert_eq!(long.defects().next().map(|defect| defect.kind()), Some(DefectKind::LineTooLong));
    assert_eq!((long.get("Basic").unwrap().realm().as_deref(), long.get("Bearer")), (Some("x"), None));
}

#[test]
fn a_limit_inside_a_challenge_does_not_change_the_others() {
    let read = Challenges::parse(format!("{}Z abc==, Basic realm=\"x\"", "A,".repeat(Challenges::MAX_CHALLENGES)));
    assert!(read.iter().all(|challenge| challenge.scheme() == "A" && challenge.token68().is_none()));
}

#[test]
fn debug_shows_no_value() {
    let read = Challenges::parse("Bearer realm=\"hunter2\", error=hunter2; Negotiate hunter2==, Basic realm=hunter2:x");
    let shown = format!("{read:?} {:#?} {:?}", read, read.defects().collect::<Vec<_>>());
    assert!(shown.contains("realm") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn control_characters_are_shown_as_escapes() {
    let read = Challenges::parse(b"Basic realm=\"\x1b[2J\xc2\x9b\x9b\"");
    assert_eq!(read.to_string(), "Basic realm=\"\\u{1b}[2J\u{c2}\\u{9b}\\u{9b}\"");
    assert_eq!(read.get("Basic").unwrap().to_bytes(), b"Basic realm=\"\x1b[2J\xc2\x9b\x9b\"");
}

#[test]
fn each_kind_of_defect_has_an_identifier_and_a_section() {
    let rules = [DefectKind::Junk, DefectKind::MissingComma, DefectKind::TooManyLines];
    assert_eq!(rules.map(DefectKind::id), ["junk", "missing-comma", "too-many-lines"]);
    assert!(rules.iter().all(|rule| rule.section().starts_with("RFC 9110 §") && !rule.sentence().is_empty()));
}

#[track_caller]
fn read_as(value: &str, wanted: &[&str]) {
    let read = Challenges::parse(value);
    assert_eq!(read.iter().map(|challenge| challenge.to_string()).collect::<Vec<_>>(), wanted, "{value}");
    assert!(!read.is_strict(), "{value}");
}

#[test]
fn a_semicolon_never_becomes_part_of_a_token() {
    read_as("Bearer error=invalid_token;", &["Bearer error=invalid_token"]);
    read_as("Bearer error=invalid_token; Basic realm=\"x\"", &["Bearer error=invalid_token", "Basic realm=\"x\""]);
    read_as("Bearer error=invalid_token;, Basic a=b", &["Bearer error=invalid_token", "Basic a=b"]);
    read_as("Bearer error=a;;scope=b", &["Bearer error=a, scope=b"]);
    read_as("Bearer error=; scope=a", &["Bearer scope=a"]);
    read_as("Bearer realm=https://a/b;c=d;", &["Bearer realm=\"https://a/b\", c=d"]);
}

#[test]
fn a_stray_quote_does_not_hide_the_next_challenge() {
    read_as("Foo\"bar, Bearer realm=\"a\"", &["Bearer realm=\"a\""]);
    read_as("Negotiate it\"s, Bearer realm=\"a\"", &["Negotiate", "Bearer realm=\"a\""]);
    read_as("Bearer realm=\"a\"b\", Basic realm=\"x\"", &["Bearer realm=\"a\"", "Basic realm=\"x\""]);
    // A comma inside a pair of quotes still belongs to the quoted text.
    read_as("Bearer realm=\"a\" \"b, c=d\", Basic realm=\"x\"", &["Bearer realm=\"a\"", "Basic realm=\"x\""]);
}

#[test]
fn no_lookup_returns_a_value_that_the_length_limit_truncated() {
    let filler = "a".repeat(Challenges::MAX_LINE_LENGTH - 40);
    let read = Challenges::parse(format!("Bearer x=\"{filler}\", scope=abcdefghijklmnopqrstuvwxyz0123456789"));
    let bearer = read.get("Bearer").unwrap();
    assert_eq!((bearer.param("scope"), bearer.param("x").map(|value| value.len())), (None, Some(filler.len())));
}

#[test]
fn a_position_in_a_folded_line_counts_in_the_unfolded_line() {
    let read = Challenges::parse("Basic   \r\n realm=\"x\", a=b\0c");
    let places: Vec<_> = read.defects().map(|defect| (defect.kind(), defect.byte())).collect();
    assert_eq!(places[0], (DefectKind::ControlCharacter, 5));
}

#[test]
fn characters_that_reverse_text_are_shown_as_escapes() {
    assert_eq!(Challenges::parse("Basic realm=\"a\u{202e}b\"").to_string(), "Basic realm=\"a\\u{202e}b\"");
}
