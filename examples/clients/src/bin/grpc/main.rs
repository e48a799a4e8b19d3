//! gRPC and REST with one session: `cargo run --manifest-path examples/clients/Cargo.toml --bin grpc`
//!
//! `layer.rs` is the part to copy. `reports.rs` is what tonic-prost-build 0.14 generates from `spec/reports.proto`.

mod layer;
#[rustfmt::skip]
#[allow(clippy::all, dead_code)]
mod reports;
mod server;

use clients::{Api, expect};
use layer::Authenticated;
use reports::CountRequest;
use reports::reports_client::ReportsClient;
use reqwest_challenge::{BoxError, Session};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};

const CALLS: usize = 50;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let api = Api::start(axum::Router::new()).await?;
    let (rest, session) = api.client()?;
    let channel = Endpoint::from_shared(server::start(api.clone()).await?)?.connect().await?;

    println!("REST: {}", rest.get(api.url("/reports")).send().await?.status());
    expect("requests of the first REST call", api.take_requests(), 2)?;
    expect("refreshes", api.issued(), 1)?;

    println!("gRPC with an interceptor: {} reports", count_with_interceptor(channel.clone(), &session).await?);
    expect("requests with the interceptor", api.take_requests(), 1)?;
    expect("refreshes: the token of the REST call is used", api.issued(), 1)?;

    let grpc = ReportsClient::new(Authenticated::new(channel, session));
    api.revoke();
    api.gather(2 * CALLS);
    let rest_calls: Vec<_> = (0..CALLS).map(|_| tokio::spawn(rest.get(api.url("/reports")).send())).collect();
    let grpc_calls: Vec<_> = (0..CALLS)
        .map(|_| {
            let mut grpc = grpc.clone();
            tokio::spawn(async move { grpc.count(CountRequest {}).await })
        })
        .collect();
    for call in rest_calls {
        call.await??.error_for_status()?;
    }
    for call in grpc_calls {
        call.await??;
    }
    api.gather(0);
    println!("the token was revoked: {CALLS} gRPC calls and {CALLS} REST calls succeed with 1 refresh");
    expect("requests: each is refused once and sent again", api.take_requests(), 4 * CALLS)?;
    expect("refreshes", api.issued(), 2)?;

    api.refuse_all();
    let status = grpc.clone().count(CountRequest {}).await.err().ok_or("the call succeeds without a token")?;
    println!("the server refuses every token: {:?} after 2 requests", status.code());
    expect("the code is UNAUTHENTICATED", status.code() as usize, Code::Unauthenticated as usize)?;
    expect("requests: never a third one", api.take_requests(), 2)?;
    expect("refreshes", api.issued(), 3)?;

    for _ in 0..20 {
        // Each of these calls is refused, and its error is of no interest here.
        let _refused = grpc.clone().count(CountRequest {}).await;
    }
    println!("20 more calls: {} refreshes, then none for a while", api.issued() - 3);
    expect("refreshes within the budget of the session", api.issued(), 5)?;
    println!("ok");
    Ok(())
}

/// An interceptor cannot wait, so the credential is fetched before it. It suits a call that need not be sent twice, and streams.
async fn count_with_interceptor(channel: Channel, session: &Session) -> Result<u32, BoxError> {
    let fresh = session.fresh().await?;
    let mut grpc = ReportsClient::with_interceptor(channel, |mut request: Request<()>| {
        if let Some((name, value)) = fresh.header() {
            request.metadata_mut().as_mut().insert(name, value.clone());
        }
        Ok(request)
    });
    let reply = grpc.count(CountRequest {}).await?;
    session.accepted(&fresh);
    Ok(reply.into_inner().count)
}
