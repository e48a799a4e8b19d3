//! The three servers: an API and an issuer that answer at random, and a foreign server that must not see a credential.

use std::future::Future;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::issuer::Tokens;
use crate::world::Shared;

/// The header field with the name of the call.
pub(crate) const CALL: &str = "x-call";
/// The header field with the name of the process.
pub(crate) const PROCESS: &str = "x-process";

/// Challenges of a 401. Some of them break the grammar.
const CHALLENGES: [&str; 6] = [
    "Bearer realm=\"chaos\", error=\"invalid_token\"",
    "Bearer",
    "Bearer realm=\"chaos\", error=\"invalid_token\", scope=\"a b\"",
    "Bearer realm=\"unfinished, error=invalid_token",
    "Basic realm=\"x\", Bearer realm=\"chaos\"",
    ", ,Negotiate abc==, Bearer realm=chaos;error=invalid_token",
];

/// A response, or `None` if the server cuts the connection.
type Answer = Option<Response<Full<Bytes>>>;

/// Serves on a free port of this machine. Returns the URL.
pub(crate) async fn serve<F, A>(respond: F) -> io::Result<String>
where
    F: Fn(Request<Bytes>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let respond = respond.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let respond = respond.clone();
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.map(|body| body.to_bytes()).map_err(io::Error::other)?;
                    respond(Request::from_parts(head, body)).await.ok_or_else(|| io::Error::other("cut"))
                }
            });
            // The client sees the same error at its end of the connection.
            tokio::spawn(
                async move { drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await) },
            );
        }
    });
    Ok(url)
}

fn header<'r>(request: &'r Request<Bytes>, name: &str) -> &'r str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn answer(status: u16, fields: &[(http::HeaderName, &str)], body: impl Into<Bytes>) -> Answer {
    let mut response = Response::builder().status(status);
    for (name, value) in fields {
        response = response.header(name, *value);
    }
    response.body(Full::new(body.into())).ok()
}

/// The API. It accepts the tokens of the issuer most of the time.
pub(crate) async fn api(world: Shared, foreign: String, request: Request<Bytes>) -> Answer {
    if request.uri().path() == "/note/jump" {
        world.lock().counts.jumps += 1;
        return answer(204, &[], "");
    }
    let mut world = world.lock();
    world.count_send(header(&request, CALL));
    let token = header(&request, AUTHORIZATION.as_str()).trim_start_matches("Bearer ").to_owned();
    let is_valid = world.issuer.is_valid(&token);
    if is_valid && world.random.percent(75) {
        return answer(200, &[], "ok");
    }
    if !is_valid && world.random.percent(75) {
        world.counts.refused += 1;
        let challenge = world.random.pick(&CHALLENGES);
        let body = vec![b'x'; world.random.pick(&[0, 20, 4_000, 100_000])];
        return answer(401, &[(WWW_AUTHENTICATE, challenge)], body);
    }
    match world.random.below(8) {
        0 => answer(401, &[(WWW_AUTHENTICATE, CHALLENGES[0])], "no"),
        1 => answer(401, &[], ""),
        2 => answer(403, &[(WWW_AUTHENTICATE, "Bearer error=\"insufficient_scope\", scope=\"more\"")], "forbidden"),
        3 => answer(500, &[], "broken"),
        4 => answer(429, &[(RETRY_AFTER, "1")], ""),
        5 => {
            world.counts.redirects += 1;
            answer(302, &[(LOCATION, &format!("{foreign}/elsewhere"))], "")
        }
        6 => {
            world.counts.cut += 1;
            None
        }
        // A wrong clock.
        _ => answer(200, &[(http::header::DATE, "Mon, 01 Jan 2080 00:00:00 GMT")], "ok"),
    }
}

/// The issuer: the token endpoint and the revocation endpoint.
pub(crate) async fn issuer(world: Shared, request: Request<Bytes>) -> Answer {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(request.body()).into_owned().collect();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let process = header(&request, PROCESS).to_owned();
    let delay = Duration::from_millis(world.lock().random.below(30));
    tokio::time::sleep(delay).await;
    let mut world = world.lock();
    if request.uri().path() == "/revoke" {
        world.issuer.revoke(field("token"));
        return answer(200, &[], "");
    }
    match world.random.below(20) {
        0 => return answer(500, &[], "broken"),
        1 => return answer(503, &[(RETRY_AFTER, "1")], ""),
        2 => return None,
        _ => {}
    }
    let lifetime = Duration::from_secs(1 + world.random.below(20));
    let is_delivered = !world.random.percent(10);
    let tokens = match field("grant_type") {
        "refresh_token" => world.issuer.renew(field("refresh_token"), &process, lifetime, is_delivered),
        _ => Some(world.issuer.log_in(lifetime)),
    };
    match tokens {
        Some(_) if !is_delivered => {
            world.counts.cut += 1;
            None
        }
        Some(tokens) => token_response(&tokens),
        None => answer(400, &[], r#"{"error":"invalid_grant"}"#),
    }
}

fn token_response(tokens: &Tokens) -> Answer {
    let body = serde_json::json!({
        "access_token": tokens.access,
        "token_type": "Bearer",
        "expires_in": tokens.lifetime.as_secs(),
        "refresh_token": tokens.refresh,
    });
    answer(200, &[(http::header::CONTENT_TYPE, "application/json")], body.to_string())
}

/// The foreign server, to which the API redirects.
pub(crate) async fn foreign(world: Shared, request: Request<Bytes>) -> Answer {
    let texts = request.headers().values().filter_map(|value| value.to_str().ok()).chain([request.uri().path()]);
    let has_token = texts.into_iter().any(|text| text.contains("access-") || text.contains("refresh-"));
    let has_credential = has_token || request.headers().contains_key(AUTHORIZATION);
    world.lock().count_foreign(has_credential);
    let status = if world.lock().random.percent(50) { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    answer(status.as_u16(), &[(WWW_AUTHENTICATE, CHALLENGES[0])], "")
}
