//! Requests a URL of the user, and says what the server answers or why no answer arrives.

use std::fmt::Write;
use std::time::Duration;

use reqwest_challenge::reqwest::{Client, Url};
use reqwest_challenge::support::{Masker, error_lines};
use reqwest_challenge::{
    BoxError, ChallengeMiddleware, Challenges, Credential, Error, Forbidden, Origin, Password, Unauthorized,
    UnauthorizedReason,
};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

const TIMEOUT: Duration = Duration::from_secs(30);
const SET_LOGIN: &str = "set API_TOKEN, or API_USER and API_PASSWORD";
const NO_CHALLENGE: &str = "the server does not say how to log in (RFC 9110 §15.5.2)";

/// The credential of the user.
pub(crate) enum Login {
    Nothing,
    Token(String),
    Password(String, String),
}

impl Login {
    /// Reads `API_TOKEN`, or `API_USER` and `API_PASSWORD`.
    ///
    /// # Errors
    /// Names the missing variable if only one of `API_USER` and `API_PASSWORD` is set.
    pub(crate) fn from_env() -> Result<Self, String> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// As [`from_env`](Self::from_env), with the variables that this function returns. An empty variable is not set.
    pub(crate) fn from_variables(value: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let variable = |name| value(name).filter(|value| !value.is_empty());
        let missing = |name: &str, set: &str| Err(format!("error: {set} is set, but {name} is not: set {name} too\n"));
        match (variable("API_TOKEN"), variable("API_USER"), variable("API_PASSWORD")) {
            (Some(token), ..) => Ok(Self::Token(token)),
            (None, Some(user), Some(password)) => Ok(Self::Password(user, password)),
            (None, Some(_), None) => missing("API_PASSWORD", "API_USER"),
            (None, None, Some(_)) => missing("API_USER", "API_PASSWORD"),
            (None, None, None) => Ok(Self::Nothing),
        }
    }

    /// Hides the credential if the server repeats it.
    fn masker(&self) -> Masker {
        let mut masker = Masker::default();
        match self {
            Self::Nothing => {}
            Self::Token(token) => masker.add_credential(&Credential::bearer(token)),
            Self::Password(user, password) => masker.add_credential(&Credential::basic(user, password)),
        }
        masker
    }
}

/// The answer of a server.
pub(crate) struct Answered {
    /// The challenges, their defects and the outcome.
    pub(crate) report: String,
    /// Whether the request succeeded: a status below 400.
    pub(crate) is_good: bool,
}

/// Requests the URL.
///
/// # Errors
/// Explains why no answer arrives: the text is not a URL, the server cannot be reached, or this build has no TLS.
pub(crate) async fn ask(text: &str, login: Login) -> Result<Answered, String> {
    let url = url(text)?;
    let client = client(&url, &login).map_err(|error| lines("the request is not sent", &error_lines(&*error)))?;
    let report = |read: &Challenges, outcome: &str| format!("{}outcome: {outcome}\n", challenges(read, &login));
    let error = match client.get(url.clone()).send().await {
        Ok(response) => {
            let (read, status) = (Challenges::from_headers(response.headers()), response.status());
            return Ok(Answered { report: report(&read, &status.to_string()), is_good: status.as_u16() < 400 });
        }
        Err(error) => error,
    };
    let causes = error_lines(&error);
    let outcome = causes.join("\n  ");
    let report = match Error::find(&error) {
        Some(Error::Unauthorized(refused)) => {
            report(refused.challenges(), &outcome) + &login.masker().mask(remedy(refused, &login)) + "\n"
        }
        Some(Error::Forbidden(denied)) => {
            report(denied.challenges(), &outcome) + &login.masker().mask(remedy_of_403(denied, &login)) + "\n"
        }
        Some(_) => return Err(lines("the call fails", &causes)),
        None => return Err(unanswered(&url, &error, &causes)),
    };
    Ok(Answered { report, is_good: false })
}

fn url(text: &str) -> Result<Url, String> {
    let help = |error: &str| format!("error: this is not the URL of an API: {error}\n  write https://… or http://…\n");
    let url = Url::parse(text).map_err(|error| help(&error.to_string()))?;
    if Origin::of(&url).is_none() {
        return Err(help("it is not an http or https URL"));
    }
    Ok(url)
}

fn client(url: &Url, login: &Login) -> Result<ClientWithMiddleware, BoxError> {
    let origin = url.origin().ascii_serialization();
    let auth = match login {
        Login::Token(token) => {
            let credential = Credential::bearer(token).with_source("env:API_TOKEN");
            credential.check()?;
            ChallengeMiddleware::builder(origin, credential)
        }
        // The password is sent if the server asks for Basic, and not if it asks for Digest only.
        Login::Password(user, password) => ChallengeMiddleware::builder(origin, Password::new(user, password.as_str())),
        // Plain http is allowed, because no credential is sent.
        Login::Nothing => {
            ChallengeMiddleware::builder(origin, |_| async { Ok::<_, BoxError>(None) }).dangerous_allow_plaintext()
        }
    };
    Ok(ClientBuilder::new(Client::builder().timeout(TIMEOUT).build()?).with(auth.build()?).build())
}

