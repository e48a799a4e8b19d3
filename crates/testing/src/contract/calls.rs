//! Calls a refresher as the middleware does.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, RefreshErrorKind};

/// Calls `refresh` on a task, with the timeout of the refresher.
pub(super) async fn refresh(
    refresher: &Arc<dyn Refresh>,
    context: RefreshContext,
) -> Result<Option<Credential>, RefreshError> {
    let (refresher, timeout) = (refresher.clone(), refresher.timeout());
    on_task(timeout, async move { refresher.as_ref().refresh(context).await }).await
}

/// Calls `initial` in the same way.
pub(super) async fn initial(
    refresher: &Arc<dyn Refresh>,
    context: RefreshContext,
) -> Result<Option<Credential>, RefreshError> {
    let (refresher, timeout) = (refresher.clone(), refresher.timeout());
    on_task(timeout, async move { refresher.as_ref().initial(context).await }).await
}

/// Calls `forget` in the same way.
pub(super) async fn forget(refresher: &Arc<dyn Refresh>, context: RefreshContext) -> Result<(), RefreshError> {
    let (refresher, timeout) = (refresher.clone(), refresher.timeout());
    on_task(timeout, async move { refresher.as_ref().forget(context).await }).await
}

async fn on_task<T: Send + 'static>(
    timeout: Duration,
    call: impl Future<Output = Result<T, RefreshError>> + Send + 'static,
) -> Result<T, RefreshError> {
    let mut task = tokio::spawn(call);
    match tokio::time::timeout(timeout, &mut task).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(RefreshError::new(RefreshErrorKind::Panicked)),
        Err(_) => {
            task.abort();
            Err(RefreshError::new(RefreshErrorKind::TimedOut))
        }
    }
}
