//! Answers for many tests.

use http::header::WWW_AUTHENTICATE;

pub(crate) use reqwest_challenge_testing::{Answer, Script};

pub(crate) const API: &str = "https://api.example.com";

pub(crate) fn status(status: u16) -> Answer {
    Answer::new(status)
}

pub(crate) fn challenged() -> Answer {
    challenged_with("Bearer realm=\"api\"")
}

pub(crate) fn challenged_with(challenge: &str) -> Answer {
    respond(401, &[(WWW_AUTHENTICATE.as_str(), challenge)], "who are you?")
}

pub(crate) fn respond(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let answer = Answer::new(status).body(body.to_owned());
    headers.iter().fold(answer, |answer, (name, value)| answer.header(name, value))
}
