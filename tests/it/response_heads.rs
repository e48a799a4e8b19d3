//! What a scheme sees of a response: the time, and the header that the request carried.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest_challenge::{Authorize, BoxError, ChallengeMiddleware, Credential, Observed, ResponseHead};

use crate::support::fake::Fake;
use crate::support::script::{API, Script, challenged, status};

/// What a scheme saw: the call, the time, and the sent header.
type Seen = Arc<Mutex<Vec<(&'static str, SystemTime, Option<String>)>>>;

/// A scheme that sends a token and, after it, a second secret header.
struct Watching {
    token: &'static str,
    header: Option<HeaderName>,
    seen: Seen,
}

impl Watching {
    fn credential(token: &'static str, seen: &Seen) -> Credential {
        Credential::custom(Self { token, header: Some(AUTHORIZATION), seen: seen.clone() })
    }

    fn record(&self, call: &'static str, head: &ResponseHead<'_>) {
        let sent = head.sent_header().map(|value| value.to_str().unwrap().to_owned());
        self.seen.lock().unwrap().push((call, head.now(), sent));
    }
}

#[async_trait::async_trait]
impl Authorize for Watching {
    fn scheme(&self) -> &str {
        "Watching"
    }

    fn header_name(&self) -> Option<&HeaderName> {
        self.header.as_ref()
    }

    async fn authorize(&self, request: &mut reqwest::Request, _now: SystemTime) -> Result<(), BoxError> {
        request.headers_mut().insert(AUTHORIZATION, format!("Bearer {}", self.token).parse()?);
        let mut proof = HeaderValue::from_static("proof");
        proof.set_sensitive(true);
        request.headers_mut().insert("x-proof", proof);
        Ok(())
    }

    fn observe(&self, head: &ResponseHead<'_>) -> Result<Observed, BoxError> {
        self.record("observe", head);
        Ok(Observed::Nothing)
    }

    fn learn(&self, head: &ResponseHead<'_>) {
        self.record("learn", head);
    }
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A middleware whose clock shows these seconds.
fn auth(fake: Fake, seconds: &Arc<AtomicU64>) -> ChallengeMiddleware {
    let seconds = seconds.clone();
    ChallengeMiddleware::builder(API, fake).clock(move || at(seconds.load(Ordering::SeqCst))).build().unwrap()
}

/// A refresher that begins with one credential, and renews it with a watching one.
fn refresher(initial: Option<Credential>, seen: &Seen) -> Fake {
    let seen = seen.clone();
    Fake::answering(move |_, _| Ok(Some(Watching::credential("t1", &seen)))).with_initial(Ok(initial))
}

#[tokio::test]
async fn a_scheme_sees_the_time_of_the_session_and_the_header_of_each_send() {
    let (seen, clock) = (Seen::default(), Arc::new(AtomicU64::new(60)));
    let moved = clock.clone();
    let server = Script::new(move |arrived, _| match arrived.token() {
        "t1" => status(200),
        _ => {
            moved.store(120, Ordering::SeqCst);
            challenged()
        }
    });
    let auth = auth(refresher(Some(Watching::credential("t0", &seen)), &seen), &clock);
    assert_eq!(server.client(&auth).get(API).send().await.unwrap().status(), 200);
    let header = |token: &str| Some(format!("Bearer {token}"));
    let expected =
        [("observe", at(120), header("t0")), ("learn", at(120), header("t0")), ("observe", at(120), header("t1"))];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_new_scheme_learns_the_header_of_the_refused_credential() {
    for (initial, expected) in [(Some(Credential::bearer("t0")), Some("Bearer t0".to_owned())), (None, None)] {
        let (seen, clock) = (Seen::default(), Arc::new(AtomicU64::new(60)));
        let auth = auth(refresher(initial, &seen), &clock);
        assert_eq!(Script::accepting("t1").client(&auth).get(API).send().await.unwrap().status(), 200);
        assert_eq!(seen.lock().unwrap()[0], ("learn", at(60), expected));
    }
}

#[tokio::test]
async fn a_scheme_that_names_no_header_sees_none() {
    let (seen, clock) = (Seen::default(), Arc::new(AtomicU64::new(60)));
    let scheme = Watching { token: "t0", header: None, seen: seen.clone() };
    let auth = auth(refresher(Some(Credential::custom(scheme)), &seen), &clock);
    assert_eq!(Script::accepting("t0").client(&auth).get(API).send().await.unwrap().status(), 200);
    assert_eq!(*seen.lock().unwrap(), [("observe", at(60), None)]);
}
