//! Server-sent events with reconnects: `cargo run --manifest-path examples/clients/Cargo.toml --bin event_stream`
//!
//! An event stream is a GET, so the middleware itself renews the credential when the stream is opened again.

use std::convert::Infallible;

use axum::extract::State;
use axum::http::header::HeaderMap;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use clients::{Api, challenge, expect};
use eventsource_stream::Eventsource;
use futures_util::{StreamExt, stream};
use reqwest_challenge::{BoxError, Unauthorized};
use reqwest_middleware::ClientWithMiddleware;

/// How many events the server sends before it ends the stream.
const EVENTS: usize = 3;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let api = Api::start(axum::Router::new().route("/events", get(events))).await?;
    let (client, _session) = api.client()?;

    println!("REST: {}", client.get(api.url("/reports")).send().await?.status());
    expect("requests of the first REST call", api.take_requests(), 2)?;

    let mut last_id = String::new();
    let mut received = 0;
    // Each round reads one stream to its end. The token is revoked after the first one.
    for (round, wanted) in [1, 2, 1].into_iter().enumerate() {
        received += listen(&client, &api.url("/events"), &mut last_id).await?;
        println!("stream {}: {EVENTS} events, the last one has the id {last_id}", round + 1);
        expect("requests of the stream", api.take_requests(), wanted)?;
        if round == 0 {
            api.revoke();
        }
    }
    expect("events: none is lost, none comes twice", received, 3 * EVENTS)?;
    expect("the id of the last event", last_id.parse()?, 3 * EVENTS)?;
    expect("refreshes", api.issued(), 2)?;

    api.refuse_all();
    let error =
        listen(&client, &api.url("/events"), &mut last_id).await.err().ok_or("the stream opens without a token")?;
    println!("the server refuses every token: {error}");
    let is_final = error.downcast_ref::<reqwest_middleware::Error>().and_then(|error| Unauthorized::find(error));
    expect("errors of the kind `Unauthorized`, which end the reconnects", usize::from(is_final.is_some()), 1)?;
    expect("requests: never a third one", api.take_requests(), 2)?;
    println!("ok");
    Ok(())
}

/// Opens the stream after the last event that arrived, and reads it to its end. Returns the number of its events.
async fn listen(client: &ClientWithMiddleware, url: &str, last_id: &mut String) -> Result<usize, BoxError> {
    let request = client.get(url).header("accept", "text/event-stream").header("last-event-id", last_id.as_str());
    let response = request.send().await?.error_for_status()?;
    let mut events = response.bytes_stream().eventsource();
    let mut count = 0;
    while let Some(event) = events.next().await {
        *last_id = event?.id;
        count += 1;
    }
    Ok(count)
}

/// The next events after the one that the client names.
async fn events(State(api): State<Api>, headers: HeaderMap) -> Response {
    if !api.accepts(&headers) {
        return challenge();
    }
    let last: usize = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok()).unwrap_or(0);
    let ids = last + 1..=last + EVENTS;
    let events = ids.map(|id| Ok::<_, Infallible>(Event::default().id(id.to_string()).data("a report")));
    Sse::new(stream::iter(events)).into_response()
}
