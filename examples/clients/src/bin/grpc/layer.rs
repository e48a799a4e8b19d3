//! A tower service that sends each gRPC call with the credential of a session. If the server answers `UNAUTHENTICATED`, it gets a
//! newer credential and sends the call once more, never a third time.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use reqwest_challenge::support::error_lines;
use reqwest_challenge::{BoxError, Error, Fresh, Session};
use tonic::body::Body;
use tonic::{Code, Status};
use tower_service::Service;

/// Sends the calls of a generated client with a credential. For unary calls and server streaming: it reads the whole request before
/// the first send, so that it can send it again.
#[derive(Clone)]
pub(crate) struct Authenticated<S> {
    inner: S,
    session: Session,
}

impl<S> Authenticated<S> {
    pub(crate) fn new(inner: S, session: Session) -> Self {
        Self { inner, session }
    }
}

impl<S, B> Service<Request<Body>> for Authenticated<S>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<BoxError> + Send,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The service that is ready sends the call; a clone may not be ready.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let session = self.session.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let fresh = session.fresh().await.map_err(unauthenticated)?;
            let response = inner.call(signed(&head, &body, &fresh)).await.map_err(Into::into)?;
            if !is_unauthenticated(&response) {
                session.accepted(&fresh);
                return Ok(response);
            }
            let fresh = session.fresh_after(&fresh).await.map_err(unauthenticated)?;
            poll_fn(|context| inner.poll_ready(context)).await.map_err(Into::into)?;
            let response = inner.call(signed(&head, &body, &fresh)).await.map_err(Into::into)?;
            if !is_unauthenticated(&response) {
                session.accepted(&fresh);
            }
            Ok(response)
        })
    }
}

fn signed(head: &Parts, body: &Bytes, fresh: &Fresh) -> Request<Body> {
    let mut request = Request::from_parts(head.clone(), Body::new(Full::new(body.clone())));
    if let Some((name, value)) = fresh.header() {
        request.headers_mut().insert(name, value.clone());
    }
    request
}

/// Whether the call was refused before it began. A server or a proxy that refuses it sends the status in the head.
fn is_unauthenticated<B>(response: &Response<B>) -> bool {
    let status = Status::from_header_map(response.headers());
    response.status() == StatusCode::UNAUTHORIZED || status.is_some_and(|status| status.code() == Code::Unauthenticated)
}

/// The error of the session as the status of the call.
fn unauthenticated(error: Error) -> BoxError {
    Status::unauthenticated(error_lines(&error).join(": ")).into()
}
