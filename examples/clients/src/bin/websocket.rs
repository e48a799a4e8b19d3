//! A WebSocket whose handshake carries the credential of the REST client:
//! `cargo run --manifest-path examples/clients/Cargo.toml --bin websocket`
//!
//! If the server refuses the handshake with 401, `connect` gets a newer credential and tries once more.

use clients::{Api, expect};
use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use reqwest_challenge::{BoxError, Fresh, Session};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async, client_async};

type Socket = WebSocketStream<TcpStream>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let api = Api::start(axum::Router::new()).await?;
    let (rest, session) = api.client()?;
    let address = serve(api.clone()).await?;

    println!("REST: {}", rest.get(api.url("/reports")).send().await?.status());
    expect("requests of the first REST call", api.take_requests(), 2)?;

    let mut socket = connect(&address, &session).await?;
    println!("WebSocket: {}", next(&mut socket).await?);
    expect("handshakes", api.take_requests(), 1)?;
    expect("refreshes: the token of the REST call is used", api.issued(), 1)?;

    // The server closes the connection after each report.
    expect("messages after the close", usize::from(next(&mut socket).await.is_ok()), 0)?;
    api.revoke();
    let mut socket = connect(&address, &session).await?;
    println!(
        "the token was revoked, and the connection was closed; after a new handshake: {}",
        next(&mut socket).await?
    );
    expect("handshakes: one is refused, one succeeds", api.take_requests(), 2)?;
    expect("refreshes", api.issued(), 2)?;

    println!("REST with the new token: {}", rest.get(api.url("/reports")).send().await?.status());
    expect("requests", api.take_requests(), 1)?;

    api.refuse_all();
    let error = connect(&address, &session).await.err().ok_or("the handshake succeeds without a token")?;
    println!("the server refuses every token: {error}");
    expect("handshakes: never a third one", api.take_requests(), 2)?;
    expect("refreshes", api.issued(), 3)?;
    println!("ok");
    Ok(())
}

/// Connects with the credential of the session, and once more with a newer one if the server refuses it.
async fn connect(address: &str, session: &Session) -> Result<Socket, BoxError> {
    let mut fresh = session.fresh().await?;
    let mut tried = shake_hands(address, &fresh).await;
    if matches!(&tried, Err(WsError::Http(response)) if response.status() == StatusCode::UNAUTHORIZED) {
        fresh = session.fresh_after(&fresh).await?;
        tried = shake_hands(address, &fresh).await;
    }
    let socket = tried?;
    session.accepted(&fresh);
    Ok(socket)
}

async fn shake_hands(address: &str, fresh: &Fresh) -> Result<Socket, WsError> {
    let mut request = format!("ws://{address}/reports").into_client_request()?;
    if let Some((name, value)) = fresh.header() {
        request.headers_mut().insert(name, value.clone());
    }
    let (socket, _response) = client_async(request, TcpStream::connect(address).await?).await?;
    Ok(socket)
}

/// The text of the next message.
async fn next(socket: &mut Socket) -> Result<String, BoxError> {
    match socket.next().await {
        Some(Ok(Message::Text(text))) => Ok(text.to_string()),
        Some(Ok(other)) => Err(format!("not a text: {other}").into()),
        Some(Err(error)) => Err(error.into()),
        None => Err("the connection is closed".into()),
    }
}

/// A server that sends one report and closes the connection.
#[allow(clippy::result_large_err, reason = "tungstenite requires this type of the callback")]
async fn serve(api: Api) -> Result<String, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let accepts = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
                if api.accepts(request.headers()) {
                    return Ok(response);
                }
                let mut refusal = ErrorResponse::new(None);
                *refusal.status_mut() = StatusCode::UNAUTHORIZED;
                Err(refusal)
            };
            // A handshake that was refused ends here.
            let Ok(mut socket) = accept_hdr_async(stream, accepts).await else { continue };
            // The client may be gone.
            let _ = socket.send(Message::text("January")).await;
            let _ = socket.close(None).await;
        }
    });
    Ok(address)
}
