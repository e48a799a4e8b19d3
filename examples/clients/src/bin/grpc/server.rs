//! A gRPC server on loopback that accepts the tokens of the REST API.

use clients::Api;
use reqwest_challenge::BoxError;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::reports::reports_server::{Reports, ReportsServer};
use crate::reports::{CountReply, CountRequest};

struct Counter(Api);

#[tonic::async_trait]
impl Reports for Counter {
    async fn count(&self, request: Request<CountRequest>) -> Result<Response<CountReply>, Status> {
        if !self.0.accepts(request.metadata().as_ref()) {
            self.0.refuse().await;
            return Err(Status::unauthenticated("the token is not valid"));
        }
        Ok(Response::new(CountReply { count: 2 }))
    }
}

/// Starts the server and returns its URL.
///
/// # Errors
/// If loopback has no free port.
pub(crate) async fn start(api: Api) -> Result<String, BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let server = Server::builder().add_service(ReportsServer::new(Counter(api)));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    Ok(url)
}
