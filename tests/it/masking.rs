//! Secrets that a server echoes are masked. The words of the crate are not masked.

use std::error::Error as StdError;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use reqwest_challenge::{
    CallOptions, ChallengeMiddleware, Challenges, Credential, Event, Forbidden, RefreshError, RefreshReason,
    Unauthorized,
};

use crate::support::fake::Fake;
use crate::support::script::{API, Script, respond};
use crate::support::traced;

const SECRET: &str = "Hunter2/se+cret~Xyz9";

/// The encodings in which a server may write a secret.
fn written(secret: &str) -> Vec<String> {
    let percent = |octet: u8, lower: bool| if lower { format!("%{octet:02x}") } else { format!("%{octet:02X}") };
    let all = |lower| secret.bytes().map(|octet| percent(octet, lower)).collect::<String>();
    let some: String = secret
        .chars()
        .enumerate()
        .map(|(at, c)| if at % 3 == 0 { percent(c as u8, at % 2 == 0) } else { c.into() })
        .collect();
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let hex: String = secret.bytes().map(|octet| format!("{octet:02x}")).collect();
    let unicode: String = secret.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let entities: String = secret.chars().map(|c| format!("&#x{:x};", c as u32)).collect();
    let mut all = vec![
        secret.to_owned(),
        secret.to_lowercase(),
        secret.to_uppercase(),
        all(true),
        all(false),
        some,
        form.clone(),
        form.to_lowercase(),
        form.replace('%', "%25"),
        hex.to_uppercase(),
        hex,
        unicode,
        entities,
        secret.replace('/', "\\/"),
        format!("Bearer {secret}"),
    ];
    for before in ["", "a", "ab", "me:", "{\"token\":\""] {
        let text = format!("{before}{secret}\"}}");
        all.extend([&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD].map(|engine| engine.encode(&text)));
        all.push(STANDARD.encode(format!("{before}{secret}")));
    }
    all
}

/// A part of the secret, or of the echo, that is visible in the shown text.
fn leaks(shown: &str, secret: &str, echo: &str) -> Option<String> {
    let shown = shown.to_lowercase();
    let pieces = |text: &str| {
        let text = text.to_lowercase();
        (0..text.len().saturating_sub(7)).map(|at| text[at..at + 8].to_owned()).collect::<Vec<_>>()
    };
    // Eight consecutive octets of the echo, except for those that are not part of the secret.
    let plain = ["{\"token\":\"".to_owned(), STANDARD.encode("{\"token\":\""), STANDARD.encode("me:")];
    let plain: Vec<_> = plain.iter().flat_map(|text| pieces(text)).collect();
    let all = pieces(secret).into_iter().chain(pieces(&echo.replace("Bearer ", "")));
    all.filter(|piece| !plain.contains(piece)).find(|piece| shown.contains(piece))
}

fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut next = error.source();
    while let Some(cause) = next {
        text += &format!(" {cause} {cause:?}");
        next = cause.source();
    }
    text
}

/// Everything that can be printed of an error.
fn shown(error: reqwest_middleware::Error) -> String {
    let mut text = chain(&error);
    if let Some(refused) = Unauthorized::find(&error) {
        text += &format!("{refused} {refused:?} {:?} {:?} ", refused.message(), refused.error_code());
        text += &format!("{:?} {:?} {:?} ", refused.problem(), refused.help_url(), refused.challenges());
    }
    if let Some(denied) = Forbidden::find(&error) {
        text += &format!("{denied} {denied:?} {:?} {:?} ", denied.message(), denied.error_code());
        text += &format!("{:?} {:?} {:?} ", denied.problem(), denied.help_url(), denied.challenges());
        text += &format!("{:?} ", denied.required_scopes());
        text += &denied.challenges().iter().map(|one| views(&one)).collect::<String>();
    }
    text + &format!("{:#}", anyhow::Error::from(error))
}

fn views(challenge: &reqwest_challenge::Challenge<'_>) -> String {
    let params: Vec<_> = challenge.params().collect();
    format!("{challenge:?} {params:?} {:?} {:?}", challenge.bearer().and_then(|one| one.error()), challenge.digest())
}

