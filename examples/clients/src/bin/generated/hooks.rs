//! Sends the requests of the progenitor client with the credential of the session. An implementation of `ClientHooks` for `Client`
//! takes the place of the generated one, which is for `&Client`.

use progenitor_client::{ClientHooks, ClientInfo, Error, OperationInfo};
use reqwest::{Request, Response, StatusCode};
use reqwest_challenge::support::error_lines;
use reqwest_challenge::{Fresh, Session};

use crate::progenitor::Client;

impl ClientHooks<Session> for Client {
    /// Fails before the request is sent if there is no credential. `exec` cannot return an error of the session.
    async fn pre<E>(&self, _request: &mut Request, _info: &OperationInfo) -> Result<(), Error<E>> {
        let fresh = self.inner().fresh().await;
        fresh.map(drop).map_err(|error| Error::Custom(error_lines(&error).join(": ")))
    }

    async fn exec(&self, mut request: Request, _info: &OperationInfo) -> reqwest::Result<Response> {
        let session = self.inner();
        // `pre` has fetched the credential, so this call does not wait.
        let Ok(mut fresh) = session.fresh().await else { return self.client().execute(request).await };
        let copy = request.try_clone();
        sign(&mut request, &fresh);
        let mut response = self.client().execute(request).await?;
        // A request with a stream as its body has no copy. The next request carries the newer credential.
        if response.status() == StatusCode::UNAUTHORIZED
            && let Ok(newer) = session.fresh_after(&fresh).await
            && let Some(mut again) = copy
        {
            sign(&mut again, &newer);
            response = self.client().execute(again).await?;
            fresh = newer;
        }
        if response.status().is_success() {
            session.accepted(&fresh);
        }
        Ok(response)
    }
}

fn sign(request: &mut Request, fresh: &Fresh) {
    if let Some((name, value)) = fresh.header() {
        request.headers_mut().insert(name, value.clone());
    }
}
