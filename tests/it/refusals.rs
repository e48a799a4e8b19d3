//! Refusals of products, and the values that are read in them.

use std::time::Duration;

use reqwest_challenge::{ChallengeMiddleware, Credential, Forbidden, Unauthorized};
use serde_json::Value;

use crate::support::script::{API, Script, respond};

/// Refusals that products sent, and refusals from their documentation.
const FIELD: [&str; 3] = [
    include_str!("../vectors/refusals.jsonl"),
    include_str!("../vectors/refusals_more.jsonl"),
    include_str!("../vectors/refusals_other.jsonl"),
];

/// What the getters of a refusal return.
#[derive(Debug)]
struct Read {
    message: Option<String>,
    code: Option<String>,
    scopes: Vec<String>,
    retry_after: Option<Duration>,
    help_url: Option<String>,
}

async fn read(refusal: &Value) -> Read {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let headers = refusal["headers"].as_array().unwrap().iter();
    let headers: Vec<_> = headers.map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
    let (status, body) = (u16::try_from(refusal["status"].as_u64().unwrap()).unwrap(), text(&refusal["body"]));
    let server = Script::new(move |_, _| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        respond(status, &headers, &body)
    });
    let auth = ChallengeMiddleware::new(API, Credential::bearer("hunter2-of-the-caller")).unwrap();
    let error = server.client(&auth).get(API).send().await.unwrap_err();
    match (Forbidden::find(&error), Unauthorized::find(&error)) {
        (Some(error), _) => Read {
            message: error.message(),
            code: error.error_code(),
            scopes: error.required_scopes(),
            retry_after: error.retry_after(),
            help_url: error.help_url().map(str::to_owned),
        },
        (_, Some(error)) => Read {
            message: error.message(),
            code: error.error_code(),
            scopes: error.problem().required_scopes.clone(),
            retry_after: error.problem().retry_after,
            help_url: error.help_url().map(str::to_owned),
        },
        _ => panic!("{error}"),
    }
}

/// Whether the value is the expected one.
fn is_wanted(want: &Value, read: &Read) -> bool {
    want.as_object().unwrap().iter().all(|(name, value)| match name.as_str() {
        "message_contains" => read.message.as_ref().is_some_and(|text| text.contains(value.as_str().unwrap())),
        "error_code" => read.code.as_deref() == value.as_str(),
        "help_url_starts" => value
            .as_str()
            .map_or(read.help_url.is_none(), |start| read.help_url.as_ref().is_some_and(|url| url.starts_with(start))),
        "required_scopes" => read.scopes.iter().eq(value.as_array().unwrap().iter().map(|one| one.as_str().unwrap())),
        "retry_after_s" => read.retry_after.map(|span| span.as_secs()) == value.as_u64(),
        other => panic!("{other}"),
    })
}

#[tokio::test]
async fn each_refusal_of_a_product_is_read_as_expected() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in FIELD.into_iter().flat_map(str::lines) {
        let refusal: Value = serde_json::from_str(line).unwrap();
        let read = read(&refusal).await;
        count += 1;
        if !is_wanted(&refusal["want"], &read) {
            wrong.push(format!("{}: wanted {}, read {read:?}", refusal["id"], refusal["want"]));
        }
    }
    assert!(wrong.is_empty() && count == 371, "{count} lines\n{}", wrong.join("\n"));
}
