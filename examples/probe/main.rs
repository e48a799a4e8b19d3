//! Requests a URL without and with a credential, and reports what the responses mean and what is wrong with them:
//! `cargo run --example probe --features lint -- http://127.0.0.1:8080/reports`
//!
//! A credential is sent only by https or to this machine. A password is sent by Basic only if the server does not offer
//! Digest.
//!
//! Exit status: 0 no findings, 1 findings, 2 the request failed or the credential was not sent.

pub(crate) mod arguments;
mod guard;
mod print;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use arguments::Arguments;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Request, StatusCode};
use reqwest_challenge::lint::{Exchange, Finding, check};
use reqwest_challenge::{BoxError, Challenges};

/// One request and its response.
struct Asked {
    who: &'static str,
    status: StatusCode,
    challenges: Challenges,
    findings: Vec<Finding>,
}

/// The longest part of a body that is read. An error message is at the beginning.
const MAX_BODY: usize = 64 << 10;

async fn ask(client: &Client, who: &'static str, request: Request, good: bool) -> Result<Asked, BoxError> {
    let (method, url, headers) = (request.method().clone(), request.url().clone(), request.headers().clone());
    let mut response = client.execute(request).await.map_err(|error| explain(error.without_url()))?;
    let mut body = Vec::new();
    while body.len() < MAX_BODY {
        // If the body breaks off, its beginning is checked.
        let Ok(Some(chunk)) = response.chunk().await else { break };
        body.extend_from_slice(&chunk);
    }
    let exchange = Exchange::new(&method, &url, response.status(), response.headers()).body(&body);
    let exchange = exchange.request_headers(&headers);
    let findings = check(&if good { exchange.known_good() } else { exchange });
    Ok(Asked { who, status: response.status(), challenges: Challenges::from_headers(response.headers()), findings })
}

/// The error with its causes, and help for a build without TLS.
fn explain(error: reqwest::Error) -> BoxError {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(&error);
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    let no_tls = text.contains("scheme is not http");
    let hint = if no_tls { "\nhelp: this build has no TLS: add `,reqwest/rustls` to the features" } else { "" };
    format!("{text}{hint}").into()
}

/// The request with the credential, as the middleware would send it.
fn sign(mut request: Request, secret: &str, basic: bool) -> Result<Request, BoxError> {
    let value = match basic {
        true => format!("Basic {}", STANDARD.encode(secret)),
        false => format!("Bearer {secret}"),
    };
    let value = HeaderValue::from_str(&value);
    let mut value = value.map_err(|_| "the credential contains a control character, so it cannot be sent")?;
    value.set_sensitive(true);
    request.headers_mut().insert(http::header::AUTHORIZATION, value);
    Ok(request)
}

pub(crate) async fn run(arguments: &Arguments) -> Result<bool, BoxError> {
    // Only the named server is checked, for no longer than a user waits.
    let same_origin = Policy::custom(|attempt| {
        let stays = attempt.previous().last().is_some_and(|last| last.origin() == attempt.url().origin());
        if stays && attempt.previous().len() <= 10 { attempt.follow() } else { attempt.stop() }
    });
    let client = Client::builder().referer(false).redirect(same_origin).timeout(Duration::from_secs(30)).build()?;
    let mut request = Request::new(Method::GET, arguments.url.clone());
    *request.headers_mut() = arguments.headers.clone();
    let again = request.try_clone().ok_or("a GET has no body")?;
    let mut asked = vec![ask(&client, "anonymous", request, false).await?];
    // If a server repeats the credential, the output does not show it.
    let mut mask = print::Mask::of_request(&arguments.url, &arguments.headers);
    let offered = &asked[0].challenges;
    let refused = arguments.secret.as_ref().filter(|_| arguments.basic).map(|_| guard::may_be_basic(offered));
    let refused = refused.and_then(Result::err);
    if let Some(secret) = arguments.secret.as_ref().filter(|_| refused.is_none()) {
        let request = sign(again, secret, arguments.basic)?;
        let value = request.headers()[http::header::AUTHORIZATION].to_str().unwrap_or_default().to_owned();
        mask.hide(secret);
        mask.hide(value.split_once(' ').map_or(value.as_str(), |(_, encoded)| encoded));
        if let Some((_, password)) = secret.split_once(':').filter(|_| arguments.basic) {
            mask.hide(password);
        }
        asked.push(ask(&client, "authenticated", request, arguments.good).await?);
    }
    let text = match arguments.json {
        true => format!("{:#}\n", print::json(&arguments.url, &asked, &mask)),
        false => {
            let paint = print::Paint::for_terminal(std::io::stdout().is_terminal());
            print::text(&arguments.url, &asked, &mask, paint)
        }
    };
    print::out(&text)?;
    if let Some(why) = refused {
        return Err(why.into());
    }
    Ok(asked.iter().all(|asked| asked.findings.is_empty()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => {
            print::complain(&format!("error: {error}\n{}", arguments::USAGE));
            return ExitCode::from(2);
        }
    };
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            print::complain(&format!("error: {error}"));
            ExitCode::from(2)
        }
    }
}