/// Explains why no answer arrived.
fn unanswered(url: &Url, error: &reqwest_middleware::Error, causes: &[String]) -> String {
    let origin = url.origin().ascii_serialization();
    // This is how hyper's connector refuses an https URL if it has no TLS.
    if url.scheme() == "https" && causes.iter().any(|line| line.contains("scheme is not http")) {
        return "error: this build has no TLS, so it cannot request an https URL\n  \
                add a TLS feature of reqwest: cargo run --features reqwest/rustls --example quickstart -- URL\n"
            .to_owned();
    }
    if error.is_timeout() {
        return lines(&format!("{origin} does not answer within {} seconds", TIMEOUT.as_secs()), causes);
    }
    if error.is_connect() {
        return lines(&format!("{origin} cannot be reached"), causes);
    }
    lines("the request fails", causes)
}

/// What the user can do about a 401.
fn remedy(refused: &Unauthorized, login: &Login) -> String {
    if refused.is_foreign() {
        return request_itself(refused.final_url());
    }
    let challenges = refused.challenges();
    let asks_for_digest = challenges.get("Digest").is_some();
    let is_of_password = |scheme: &str| ["Basic", "Digest"].iter().any(|one| scheme.eq_ignore_ascii_case(one));
    let asks_for_password = !challenges.is_empty() && challenges.iter().all(|one| is_of_password(one.scheme()));
    let scheme = if challenges.get("Basic").is_some() { "Basic" } else { "Digest" };
    match login {
        Login::Nothing if challenges.is_empty() => format!("{NO_CHALLENGE}: read the documentation of the API"),
        Login::Nothing if asks_for_password => {
            format!("the server asks for {scheme}: set API_USER and API_PASSWORD, and run this again")
        }
        Login::Nothing => format!("{SET_LOGIN}, and run this again"),
        Login::Token(_) if challenges.is_empty() => {
            format!("{NO_CHALLENGE}: set API_TOKEN to another token, or read the documentation of the API")
        }
        Login::Token(_) if asks_for_password => {
            format!("the server asks for {scheme}: set API_USER and API_PASSWORD, and unset API_TOKEN")
        }
        Login::Token(_) => "set API_TOKEN to another token, and run this again".to_owned(),
        Login::Password(..) if refused.reason() != UnauthorizedReason::Declined => {
            "set API_USER and API_PASSWORD to others, and run this again".to_owned()
        }
        Login::Password(..) if challenges.is_empty() => format!("{NO_CHALLENGE}, so the password is not sent"),
        Login::Password(..) if asks_for_digest && !cfg!(feature = "digest") => {
            "the password is not sent, because this build has no Digest: add --features digest".to_owned()
        }
        Login::Password(..) => "the password is not sent, because the server does not ask for one".to_owned(),
    }
}

/// What the user can do about a 403.
fn remedy_of_403(denied: &Forbidden, login: &Login) -> String {
    if denied.is_foreign() {
        return request_itself(denied.final_url());
    }
    match login {
        Login::Nothing => format!("no credential was sent: {SET_LOGIN}, and run this again"),
        Login::Password(..) if !denied.is_authenticated() => {
            "no credential was sent: a password is sent only after a 401 that asks for one; if the API accepts a token, set \
             API_TOKEN"
                .to_owned()
        }
        Login::Token(_) => "ask for the missing scope, or, if the server reports an expired token by 403, see \
                            `Builder::expired_when`"
            .to_owned(),
        Login::Password(..) => "ask the operator of the API to give this user the permission".to_owned(),
    }
}

/// The middleware sends no credential to another server, so the user must name that server.
fn request_itself(url: &Url) -> String {
    format!("another server answered, after a redirect; request that URL itself: {url}")
}

fn lines(what: &str, causes: &[String]) -> String {
    causes.iter().fold(format!("error: {what}\n"), |text, line| text + "  " + line + "\n")
}

fn challenges(read: &Challenges, login: &Login) -> String {
    let mut text = format!("{} challenge(s), {} defect(s)\n", read.len(), read.defects().len());
    for challenge in read {
        let _ = writeln!(text, "  {challenge}");
    }
    for defect in read.defects() {
        let _ = writeln!(text, "  {defect}\n    {}", defect.mark().to_string().replace('\n', "\n    "));
    }
    login.masker().mask(text)
}
