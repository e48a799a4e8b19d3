//! A body that `inspect_bodies` has read arrives over a socket exactly as without it.

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::header::HeaderMap;
use http_body::{Body, Frame};
use reqwest_challenge::support::is_transient_error;
use reqwest_challenge::{ChallengeMiddleware, Credential};
use reqwest_challenge_testing::Gate;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::faults::{FAULTS, Fault, failing};
use crate::support::wire::{Wire, answer, chunked};

type Inspected = Arc<Mutex<Vec<Bytes>>>;

/// A client of this server, and the bodies that it has inspected. Without a limit it inspects none.
fn client(url: &str, limit: Option<usize>, body_timeout: Duration) -> (ClientWithMiddleware, Inspected) {
    let inspected = Inspected::default();
    let bodies = inspected.clone();
    let origin = reqwest::Url::parse(url).unwrap().origin().ascii_serialization();
    let auth = ChallengeMiddleware::builder(origin, Credential::bearer("t0")).body_timeout(body_timeout);
    let auth = auth.initial_credential(Credential::bearer("t0")).expired_when(move |refusal| {
        bodies.lock().unwrap().push(refusal.body().clone());
        false
    });
    let auth = limit.into_iter().fold(auth, |auth, limit| auth.inspect_bodies(limit)).build().unwrap();
    let http = reqwest::Client::builder().timeout(Duration::from_millis(400)).build().unwrap();
    (ClientBuilder::new(http).with(auth).build(), inspected)
}

/// All that a caller can see of a response.
async fn seen(client: &ClientWithMiddleware, url: &str) -> (String, Vec<u8>) {
    let mut response = client.get(url).send().await.unwrap();
    let mut head = format!("{} {:?} {} ", response.status(), response.version(), response.url());
    head += &format!("{:?} {:?} ", response.content_length(), response.remote_addr().map(|address| address.port()));
    head += &format!("{:?}", response.headers());
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        assert!(!chunk.is_empty(), "{head}");
        bytes.extend_from_slice(&chunk);
    }
    (head, bytes)
}

const LONG: Duration = Duration::from_secs(60);
const JSON: &str = "Content-Type: application/json\r\nX-Two: 1\r\nX-Two: 2\r\n";

#[tokio::test]
async fn each_body_arrives_as_without_the_inspection() {
    let text = "x".repeat(9_000);
    let coded = format!("{JSON}Content-Encoding: gzip\r\n");
    let body = text.clone();
    let wire = Wire::start(move |head| match head.path.as_str() {
        "/length" => answer("200 OK", JSON, &body),
        "/chunked" => chunked("200 OK", JSON, &body),
        "/bad" => chunked("400 Bad Request", JSON, &body),
        "/gzip" => answer("200 OK", &coded, &body),
        "/empty" => chunked("200 OK", JSON, ""),
        _ => answer("200 OK", JSON, ""),
    })
    .await;
    for path in ["/length", "/chunked", "/bad", "/gzip", "/empty", "/none"] {
        let url = wire.url(path);
        let plain = seen(&client(&url, None, LONG).0, &url).await;
        for limit in [0, 1, 8_999, 9_000, 9_001, usize::MAX] {
            let (client, inspected) = client(&url, Some(limit), LONG);
            assert_eq!(seen(&client, &url).await, plain, "{path} {limit}");
            let is_inspected = match path {
                "/length" | "/chunked" | "/bad" => limit >= text.len(),
                // The end of a body in chunks shows that it is empty.
                "/empty" => true,
                _ => false,
            };
            let wanted: Vec<Bytes> = is_inspected.then(|| plain.1.clone().into()).into_iter().collect();
            assert_eq!(*inspected.lock().unwrap(), wanted, "{path} {limit}: the function gets the whole body");
        }
    }
}

/// The bytes before the failure of a body, and the facts of the error.
async fn failure(client: &ClientWithMiddleware, url: &str) -> (Vec<u8>, String) {
    let mut response = client.get(url).send().await.unwrap();
    let mut bytes = Vec::new();
    let error = loop {
        match response.chunk().await {
            Ok(chunk) => bytes.extend_from_slice(&chunk.expect("the body is truncated")),
            Err(error) => break error,
        }
    };
    let mut root: &dyn StdError = &error;
    while let Some(source) = root.source() {
        root = source;
    }
    let facts =
        (error.is_timeout(), error.is_decode(), error.is_body(), error.is_connect(), is_transient_error(&error));
    (bytes, format!("{error} {facts:?} {root}"))
}

