//! What a decorator keeps, and when it returns it. A decorator that keeps nothing passes these checks.

use std::time::Duration;

use reqwest_challenge::{Credential, RefreshContextBuilder, RefreshReason};

use super::inside::Inside;
use super::place::{BuildIt, Place, Places, now, plain, refused, returned, text, whole};
use crate::contract::calls;
use crate::contract::outcome::{Outcome, check};

/// The metadata URL of a second resource.
const RESOURCE: &str = "https://api.example.com/.well-known/oauth-protected-resource/second";

impl Places {
    pub(super) async fn keeps_whole_credential(&self) -> Outcome {
        let new = whole("t1");
        let place = self.with(&new).await?;
        let (decorator, inside) = place.decorate(Inside::returning(&whole("t2")));
        let Some(kept) = initial(&place).await? else { return Ok(()) };
        returned(Some(&kept), &new)?;
        // The session holds the credential without its attachment, as a caller may have given it.
        calls::refresh(&decorator, refused(Some(&Credential::bearer("t1"))).build_it()).await.map_err(text)?;
        let seen = inside.refreshed();
        let renewed = seen.first().and_then(|context| context.credential());
        returned(renewed, &new).map_err(|why| format!("in the context of its renewal: {why}"))
    }

    pub(super) async fn forgets_kept_credential(&self) -> Outcome {
        let new = whole("t1");
        let place = self.with(&new).await?;
        let (decorator, _) = place.decorate(Inside::answering(Ok(None)));
        calls::forget(&decorator, plain(RefreshReason::Logout, Some(&new))).await.map_err(text)?;
        check(initial(&place).await?.is_none(), "`initial` returns a credential after the logout")
    }

    pub(super) async fn answers_only_what_it_may(&self) -> Outcome {
        let (old, held) = (whole("t0"), whole("t1"));
        let demanding = |line: &str| refused(Some(&old)).challenge(line);
        for (name, context) in [
            ("a 401", refused(Some(&old))),
            ("a 401 that refused it", refused(Some(&held))),
            ("claims", demanding("Bearer claims=\"e30=\"")),
            ("an authentication context", demanding("Bearer acr_values=\"strong\"")),
            ("a recent login", demanding("Bearer max_age=60")),
            ("a sufficient scope", demanding("Bearer error=\"insufficient_scope\", scope=\"read\"")),
            ("a step-up", refused(Some(&old)).reason(RefreshReason::StepUp).scopes(["read", "write"])),
        ] {
            self.answers_well(&held, context).await.map_err(|why| format!("for {name}, {why}"))?;
        }
        let expired = held.with_expiry(now() - Duration::from_secs(1));
        self.answers_well(&expired, refused(Some(&old))).await.map_err(|why| format!("for a 401, {why}"))
    }

    /// Whether a decorator that keeps `held` returns a credential that is allowed in this context: the one of the
    /// refresher inside, or a kept one that was not refused, has not expired and meets the demand.
    async fn answers_well(&self, held: &Credential, context: RefreshContextBuilder) -> Outcome {
        let (place, context, new) = (self.with(held).await?, context.build_it(), whole("t9"));
        let (decorator, _) = place.decorate(Inside::returning(&new));
        let got = calls::refresh(&decorator, context.clone()).await.map_err(text)?;
        let Some(got) = got else { return Err("there is no credential".to_owned()) };
        if got == new {
            return Ok(());
        }
        check(context.credential() != Some(&got), "the refused credential is returned again")?;
        check(context.demand().is_met_by(&got), "a credential is returned that does not meet the demand")?;
        check(got.expiry().is_none_or(|expiry| expiry > now()), "an expired credential is returned")
    }

    pub(super) async fn logs_in_anew(&self) -> Outcome {
        let login = || refused(None).reason(RefreshReason::Login).without_request();
        for held in [None, Some(&whole("t1"))] {
            self.asks_inside(held.into_iter().fold(login(), |login, held| login.credential(held.clone()))).await?;
        }
        Ok(())
    }

    pub(super) async fn separates_slots(&self) -> Outcome {
        self.asks_inside(refused(None).resource(RESOURCE)).await.map_err(|why| format!("for a resource, {why}"))?;
        self.asks_inside(refused(None).partition("tenant-2")).await.map_err(|why| format!("for a partition, {why}"))
    }

    /// Whether a decorator that keeps a credential does not return it in this context.
    async fn asks_inside(&self, context: RefreshContextBuilder) -> Outcome {
        let (place, new) = (self.with(&whole("t1")).await?, whole("t9"));
        let (decorator, _) = place.decorate(Inside::returning(&new));
        let got = calls::refresh(&decorator, context.build_it()).await.map_err(text)?;
        returned(got.as_ref(), &new)
    }
}

/// The initial credential of a new decorator in this place.
async fn initial(place: &Place<'_>) -> Result<Option<Credential>, String> {
    let (decorator, _) = place.decorate(Inside::answering(Ok(None)));
    calls::initial(&decorator, plain(RefreshReason::Initial, None)).await.map_err(text)
}
