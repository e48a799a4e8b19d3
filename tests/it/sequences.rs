//! All sequences of three responses, for every kind of request. No sequence breaks an invariant.

use http::header::WWW_AUTHENTICATE;
use reqwest::Method;
use reqwest_challenge::{ChallengeMiddleware, Credential, Error};

use crate::support::fake::Fake;
use crate::support::script::{API, Answer, ReceivedRequest, Script, challenged_with, respond, status, stream};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Ok,
    Challenged,
    Bare,
    Broken,
    Demanding,
    Forbidden,
    Down,
    MovedHere(u16),
    MovedAway(u16),
    Echo,
}

const ANSWERS: [Kind; 14] = [
    Kind::Ok,
    Kind::Challenged,
    Kind::Bare,
    Kind::Broken,
    Kind::Demanding,
    Kind::Forbidden,
    Kind::Down,
    Kind::MovedHere(200),
    Kind::MovedHere(401),
    Kind::MovedHere(403),
    Kind::MovedAway(200),
    Kind::MovedAway(401),
    Kind::MovedAway(403),
    Kind::Echo,
];

impl Kind {
    fn respond(self, arrived: &ReceivedRequest) -> Answer {
        let moved =
            |status, url: &str| respond(status, &[(WWW_AUTHENTICATE.as_str(), "Bearer scope=\"x\"")], "").url(url);
        match self {
            Self::Ok => status(200),
            Self::Challenged => challenged_with("Bearer realm=\"api\""),
            Self::Bare => status(401),
            Self::Broken => challenged_with("@@, Bearer realm=https://x, scope=\"cut"),
            Self::Demanding => challenged_with("Bearer error=\"insufficient_claims\", claims=\"e30=\""),
            Self::Forbidden => respond(403, &[(WWW_AUTHENTICATE.as_str(), "Bearer scope=\"x\"")], ""),
            Self::Down => status(500),
            Self::MovedHere(status) => moved(status, &format!("{API}/moved")),
            Self::MovedAway(status) => moved(status, "https://evil.example/"),
            Self::Echo => {
                let sent = arrived.header("authorization").unwrap_or_default().to_owned();
                let body = serde_json::json!({ "message": sent }).to_string();
                respond(
                    401,
                    &[
                        (WWW_AUTHENTICATE.as_str(), &format!("Bearer realm=\"{sent}\"")),
                        ("content-type", "application/json"),
                    ],
                    &body,
                )
            }
        }
    }

    fn is_final(self) -> bool {
        matches!(self, Self::Forbidden | Self::MovedHere(403) | Self::MovedAway(403 | 401) | Self::Ok | Self::Down)
    }
}

/// Sends one request and checks the invariants.
async fn walk(answers: [Kind; 3], method: Method, streaming: bool, credential: bool, pass_through: bool) {
    let case = format!("{answers:?} {method} stream {streaming}, credential {credential}, pass-through {pass_through}");
    let server = Script::new(move |arrived, number| answers[number.min(2)].respond(arrived));
    let initial = credential.then(|| Credential::bearer("hunter2-0"));
    let fake = Fake::answering(|number, _| Ok(Some(Credential::bearer(format!("hunter2-{number}")))))
        .with_initial(Ok(initial));
    let auth = ChallengeMiddleware::builder(API, fake.clone());
    let auth = if pass_through { auth.pass_through() } else { auth }.build().unwrap();
    let request = server.client(&auth).request(method, API);
    let request = if streaming { request.body(stream("once")) } else { request.body("bytes") };
    let outcome = request.send().await;

    let sends = server.sends();
    assert!(sends <= 2, "{sends} sends: {case}");
    assert!(fake.calls() <= 1, "{} refreshes: {case}", fake.calls());
    assert!(!(answers[0].is_final() && sends > 1), "sent again after a final answer: {case}");
    assert!(!(answers[0].is_final() && fake.calls() > 0), "refreshed after a final answer: {case}");
    assert!(!(streaming && sends > 1), "a stream was sent twice: {case}");
    let arrived = server.requests();
    assert!(
        sends < 2 || arrived[0].credential() != arrived[1].credential(),
        "the same credential was sent twice: {case}"
    );
    match outcome {
        Ok(response) => {
            let refused = matches!(response.status().as_u16(), 401 | 403);
            assert!(!refused || pass_through, "{} as Ok: {case}", response.status());
        }
        Err(error) => {
            assert!(!pass_through, "{error:?}: {case}");
            let found = Error::find(&error).unwrap_or_else(|| panic!("{error:?}: {case}"));
            let shown = format!("{error} {error:?} {found:?} {:?} {:?}", auth, fake.contexts());
            assert!(!shown.contains("hunter2"), "{shown}: {case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_sequence_of_responses_breaks_an_invariant() {
    let mut walked = 0;
    for first in ANSWERS {
        for second in ANSWERS {
            for third in ANSWERS {
                for method in [Method::GET, Method::POST] {
                    for bits in 0..8_u8 {
                        let [streaming, credential, pass_through] = [1, 2, 4].map(|bit| bits & bit != 0);
                        walk([first, second, third], method.clone(), streaming, credential, pass_through).await;
                        walked += 1;
                    }
                }
            }
        }
    }
    assert_eq!(walked, 14 * 14 * 14 * 2 * 8);
}
