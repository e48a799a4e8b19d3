//! Decorators that share a place, and the contexts and credentials of the checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshContextBuilder, RefreshError, RefreshReason};

use super::inside::{Inside, Shared};
use crate::contract::calls;
use crate::contract::outcome::{Outcome, check};

type Make = dyn Fn(Arc<dyn Refresh>, &str) -> Arc<dyn Refresh> + Send + Sync;

/// The URL of the request that gets the 401.
pub(super) const URL: &str = "https://api.example.com/reports";
/// The challenge of the 401.
pub(super) const CHALLENGE: &str = "Bearer realm=\"contract\"";

/// Makes the [places](Place) in which the decorators of a check keep their credential.
pub(super) struct Places {
    make: Box<Make>,
    /// How many places were made.
    count: AtomicUsize,
}

/// Where decorators keep their credential. Decorators of one place are like processes that share a store.
pub(super) struct Place<'p> {
    make: &'p Make,
    name: String,
}

impl Places {
    pub(super) fn new<D: Refresh>(make: impl Fn(Arc<dyn Refresh>, &str) -> D + Send + Sync + 'static) -> Self {
        Self { make: Box::new(move |inside, place| Arc::new(make(inside, place))), count: AtomicUsize::new(0) }
    }

    /// A new, empty place.
    pub(super) fn place(&self) -> Place<'_> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        Place { make: &*self.make, name: format!("contract-{number}") }
    }

    /// A place in which a decorator keeps this credential, if it keeps any.
    pub(super) async fn with(&self, credential: &Credential) -> Result<Place<'_>, String> {
        let place = self.place();
        let (decorator, _) = place.decorate(Inside::returning(credential));
        let got = calls::refresh(&decorator, refused(None).build_it()).await;
        returned(got.map_err(text)?.as_ref(), credential)?;
        Ok(place)
    }
}

impl Place<'_> {
    /// A new decorator in this place, and the refresher inside it.
    pub(super) fn decorate(&self, inside: Inside) -> (Arc<dyn Refresh>, Arc<Inside>) {
        let inside = Arc::new(inside);
        ((self.make)(Arc::new(Shared(inside.clone())), &self.name), inside)
    }
}

/// Builds a context whose URL is valid.
pub(super) trait BuildIt {
    fn build_it(self) -> RefreshContext;
}

impl BuildIt for RefreshContextBuilder {
    fn build_it(self) -> RefreshContext {
        self.build().unwrap_or_else(|error| panic!("{URL}: {error}"))
    }
}

/// The time of all contexts.
pub(super) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// The context of a 401 that refused this credential.
pub(super) fn refused(credential: Option<&Credential>) -> RefreshContextBuilder {
    let context = RefreshContext::builder(URL).challenge(CHALLENGE).clock(now);
    credential.into_iter().fold(context, |context, credential| context.credential(credential.clone()))
}

/// The context of a call without a request.
pub(super) fn plain(reason: RefreshReason, credential: Option<&Credential>) -> RefreshContext {
    refused(credential).reason(reason).without_request().build_it()
}

/// A credential with all its parts.
pub(super) fn whole(token: &str) -> Credential {
    let credential = Credential::bearer(token).with_attachment(format!("attachment of {token}")).with_scopes(["read"]);
    credential.with_expiry(now() + Duration::from_secs(3600))
}

/// Whether a credential equals the expected one in all its parts except its source.
pub(super) fn returned(got: Option<&Credential>, expected: &Credential) -> Outcome {
    let Some(got) = got else { return Err("there is no credential".to_owned()) };
    check(got == expected, "it is another credential")?;
    check(got.attachment() == expected.attachment(), "the attachment differs")?;
    check(got.scopes() == expected.scopes(), "the scopes differ")?;
    check(got.expiry() == expected.expiry(), "the expiry differs")
}

/// The error of a call that had to succeed.
pub(super) fn text(error: RefreshError) -> String {
    format!("the call fails: {error} ({:?})", error.kind())
}
