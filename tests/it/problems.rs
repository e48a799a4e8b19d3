//! What the body of a refusal says (RFC 9457, and the usual shapes), whatever it is made of.

use proptest::prelude::*;
use reqwest_challenge::{ChallengeMiddleware, Credential, Forbidden, Problem};
use serde_json::{Map, Value, json};

use crate::support::script::{API, Script, respond};

/// What a client reads of a 403 with that body.
fn read(body: impl Into<String>) -> Problem {
    let body = body.into();
    let server = Script::new(move |_, _| respond(403, &[("content-type", "application/json")], &body));
    let auth = ChallengeMiddleware::new(API, Credential::bearer("hunter2-of-the-caller")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(server.client(&auth).get(API).send()).unwrap_err();
    Forbidden::find(&error).unwrap().problem().clone()
}

/// The same by serde_json.
fn by_serde(json: &Value) -> [Option<String>; 4] {
    let text = |json: &Value, names: &[&str]| {
        names.iter().find_map(|name| json.get(name)?.as_str()).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let inner = json.get("error").filter(|error| error.is_object());
    let inner = inner.or_else(|| json.get("errors").and_then(|errors| errors.get(0))).unwrap_or(json);
    let error = text(inner, &["error"]);
    let is_code = |text: &String| !text.contains(' ');
    [
        error.clone().filter(is_code).or_else(|| text(inner, &["code", "type", "reason"])),
        text(inner, &["title"]),
        text(inner, &["detail", "error_description", "message", "error_message"])
            .or_else(|| error.filter(|text| !is_code(text))),
        text(inner, &["documentation_url", "help_url", "error_uri"]).or_else(|| text(json, &["documentation_url"])),
    ]
}

fn fields(problem: Problem) -> [Option<String>; 4] {
    [problem.code, problem.title, problem.detail, problem.help_url]
}

fn documents() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[a-z_ ]{0,12}", "\\PC{0,12}", any::<String>()];
    let plain = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
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
        "a\"\\b",
        "é",
    ]);
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
    fn texts_are_those_that_serde_json_reads(document in documents(), pretty: bool) {
        let body = if pretty { serde_json::to_string_pretty(&document).unwrap() } else { document.to_string() };
        prop_assert_eq!(fields(read(body)), by_serde(&document));
    }
}

#[test]
fn escapes_are_read_as_the_characters_that_they_mean() {
    let problem = read(r#" {"title" : "\u00e9\ud83d\ude00\n\/\"" , "detail":"\b\f\r\t\\"} "#);
    assert_eq!(problem.title.as_deref(), Some("é😀\n/\""));
    assert_eq!(problem.detail.as_deref(), Some("\u{8}\u{c}\r\t\\"));
}

#[test]
fn a_body_that_was_cut_says_what_stands_before_the_cut_and_nothing_of_half_a_text() {
    let whole =
        r#"{"error":{"code":"no_access","deep":[[{"title":"not this"}]],"message":"ask \"an\" admin"},"more":1}"#;
    for end in (0..=whole.len()).filter(|&end| whole.is_char_boundary(end)) {
        let problem = read(&whole[..end]);
        assert!(problem.code.as_deref().is_none_or(|code| code == "no_access"), "{end}");
        assert!(problem.detail.as_deref().is_none_or(|detail| detail == "ask \"an\" admin"), "{end}");
        assert_eq!(problem.title, None, "{end}");
    }
    assert_eq!(fields(read(whole)), by_serde(&serde_json::from_str(whole).unwrap()));
}

#[test]
fn what_is_no_json_says_nothing_and_harms_nobody() {
    let deep = ["[", "{\"a\":"].map(|opening| opening.repeat(20_000));
    let odd = [
        "",
        "nonsense",
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
        "\"title\"",
        "[\"title\",\"x\"]",
        "{'title':'x'}",
    ];
    for body in odd.into_iter().chain(deep.iter().map(String::as_str)) {
        assert_eq!(read(body), Problem::default(), "{}", &body[..body.len().min(60)]);
    }
}

#[test]
fn values_that_are_no_texts_are_passed_over() {
    let body = json!({ "error": ["a"], "title": { "title": "no" }, "code": 3, "message": "yes", "type": null });
    assert_eq!(read(body.to_string()).detail.as_deref(), Some("yes"));
    assert_eq!(fields(read(body.to_string())), by_serde(&body));
}
