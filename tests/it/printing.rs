//! Texts of servers are printed without characters that a terminal hides.

use reqwest_challenge::{ChallengeMiddleware, Challenges, Credential, Forbidden, Unauthorized};

use crate::support::script::{API, Script, respond};

/// Characters of each category that a terminal hides: the ends of their ranges, and the characters that Unicode ignores by
/// default.
const HIDDEN: [char; 40] = [
    '\u{0}',
    '\u{7}',
    '\u{1b}',
    '\u{7f}',
    '\u{85}',
    '\u{9b}',
    '\u{ad}',
    '\u{34f}',
    '\u{61c}',
    '\u{115f}',
    '\u{1160}',
    '\u{17b4}',
    '\u{180e}',
    '\u{180f}',
    '\u{200b}',
    '\u{200d}',
    '\u{200f}',
    '\u{2028}',
    '\u{2029}',
    '\u{202e}',
    '\u{2060}',
    '\u{2066}',
    '\u{206f}',
    '\u{2800}',
    '\u{3164}',
    '\u{e000}',
    '\u{f8ff}',
    '\u{fe00}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{ffa0}',
    '\u{fff9}',
    '\u{ffff}',
    '\u{110bd}',
    '\u{1d173}',
    '\u{e0001}',
    '\u{e0041}',
    '\u{e0100}',
    '\u{f0000}',
    '\u{10ffff}',
];

const SHOWN: &str = "Zugriff verweigert für „Jürgen“: доступ запрещён, アクセス拒否, اذن, שָׁלוֹם, ที่นี่, ệ, e\u{301}, 🔒";

async fn refused(status: u16, text: &str) -> reqwest_middleware::Error {
    let body = serde_json::json!({ "detail": text, "error": text }).to_string();
    let server = Script::new(move |_, _| respond(status, &[("content-type", "application/json")], &body));
    let auth = ChallengeMiddleware::new(API, Credential::bearer("t1")).unwrap();
    server.client(&auth).get(API).send().await.unwrap_err()
}

#[tokio::test]
async fn a_character_that_a_terminal_hides_is_printed_as_an_escape() {
    for hidden in HIDDEN {
        let escape = hidden.escape_unicode().to_string();
        for status in [401, 403] {
            let error = refused(status, &format!("a{hidden}b")).await;
            let (refused, denied) = (Unauthorized::find(&error), Forbidden::find(&error));
            let found =
                refused.map_or_else(|| denied.map_or_else(String::new, ToString::to_string), ToString::to_string);
            for shown in [found, error.to_string(), format!("{error:?}"), format!("{:#}", anyhow::Error::from(error))] {
                assert!(!shown.contains(hidden), "{hidden:?} in {shown:?}");
                assert!(shown.contains(&format!("a{escape}b")), "{escape} in {shown}");
            }
        }
        let read = Challenges::parse(format!("Basic realm=\"a{hidden}b\"")).to_string();
        // A control octet that a field must not contain is printed as a space.
        assert!(!read.contains(hidden), "{read:?}");
    }
}

#[tokio::test]
async fn text_of_any_language_is_printed_unchanged() {
    let error = refused(403, SHOWN).await;
    assert!(error.to_string().contains(SHOWN), "{error}");
    assert!(Challenges::parse(format!("Basic realm=\"{SHOWN}\"")).to_string().contains(SHOWN));
}

#[tokio::test]
async fn stacked_combining_marks_are_printed_as_escapes() {
    let error = refused(403, &format!("a{}b", "\u{301}".repeat(200))).await;
    let shown = Forbidden::find(&error).unwrap().to_string();
    assert!(
        shown.contains("a\u{301}\u{301}\u{301}\u{301}\\u{301}") && shown.matches('\u{301}').count() == 4,
        "{shown}"
    );
    let shown = refused(403, "\u{489}x").await.to_string();
    assert!(shown.contains("\u{489}x"), "{shown}");
    // The limit counts the full width of an escape.
    let shown = refused(403, &"\u{202e}".repeat(1_000)).await.to_string();
    assert!(shown.ends_with('…') && shown.chars().count() <= 301, "{} {shown}", shown.chars().count());
}