#[tokio::test]
async fn a_connection_that_fails_in_the_middle_is_the_same_error() {
    for fault in FAULTS {
        let url = failing(fault).await;
        let plain = failure(&client(&url, None, LONG).0, &url).await;
        // The connection fails during the inspection, or after it.
        for body_timeout in [LONG, Duration::ZERO] {
            let (client, inspected) = client(&url, Some(1_000), body_timeout);
            let (bytes, facts) = failure(&client, &url).await;
            assert_eq!((&facts, inspected.lock().unwrap().len()), (&plain.1, 0), "{fault:?}");
            // A reset can discard bytes that have arrived.
            assert!(bytes == plain.0 || matches!(fault, Fault::Resets), "{fault:?}");
        }
    }
}

#[tokio::test]
async fn the_rest_of_a_slow_body_follows_the_part_that_was_read() {
    let gate = Gate::closed();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let opened = gate.clone();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n";
        stream.write_all(format!("{head}first").as_bytes()).await.unwrap();
        opened.pass().await;
        stream.write_all(b" rest").await.unwrap();
    });
    let (client, inspected) = client(&url, Some(1_000), Duration::from_millis(1));
    let mut response = client.get(&url).send().await.unwrap();
    assert_eq!(response.content_length(), Some(10));
    let mut bytes = response.chunk().await.unwrap().unwrap().to_vec();
    assert_eq!((bytes.as_slice(), response.content_length()), (&b"first"[..], Some(5)));
    gate.open();
    while let Some(chunk) = response.chunk().await.unwrap() {
        bytes.extend_from_slice(&chunk);
    }
    assert_eq!((bytes.as_slice(), inspected.lock().unwrap().len()), (&b"first rest"[..], 0));
}

/// Reads a body as a proxy does: it stops where `is_end_stream` says that nothing follows. Returns the data, the trailers, and
/// whether the body failed.
async fn forwarded(client: &ClientWithMiddleware, url: &str) -> (Vec<u8>, HeaderMap, bool) {
    let mut body = reqwest::Body::from(client.get(url).send().await.unwrap());
    let (mut data, mut trailers) = (Vec::new(), HeaderMap::new());
    while !body.is_end_stream() {
        match std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(piece) => data.extend_from_slice(&piece),
                Err(frame) => trailers.extend(Frame::into_trailers(frame).unwrap()),
            },
            Some(Err(_)) => return (data, trailers, true),
            None => break,
        }
    }
    (data, trailers, false)
}

#[tokio::test]
async fn a_proxy_gets_the_trailers_and_the_failure_of_a_body_that_was_read() {
    let wire = Wire::start(|head| match head.path.as_str() {
        "/length" => answer("200 OK", JSON, "one two"),
        _ => {
            let head = format!("HTTP/1.1 200 OK\r\n{JSON}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n");
            format!("{head}4\r\none \r\n3\r\ntwo\r\n0\r\nX-Sum: 7\r\n\r\n").into_bytes()
        }
    })
    .await;
    for (path, sum) in [("/length", None), ("/trailers", Some("7"))] {
        let url = wire.url(path);
        let plain = forwarded(&client(&url, None, LONG).0, &url).await;
        assert_eq!((plain.0.as_slice(), plain.1.get("x-sum").map(|sum| sum.to_str().unwrap())), (&b"one two"[..], sum));
        for limit in [3, 7] {
            let (client, inspected) = client(&url, Some(limit), LONG);
            assert_eq!(forwarded(&client, &url).await, plain, "{path} {limit}");
            assert_eq!(inspected.lock().unwrap().len(), usize::from(limit == 7), "{path}");
        }
    }
    for fault in [Fault::Closes, Fault::ClosesChunk] {
        let url = failing(fault).await;
        let plain = forwarded(&client(&url, None, LONG).0, &url).await;
        assert!(plain.2, "{fault:?}");
        assert_eq!(
            forwarded(&client(&url, Some(1_000), LONG).0, &url).await,
            plain,
            "{fault:?}: a truncated body fails"
        );
    }
}
