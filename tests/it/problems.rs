//! Reads the bodies of refusals in each format.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use reqwest_challenge::{ChallengeMiddleware, Credential, Forbidden, Problem, Unauthorized};
use reqwest_challenge_testing::Answer;
use serde_json::{Map, Value, json};

use crate::support::script::{API, Script};

/// The values that a client reads in a 403 with that body.
fn read(body: impl Into<Vec<u8>>) -> Problem {
    read_as("application/json", body)
}

fn read_as(media: &str, body: impl Into<Vec<u8>>) -> Problem {
    let (body, media) = (body.into(), media.to_owned());
    let server = Script::new(move |_, _| Answer::new(403).header("content-type", &media).body(body.clone()));
    let builder = ChallengeMiddleware::builder(API, Credential::bearer("hunter2-of-the-caller"));
    let auth = builder.body_limit(4 << 20).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(server.client(&auth).get(API).send()).unwrap_err();
    Forbidden::find(&error).unwrap().problem().clone()
}

fn texts(problem: Problem) -> Vec<String> {
    let one = [problem.code, problem.title, problem.detail, problem.help_url];
    one.into_iter().flatten().chain(problem.required_scopes).collect()
}

/// Every text and number in a document, as strings.
fn all_values(document: &Value, all: &mut Vec<String>) {
    match document {
        Value::String(text) => all.push(text.clone()),
        Value::Number(number) => all.push(number.to_string()),
        Value::Array(list) => list.iter().for_each(|value| all_values(value, all)),
        Value::Object(members) => members.values().for_each(|value| all_values(value, all)),
        _ => {}
    }
}

fn documents() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[a-z_ ]{0,12}", "\\PC{0,12}", any::<String>(), Just("see https://a.example/b".to_owned())];
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let names = [
        "error",
        "errors",
        "code",
        "type",
        "title",
        "detail",
        "message",
        "error_description",
        "documentation_url",
        "help_url",
        "requiredScopes",
        "retry_after",
        "a\"\\b",
        "é",
    ];
    let names = prop::sample::select(names.to_vec());
    plain.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..8).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn each_text_that_is_read_is_a_text_of_the_document_even_if_the_body_is_truncated(
        document in documents(),
        pretty: bool,
        cut in 0.0..1.2_f64,
    ) {
        let body = if pretty { serde_json::to_string_pretty(&document).unwrap() } else { document.to_string() };
        prop_assume!(body.starts_with(['{', '[']));
        let end = ((body.len() as f64 * cut) as usize).min(body.len());
        let mut all = Vec::new();
        all_values(&document, &mut all);
        for text in texts(read(&body.as_bytes()[..end])) {
            prop_assert!(all.iter().any(|value| value.contains(&text)), "{:?} in {}", text, &body);
        }
    }

    #[test]
    fn octets_of_any_kind_are_read_without_a_panic(body: Vec<u8>, start in "[\\[{<\"(]{0,3}[a-z]{0,8}", media in 0..6_usize) {
        let media = ["", "application/json", "text/html", "application/xml", "text/plain", "application/x-www-form-urlencoded"][media];
        read_as(media, [start.as_bytes(), &body].concat());
    }

    #[test]
    fn pieces_of_markup_in_any_order_are_read_without_a_panic(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "<", ">", "</", "/>", "<Error>", "<Code>", "</Code>", "<Message a='b\" c=\"d\">", "</Error>", "&", "&lt;", "&#0;",
            "&#x110000;", "&x;", "<![CDATA[", "]]>", "<!--", "-->", "<!DOCTYPE a [", "<?xml", "?>", "text", "é", "<p>",
            "<title>", "</p>", "=", "'", "\"",
        ]), 0..30),
        html: bool,
    ) {
        read_as(if html { "text/html" } else { "application/xml" }, format!("<{}", pieces.concat()));
    }
}

