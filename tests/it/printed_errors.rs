//! A printed error is the same line at every entrance, and its causes repeat nothing.

use std::error::Error as StdError;
use std::time::SystemTime;

use reqwest_challenge::{Authorize, BoxError, ChallengeMiddleware, Credential, Error, RefreshError, async_trait};

use crate::finders::{auth, error, server};
use crate::support::fake::Fake;
use crate::support::script::API;

/// The messages of an error and its causes, as a caller prints them.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> Vec<String> {
    std::iter::successors(Some(error), |error| (*error).source()).map(ToString::to_string).collect()
}

/// Whether two messages have three words in a row in common.
fn repeats(one: &str, other: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        text.split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (one, other) = (words(one), words(other));
    other.windows(3).any(|some| one.windows(3).any(|three| three == some))
}

/// A scheme that cannot sign.
struct Broken;

#[async_trait]
impl Authorize for Broken {
    fn scheme(&self) -> &str {
        "Broken"
    }

    async fn authorize(&self, _: &mut reqwest::Request, _: SystemTime) -> Result<(), BoxError> {
        Err("the key is locked".into())
    }
}

/// Errors of several variants, before and after a send.
async fn several_errors() -> Vec<reqwest_middleware::Error> {
    let mut all = Vec::new();
    let failures = [
        RefreshError::other("the disk is full"),
        RefreshError::login_required("run `tool login`"),
        RefreshError::credential_revoked("invalid_grant"),
        RefreshError::denied("access_denied"),
        RefreshError::transient(None).caused_by("connection refused"),
    ];
    for failure in failures {
        // A 401, and a 403.
        let client = server().client(&auth(&Fake::failing(failure.clone())));
        all.extend([error(&client, "/").await, error(&client, "/forbidden").await]);
        // Nothing is sent.
        let client = server().client(&auth(&Fake::new().with_initial(Err(failure))));
        all.push(error(&client, "/").await);
    }
    let client = server().client(&auth(&Fake::new()));
    all.push(error(&client, "/").await);
    all.push(client.get("http://api.example.com/").send().await.unwrap_err());
    for credential in [Credential::bearer("a\nb"), Credential::custom(Broken)] {
        let auth = ChallengeMiddleware::new(API, credential).unwrap();
        all.push(error(&server().client(&auth), "/").await);
    }
    all
}

#[tokio::test]
async fn the_full_line_is_the_same_everywhere_and_no_text_repeats() {
    for error in several_errors().await {
        let ours = Error::find(&error).unwrap().clone();
        let line = ours.to_string();
        let full = chain(&error);
        assert_eq!(chain(&ours), full);
        match &ours {
            Error::Unauthorized(refused) => assert_eq!(chain(refused), full),
            Error::Forbidden(denied) => assert_eq!(chain(denied), full),
            Error::Insecure(insecure) => assert_eq!(chain(insecure), full),
            Error::Authorize(failed) => assert_eq!(chain(failed), full),
            _ => {}
        }
        assert!(full.iter().all(|text| !text.is_empty()));
        for (number, text) in full.iter().enumerate() {
            assert!(full[..number].iter().all(|above| !above.contains(&**text) && !repeats(above, text)), "{full:#?}");
        }
        assert_eq!(full[0], line);
        assert_eq!(format!("{:#}", anyhow::Error::from(error)), full.join(": "));
        // The error prints the same as the cause of another error, and after a search.
        let outer = anyhow::Error::new(ours).context("reading reports");
        assert!(Error::find(outer.as_ref()).is_some());
        assert_eq!(chain(outer.as_ref())[1..], full);
    }
}

#[tokio::test]
async fn each_message_of_the_chain_is_printed_once() {
    let client = server().client(&auth(&Fake::failing(RefreshError::other("the disk is full"))));
    let error = error(&client, "/").await;
    let line = format!("401 to GET {API}/: who are you? (no new credential)");
    assert_eq!(error.to_string(), line);
    assert_eq!(format!("{:#}", anyhow::Error::from(error)), format!("{line}: the refresh failed: the disk is full"));
}
