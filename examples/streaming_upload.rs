//! A streaming body can be sent once. If the caller gives a function that makes the body, the middleware can send it again.
//!
//! `cargo run --example streaming_upload`

#[path = "quickstart/api.rs"]
#[allow(dead_code)]
mod api;

use std::io::Cursor;

use reqwest_challenge::reqwest::{Body, Client};
use reqwest_challenge::{BoxError, CallOptions, ChallengeMiddleware, Credential, RefreshContext, Unauthorized};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokio_util::io::ReaderStream;

const BYTES: &[u8] = b"a file that is too large for memory";

/// A streaming body. A real client opens the file here.
fn file() -> Body {
    Body::wrap_stream(ReaderStream::new(Cursor::new(BYTES)))
}

fn client(url: &str) -> Result<ClientWithMiddleware, BoxError> {
    let token_url = format!("{url}/token");
    let log_in = move |context: RefreshContext| {
        let token_url = token_url.clone();
        async move {
            let token = context.http_client()?.post(token_url).send().await?.text().await?;
            Ok::<_, BoxError>(Credential::bearer(token))
        }
    };
    let auth = ChallengeMiddleware::new(url, log_in)?;
    Ok(ClientBuilder::new(Client::new()).with(auth).build())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let api = api::Api::start().await?;
    let url = api.url("/reports");
    // The API of this example does not read chunked bodies, so the request has a length.
    let upload = |client: &ClientWithMiddleware| client.put(&url).header("content-length", BYTES.len()).body(file());

    // The first call logs in, but its body is used up. The second call has the new credential.
    let client_1 = client(&api.url(""))?;
    let error = upload(&client_1).send().await.expect_err("the API refuses it, and the body is used up");
    println!("{}", Unauthorized::find(&error).ok_or("another error")?);
    println!("the second call: {}", upload(&client_1).send().await?.status());

    let client_2 = client(&api.url(""))?;
    let replayable = upload(&client_2).with_extension(CallOptions::new().body(file));
    println!("a call with a function that makes the body: {}", replayable.send().await?.status());
    Ok(())
}