#[test]
fn escapes_are_decoded() {
    let problem = read(r#" {"title" : "\u00e9\ud83d\ude00\n\/\"" , "detail":"a\b\f\r\t\\"} "#);
    assert_eq!(problem.title.as_deref(), Some("é😀\n/\""));
    assert_eq!(problem.detail.as_deref(), Some("a\u{8}\u{c}\r\t\\"));
    let xml = "<Error><Message>&lt;a&gt; &#233;&#x1F600; &unknown;<![CDATA[<b>]]></Message></Error>";
    assert_eq!(read_as("application/xml", xml).detail.as_deref(), Some("<a> é😀 <b>"));
}

#[test]
fn a_truncated_body_gives_only_its_complete_texts() {
    let json =
        r#"{"error":{"code":"no_access","deep":[[{"title":"not this"}]],"message":"ask \"an\" admin"},"more":1}"#;
    let xml =
        "<Error><Code>no_access</Code><deep><title>not this</title></deep><Message>ask \"an\" admin</Message></Error>";
    for (media, whole) in [("application/json", json), ("application/xml", xml)] {
        for end in (0..=whole.len()).filter(|&end| whole.is_char_boundary(end)) {
            let problem = read_as(media, &whole[..end]);
            assert!(problem.code.as_deref().is_none_or(|code| code == "no_access"), "{end}");
            assert!(problem.detail.as_deref().is_none_or(|detail| detail == "ask \"an\" admin"), "{end} {problem:?}");
            assert_eq!(problem.title, None, "{end}");
        }
        let (code, detail) = (read_as(media, &whole[..whole.len() - 4]).code, read_as(media, whole).detail);
        assert_eq!((code.as_deref(), detail.as_deref()), (Some("no_access"), Some("ask \"an\" admin")));
    }
}

#[test]
fn malformed_json_gives_no_values() {
    let deep = ["[", "{\"a\":"].map(|opening| opening.repeat(20_000));
    let odd = [
        "",
        "{",
        "{\"title\"",
        "{\"title\":",
        "{\"title\":\"x",
        "{\"title\":\"\\u12",
        "{\"title\":\"\\ud800\"}",
        "{\"title\":\"\\udc00\"}",
        "{\"title\":\"\\ud800\\u0041\"}",
        "{\"title\":\"\\u+123\"}",
        "{\"title\":\"\\x\"}",
        "{\"title\":\"a\nb\"}",
        "{\"title\" \"x\"}",
        "{title:\"x\"}",
        "{,\"title\":\"x\"}",
        "{\"title\":}",
        "[\"title\",\"x\"]",
        "{'title':'x'}",
        "null",
        "true",
        "403",
        "\u{1f}\u{8b}\u{8}",
    ];
    for body in odd.into_iter().chain(deep.iter().map(String::as_str)) {
        assert_eq!(read(body), Problem::default(), "{}", &body[..body.len().min(60)]);
    }
}

#[test]
fn a_number_that_serde_json_represents_as_an_object_is_a_number() {
    // Another crate in the tree may enable the feature `arbitrary_precision` of serde_json.
    let problem = read(r#"{"code":{"$serde_json::private::Number":"50013"},"message":"no"}"#);
    assert_eq!((problem.code.as_deref(), problem.detail.as_deref()), (Some("50013"), Some("no")));
}

#[test]
fn members_after_a_value_that_is_too_deep_are_read() {
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(read(format!("{{\"trace\":{deep},\"message\":\"no way\"}}")).detail.as_deref(), Some("no way"));
    let deep = format!("{}{}", "<a>".repeat(5_000), "</a>".repeat(5_000));
    let body = format!("<Error>{deep}<Message>no way</Message></Error>");
    assert_eq!(read_as("application/xml", body).detail.as_deref(), Some("no way"));
}

#[tokio::test]
async fn the_description_is_the_text_and_the_error_is_the_code() {
    for (status, challenge) in [(401, "Bearer"), (401, "Bearer error=\"expired\""), (403, "Bearer")] {
        for description in ["The access token expired 5 minutes ago.", "renew it", "renewable"] {
            let body = json!({ "error": "expired", "error_description": description }).to_string();
            let server =
                Script::new(move |_, _| Answer::new(status).header("www-authenticate", challenge).body(body.clone()));
            let auth = ChallengeMiddleware::new(API, Credential::bearer("hunter2-of-the-caller")).unwrap();
            let error = server.client(&auth).get(API).send().await.unwrap_err();
            let (message, code) = match (Unauthorized::find(&error), Forbidden::find(&error)) {
                (Some(error), _) => (error.message(), error.error_code()),
                (_, error) => (error.unwrap().message(), error.unwrap().error_code()),
            };
            assert_eq!((message.as_deref(), code.as_deref()), (Some(description), Some("expired")), "{status}");
            assert!(error.to_string().contains(&format!(": {description}")), "{error}");
        }
    }
}

#[test]
fn the_last_of_two_members_with_the_same_name_counts() {
    let problem = read(r#"{"message":"first","message":"second","errors":[{"code":"a"},{"code":"b"}]}"#);
    assert_eq!((problem.detail.as_deref(), problem.code.as_deref()), (Some("second"), Some("a")));
}

#[test]
fn an_unknown_object_gives_no_link_no_scope_and_no_error_code() {
    let user = json!({ "type": "admin", "url": "https://a.example", "scope": "read", "title": "Dr", "retry_after": 5,
        "description": "a nice person", "id": "jane", "status": "ACTIVE" });
    assert_eq!(read(json!({ "user": user }).to_string()), Problem::default());
}

#[test]
fn a_hostile_body_is_read_in_linear_time() {
    let size = 1 << 19;
    let many = |piece: &str, before: &str| format!("{before}{}", piece.repeat(size / piece.len()));
    let bodies = [
        ("application/json", many("\"message\":\"a\",", "{")),
        ("application/json", many("{\"code\":", "")),
        ("application/json", many("{\"code\":1},", "[")),
        ("application/json", many("\"error\":{\"code\":\"a\",\"x\":{\"message\":\"b c\"}},", "{")),
        ("application/xml", many("<a>", "")),
        ("application/xml", many("<a b='c' ", "")),
        ("application/xml", many("b='c' ", "<a ")),
        ("application/xml", many("&amp;", "<Error><Message>")),
        ("application/xml", many("<Message>a</Message>", "<Error>")),
        ("text/html", many("<p>", "<html>")),
        ("text/html", many("<title", "<html>")),
        ("text/html", many("<p>a b c d", "<html>")),
        ("text/plain", many("a ", "")),
        ("application/x-www-form-urlencoded", many("error=a&", "")),
    ];
    for (media, body) in bodies {
        let begun = Instant::now();
        read_as(media, &*body);
        let took = begun.elapsed();
        // A reader with quadratic time would take hours.
        assert!(took < Duration::from_secs(20), "{took:?} for {}", &body[..40]);
    }
}
