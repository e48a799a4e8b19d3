//! What passes through a decorator.

use std::time::Duration;

use http::Method;
use reqwest_challenge::{Credential, RefreshContext, RefreshError, RefreshReason};

use super::inside::{Answer, Inside, TIMEOUT};
use super::place::{BuildIt, Places, plain, refused, returned, text, whole};
use crate::contract::calls;
use crate::contract::outcome::{Outcome, check};

impl Places {
    pub(super) fn forwards_timeout(&self) -> Outcome {
        let timeout = self.place().decorate(Inside::answering(Ok(None))).0.timeout();
        check(
            timeout >= TIMEOUT,
            format_args!("the timeout is {timeout:?}, and that of the refresher inside {TIMEOUT:?}"),
        )
    }

    pub(super) fn forwards_holds_unsaved(&self) -> Outcome {
        let inside = Inside::answering(Ok(None)).with_unsaved();
        check(self.place().decorate(inside).0.holds_unsaved(), "`holds_unsaved` is false")
    }

    pub(super) fn forwards_needs_challenge(&self) -> Outcome {
        for needs_challenge in [false, true] {
            let inside = Inside::answering(Ok(None)).with_needs_challenge(needs_challenge);
            let got = self.place().decorate(inside).0.needs_challenge();
            check(got == needs_challenge, format_args!("`needs_challenge` is {got} instead of {needs_challenge}"))?;
        }
        Ok(())
    }

    pub(super) async fn forwards_context(&self) -> Outcome {
        let new = whole("t1");
        for reason in [RefreshReason::Challenged, RefreshReason::Expired, RefreshReason::StepUp, RefreshReason::Login] {
            let context = refused(None).challenge("Bearer claims=\"e30=\"").method(Method::POST).reason(reason);
            let context = context.scopes(["read", "write"]);
            let context = if reason == RefreshReason::Login { context.without_request() } else { context }.build_it();
            let (decorator, inside) = self.place().decorate(Inside::returning(&new));
            calls::refresh(&decorator, context.clone()).await.map_err(text)?;
            let seen = inside.refreshed();
            let [seen] = &seen[..] else {
                return Err(format!("the refresher inside is called {} times for {reason:?}", seen.len()));
            };
            same_request(seen, &context).map_err(|why| format!("for {reason:?}: {why}"))?;
        }
        Ok(())
    }

    pub(super) async fn forwards_credential(&self) -> Outcome {
        let (old, new) = (whole("t0"), whole("t1"));
        let (decorator, inside) = self.place().decorate(Inside::returning(&new));
        let first = calls::refresh(&decorator, refused(Some(&old)).build_it()).await.map_err(text)?;
        calls::refresh(&decorator, refused(first.as_ref()).build_it()).await.map_err(text)?;
        let seen = inside.refreshed();
        check(seen.len() == 2, format_args!("the refresher inside is called {} times for two refreshes", seen.len()))?;
        for (context, expected) in seen.iter().zip([&old, &new]) {
            returned(context.credential(), expected).map_err(|why| format!("in the context: {why}"))?;
        }
        Ok(())
    }

    pub(super) async fn returns_whole_credential(&self) -> Outcome {
        for reason in [RefreshReason::Challenged, RefreshReason::Expired, RefreshReason::StepUp, RefreshReason::Login] {
            let new = whole("t1");
            let (decorator, _) = self.place().decorate(Inside::returning(&new));
            let got = calls::refresh(&decorator, refused(None).reason(reason).build_it()).await.map_err(text)?;
            returned(got.as_ref(), &new).map_err(|why| format!("for {reason:?}: {why}"))?;
        }
        Ok(())
    }

    pub(super) async fn forwards_initial(&self) -> Outcome {
        let initial = whole("t1");
        let answers: [Answer; 3] = [Ok(Some(initial.clone())), Ok(None), Err(RefreshError::denied("invalid_client"))];
        for answer in answers {
            let inside = Inside::answering(Ok(None)).with_initial(answer.clone());
            let (decorator, _) = self.place().decorate(inside);
            match (calls::initial(&decorator, plain(RefreshReason::Initial, None)).await, answer) {
                (Ok(got), Ok(Some(expected))) => returned(got.as_ref(), &expected)?,
                (Ok(None), Ok(None)) => {}
                (Err(got), Err(expected)) => same_kind(&got, &expected)?,
                (_, Ok(None)) => return Err("the refresher inside has no initial credential".to_owned()),
                (Err(error), _) => return Err(text(error)),
                (_, Err(_)) => return Err("the error of the refresher inside is lost".to_owned()),
            }
        }
        Ok(())
    }