/// Responses that echo the text at every position of the header fields and at one position of the body.
fn responses(echo: &str) -> Vec<(Vec<(&'static str, String)>, String)> {
    let quoted = echo.replace('\\', "\\\\").replace('"', "\\\"");
    let json = serde_json::Value::from(echo);
    let names = ["error", "scope", "claims", "acr_values", "error_uri", "realm", "resource_metadata"];
    let params: String = names.iter().map(|name| format!("{name}=\"{quoted}\", ")).collect();
    let lines = [
        format!("Bearer {params}error_description=\"not {quoted}\""),
        format!("Bearer scope=\"read x:{quoted}\""),
        format!("Bearer {echo}=\"x\", {echo}, {echo}"),
        format!("{echo} a=b"),
    ];
    let header = |media: &str| {
        let lines = lines.iter().map(|line| ("www-authenticate", line.clone()));
        lines.chain([("content-type", media.to_owned())]).collect::<Vec<_>>()
    };
    let prose = |text: String| format!("{{\"detail\": {}}}", serde_json::Value::from(text));
    let xml = echo.replace('&', "&amp;").replace('<', "&lt;");
    vec![
        (
            header("application/json"),
            format!("{{\"error\": {json}, \"title\": {json}, \"detail\": {json}, \"documentation_url\": {json}}}"),
        ),
        (header("application/json"), format!("{{\"error\": {{\"code\": {json}, \"message\": {json}}}}}")),
        (header("application/json"), prose(format!("no user for ‘{echo}’."))),
        (header("application/json"), prose(format!("cannot GET /x?token={echo}&y=1"))),
        (header("text/plain"), format!("the token {echo} is not good")),
        (header("application/xml"), format!("<Error><Code>Denied</Code><Message>no {xml}</Message></Error>")),
    ]
}

/// A server that sends this response.
fn server(code: u16, headers: Vec<(&'static str, String)>, body: String) -> Script {
    Script::new(move |_, _| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        respond(code, &headers, &body)
    })
}

#[tokio::test]
async fn an_echo_of_a_credential_is_masked_in_each_encoding_and_at_each_position() {
    traced::capture();
    let basic = STANDARD.encode(format!("me:{SECRET}"));
    let some = |all: Vec<String>| all.into_iter().step_by(4).collect();
    let credentials = [
        (Credential::bearer(SECRET), written(SECRET)),
        (Credential::header("x-api-key".parse().unwrap(), SECRET), some(written(SECRET))),
        (Credential::basic("me", SECRET), some([written(SECRET), written(&basic)].concat())),
        (Credential::bearer("Another-1-token").with_attachment(SECRET), some(written(SECRET))),
    ];
    for (credential, echoes) in credentials {
        for echo in echoes {
            for (headers, body) in responses(&echo) {
                for code in [401, 403] {
                    let events = Arc::new(Mutex::new(String::new()));
                    let seen = events.clone();
                    let auth = ChallengeMiddleware::builder(API, credential.clone())
                        .on_event(move |event: &Event| seen.lock().unwrap().push_str(&format!("{event:?} {event:#?}")))
                        .build()
                        .unwrap();
                    let server = server(code, headers.clone(), body.clone());
                    let error = server.client(&auth).get(API).send().await.unwrap_err();
                    let shown = shown(error) + &events.lock().unwrap() + &traced::text();
                    traced::capture();
                    let leak = leaks(&shown, SECRET, &echo);
                    assert_eq!(leak, None, "{code} {echo} in {headers:?} {body}: {shown}");
                }
            }
        }
    }
}

#[tokio::test]
async fn an_echo_is_masked_in_the_errors_and_demands_of_a_refresher() {
    for echo in written(SECRET).into_iter().filter(|echo| !echo.contains(['"', '\\'])) {
        let printed = Arc::new(Mutex::new(String::new()));
        let (seen, text) = (printed.clone(), echo.clone());
        let fake = Fake::answering(move |_, context| {
            let demand = context.demand();
            // The refresher receives the text of the server unmasked.
            assert!(context.reason() != RefreshReason::Challenged || demand.claims() == Some(&text), "{text}");
            seen.lock().unwrap().push_str(&format!("{context:?} {demand:?} {demand:#?}"));
            Err(RefreshError::denied(text.clone()).caused_by(format!("the server says 400: {text}")))
        });
        let fake = fake.with_initial(Ok(Some(Credential::bearer("old-t0ken").with_attachment(SECRET))));
        let auth = ChallengeMiddleware::new(API, fake).unwrap();
        let challenge = format!("Bearer claims=\"{echo}\", acr_values=\"{echo}\", max_age=1");
        let server = server(401, vec![("www-authenticate", challenge)], String::new());
        let error = server.client(&auth).get(API).send().await.unwrap_err();
        let shown = shown(error) + &chain(&auth.session().login().await.unwrap_err());
        let shown = shown + &printed.lock().unwrap();
        assert!(shown.contains("the server says 400: ") && shown.contains("***"), "{shown}");
        assert_eq!(leaks(&shown, SECRET, &echo), None, "{echo}: {shown}");
    }
}

#[tokio::test]
async fn the_words_of_the_crate_are_not_masked_for_any_secret() {
    for secret in [
        "t",
        "api",
        "status",
        "admin",
        "GET",
        "401",
        "403",
        "http",
        "https",
        "example",
        "com",
        "from",
        "unauthorized",
        "credential",
        "password",
        "Bearer",
    ] {
        for code in [401, 403] {
            let server =
                server(code, vec![("content-type", "application/json".to_owned())], "{\"detail\": \"-\"}".to_owned());
            for credential in [Credential::bearer(secret), Credential::basic(secret, secret)] {
                let auth = ChallengeMiddleware::new(API, credential).unwrap();
                let error = server.client(&auth).get(format!("{API}/api/status?t=admin")).send().await.unwrap_err();
                let shown = shown(error);
                assert!(
                    shown.contains(&format!("{code} to GET https://api.example.com/api/status: - ")) || code == 403,
                    "{shown}"
                );
                assert!(!shown.contains("***"), "{secret}: {shown}");
            }
        }
    }
}

/// The message of a 403 whose detail is that text.
pub(crate) async fn message(secret: &str, text: &str) -> String {
    let body = serde_json::json!({ "detail": text }).to_string();
    let server = server(403, vec![("content-type", "application/json".to_owned())], body);
    let auth = ChallengeMiddleware::new(API, Credential::bearer(secret)).unwrap();
    let error = server.client(&auth).get(API).send().await.unwrap_err();
    Forbidden::find(&error).unwrap().message().unwrap()
}

#[tokio::test]
async fn a_common_secret_is_masked_only_where_it_is_a_whole_word() {
    for (secret, text, wanted) in [
        ("t", "don't; a t-shirt, not t", "don't; a t-shirt, not ***"),
        ("t", "bad token: \"t\".", "bad token: \"***\"."),
        ("api", "the api at api.example.com, api", "the *** at api.example.com, ***"),
        (
            "admin",
            "administrators, Admin, admin_only; you sent admin.",
            "administrators, Admin, admin_only; you sent ***.",
        ),
        ("status", "statuses; ‘status’", "statuses; ‘***’"),
        ("admin", "YWRtaW4= %61dmin 61646d696e", "***= *** ***"),
        ("password", "passwords are wrong: password", "passwords are wrong: ***"),
        ("12345", "123456 12345", "123456 ***"),
        ("hunter2", "xhunter2x HUNTER2", "x***x ***"),
        ("Hunter2-and-more", "cut: Hunter2-and", "cut: ***"),
        ("Hunter2-and-more", "cut: Hunter2-and… (token)", "cut: ***… (token)"),
        ("dG9rZW4tMQ==", "dG9rZW4tMQ dG9rZW4tMQ==", "*** ***"),
        ("hünter-größe", "so: h%C3%BCnter-gr%c3%b6%C3%9Fe", "so: h%C3%BCnter-gr%c3%b6%C3%9Fe"),
    ] {
        // A token is ASCII. A password can have other characters.
        if secret.is_ascii() {
            assert_eq!(message(secret, text).await, wanted, "{secret}");
        }
    }
}

#[tokio::test]
async fn values_that_the_caller_marks_as_sensitive_are_masked() {
    let mut cookie = reqwest::header::HeaderValue::from_static("session=hunter2-cookie");
    cookie.set_sensitive(true);
    let body = "{\"detail\": \"bad session=hunter2-cookie\"}".to_owned();
    let server = server(403, vec![("content-type", "application/json".to_owned())], body);
    let auth = ChallengeMiddleware::new(API, Credential::bearer("t1")).unwrap();
    let error = server.client(&auth).get(API).header("cookie", cookie).send().await.unwrap_err();
    assert_eq!(Forbidden::find(&error).unwrap().message().as_deref(), Some("bad ***"));
}

#[tokio::test]
async fn an_attachment_is_masked_except_for_its_urls() {
    let kept = r#"{"oauth":1,"issuer":"https://auth.example.com","client_id":"tool-1","refresh_token":"Ref\/resh-1","client_secret":"s3cret-2"}"#;
    for (text, wanted) in [
        ("Ref/resh-1 or Ref%2Fresh-1 or s3cret-2 of tool-1", "*** or *** or *** of tool-1"),
        ("ask https://auth.example.com", "ask https://auth.example.com"),
        ("cannot GET /x?access_token=hunter2%2dquery&page=status", "cannot GET /x?access_token=***&page=status"),
    ] {
        let body = serde_json::json!({ "detail": text }).to_string();
        let server = server(403, vec![("content-type", "application/json".to_owned())], body);
        let auth = ChallengeMiddleware::new(API, Credential::bearer("t1").with_attachment(kept)).unwrap();
        let url = format!("{API}/x?access_token=hunter2-query&page=status");
        let error = server.client(&auth).get(url).send().await.unwrap_err();
        assert_eq!(Forbidden::find(&error).unwrap().message().as_deref(), Some(wanted));
    }
}

#[tokio::test]
async fn an_echoed_secret_is_not_requested_as_a_scope() {
    let fake = Fake::answering(|_, context| {
        assert_eq!(context.demand().scopes(), ["read"]);
        Ok(Some(Credential::bearer("t0ken-2")))
    });
    let auth = ChallengeMiddleware::new(API, fake.with_initial(Ok(Some(Credential::bearer("t0ken-1"))))).unwrap();
    let challenge = "Bearer error=\"insufficient_scope\", scope=\"read T0KEN-1\"".to_owned();
    let server = server(403, vec![("www-authenticate", challenge)], String::new());
    let error = server.client(&auth).get(API).send().await.unwrap_err();
    let denied = Forbidden::find(&error).unwrap();
    assert_eq!(denied.required_scopes(), ["read", "***"]);
    auth.session().step_up(denied).await.unwrap();
}

#[tokio::test]
async fn an_echo_is_masked_in_the_names_of_header_fields() {
    let server = Script::new(|_, _| respond(403, &[("x-hunter2-secret", "1")], ""));
    let auth = ChallengeMiddleware::new(API, Credential::bearer("Hunter2-secret")).unwrap();
    let error = server.client(&auth).get(API).send().await.unwrap_err();
    let shown = format!("{:?}", Forbidden::find(&error).unwrap());
    assert!(shown.contains("x-***") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn debug_shows_no_text_of_a_server() {
    let read =
        Challenges::parse("Bearer error=hunter2, scope=hunter2, Digest algorithm=hunter2, Hunter2 hunter2=hunter2");
    let all: String = read.iter().map(|one| views(&one)).collect();
    let algorithm = read.get("digest").and_then(|one| one.digest()).unwrap().algorithm();
    let credential = Credential::bearer("hunter2-token").with_scopes(["read", "hunter2-token"]);
    let shown =
        format!("{all} {algorithm:?} {read:?} {credential:?} {:?}", CallOptions::new().identity(credential.clone()));
    assert!(!shown.to_lowercase().contains("hunter2"), "{shown}");
    assert!(shown.contains("scopes: [\"read\", \"***\"]"), "{shown}");
}

#[tokio::test]
async fn a_long_text_is_masked_in_linear_time() {
    // A search that starts again at each position would take hours.
    let secret = format!("{}b", "a-".repeat(5_000));
    let text = "a-".repeat(10_000) + &secret + &"a%61".repeat(3_000);
    let message = message(&secret, &text).await;
    assert!(message.contains("***") && !message.contains(&secret), "{}", message.len());
}