    pub(super) async fn forwards_forget(&self) -> Outcome {
        let (old, new) = (whole("t0"), whole("t1"));
        for reason in [RefreshReason::Logout, RefreshReason::Discarded] {
            let (decorator, inside) = self.place().decorate(Inside::returning(&new));
            calls::forget(&decorator, plain(reason, Some(&old))).await.map_err(text)?;
            forgets(&inside, reason, &old)?;
            let place = self.with(&new).await?;
            let (decorator, inside) = place.decorate(Inside::returning(&new));
            calls::forget(&decorator, plain(reason, Some(&new))).await.map_err(text)?;
            forgets(&inside, reason, &new).map_err(|why| format!("after a refresh: {why}"))?;
        }
        let (decorator, inside) = self.place().decorate(Inside::returning(&new));
        calls::forget(&decorator, plain(RefreshReason::Logout, None)).await.map_err(text)?;
        check(!inside.forgotten().is_empty(), "without a credential, `forget` of the refresher inside is not called")
    }

    pub(super) async fn forwards_errors(&self) -> Outcome {
        let new = whole("t1");
        for error in [
            RefreshError::transient(Some(Duration::from_secs(7))),
            RefreshError::denied("invalid_scope"),
            RefreshError::login_required("log in"),
            RefreshError::credential_revoked("invalid_grant"),
            RefreshError::other("the disk is full"),
        ] {
            for reason in [RefreshReason::Challenged, RefreshReason::Login] {
                let place = self.with(&new).await?;
                let (decorator, _) = place.decorate(Inside::answering(Err(error.clone())));
                match calls::refresh(&decorator, refused(Some(&new)).reason(reason).build_it()).await {
                    Ok(_) => {
                        return Err(format!(
                            "a refresh returns no error, but the refresher inside failed with {:?}",
                            error.kind()
                        ));
                    }
                    Err(got) => same_kind(&got, &error)?,
                }
            }
            let inside = Inside::answering(Ok(None)).with_forget(Err(error.clone()));
            let forgotten =
                calls::forget(&self.place().decorate(inside).0, plain(RefreshReason::Logout, Some(&new))).await;
            let Err(got) = forgotten else { return Err("the error of `forget` is lost".to_owned()) };
            same_kind(&got, &error)?;
        }
        let (decorator, _) = self.place().decorate(Inside::answering(Ok(None)));
        let got = calls::refresh(&decorator, refused(None).build_it()).await.map_err(text)?;
        check(got.is_none(), "the refresher inside declines, but the decorator returns a credential")
    }
}

/// Whether the refresher inside sees the reason, the request, the challenges and the demand.
fn same_request(seen: &RefreshContext, expected: &RefreshContext) -> Outcome {
    check(seen.reason() == expected.reason(), format_args!("the reason is {:?}", seen.reason()))?;
    check((seen.method(), seen.url()) == (expected.method(), expected.url()), "the request differs")?;
    check(seen.origin() == expected.origin(), "the origin differs")?;
    let lines = |context: &RefreshContext| context.challenges().iter().map(|one| one.to_bytes()).collect::<Vec<_>>();
    check(lines(seen) == lines(expected), "the challenges differ")?;
    check(seen.demand() == expected.demand(), "the demand differs")?;
    check(seen.now() == expected.now(), "the clock differs")
}

/// Whether the refresher inside was told to forget this credential for this reason.
fn forgets(inside: &Inside, reason: RefreshReason, credential: &Credential) -> Outcome {
    let calls = inside.forgotten();
    let of_credential = calls.iter().find(|call| call.credential() == Some(credential));
    let Some(call) = of_credential else {
        return Err(format!("for {reason:?}, the refresher inside does not get the credential to forget"));
    };
    check(call.reason() == reason, format_args!("the reason is {:?} instead of {reason:?}", call.reason()))?;
    returned(call.credential(), credential)
}

/// Whether the kind of the error is the expected one.
fn same_kind(got: &RefreshError, expected: &RefreshError) -> Outcome {
    check(got.kind() == expected.kind(), format_args!("the error is {:?} instead of {:?}", got.kind(), expected.kind()))
}
