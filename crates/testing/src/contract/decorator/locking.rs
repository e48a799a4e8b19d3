//! Renewals at the same time, and the lock in the context.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, RefreshErrorKind, RenewalLock, Secret};
use tokio::task::JoinHandle;

use super::inside::{Answer, Inside};
use super::place::{BuildIt, Places, refused, text, whole};
use crate::contract::calls;
use crate::contract::outcome::{Outcome, check};
use crate::timing::Gate;

/// How long a renewal waits for another one to begin beside it. If the decorators have no lock, it begins in less time.
const OVERLAP: Duration = Duration::from_millis(300);
/// How long a renewal may wait for a lock that is released while the user is asked. It is less than a store waits for a lock.
const MAX_WAIT: Duration = Duration::from_secs(10);

impl Places {
    pub(super) async fn renews_one_at_a_time(&self) -> Outcome {
        let old = whole("t0");
        let place = self.with(&old).await?;
        let (inside, second_began) = (Arc::new(AtomicUsize::new(0)), Gate::closed());
        let overlaps = Arc::new(AtomicBool::new(false));
        let renew = |token: &'static str| {
            let (inside, second_began, overlaps) = (inside.clone(), second_began.clone(), overlaps.clone());
            Inside::acting(move |_| {
                let (inside, second_began, overlaps) = (inside.clone(), second_began.clone(), overlaps.clone());
                async move {
                    if inside.fetch_add(1, Ordering::SeqCst) == 0 {
                        tokio::time::timeout(OVERLAP, second_began.pass()).await.ok();
                    } else {
                        overlaps.store(true, Ordering::SeqCst);
                        second_began.open();
                    }
                    inside.fetch_sub(1, Ordering::SeqCst);
                    Ok(Some(whole(token)))
                }
            })
        };
        let (first, second) = (place.decorate(renew("t1")).0, place.decorate(renew("t2")).0);
        let context = || refused(Some(&old)).build_it();
        let begun = [first, second].map(|decorator| begin(decorator, context()));
        for renewal in begun {
            ended(renewal).await.map_err(text)?;
        }
        check(!overlaps.load(Ordering::SeqCst), "two refreshers inside work at the same time")
    }

    pub(super) async fn releases_lock_for_prompt(&self) -> Outcome {
        let old = whole("t0");
        let place = self.with(&old).await?;
        let (asked, answered) = (Gate::closed(), Gate::closed());
        let (asks, waits) = (asked.clone(), answered.clone());
        let (prompting, _) = place.decorate(Inside::acting(move |context: RefreshContext| {
            let (asks, waits) = (asks.clone(), waits.clone());
            async move {
                let elsewhere = context.before_prompt().await;
                asks.open();
                waits.pass().await;
                elsewhere.map(|elsewhere| elsewhere.or_else(|| Some(whole("t1"))))
            }
        }));
        let (decorator, inside) = place.decorate(Inside::returning(&whole("t2")));
        let context = || refused(Some(&old)).build_it();
        let login = begin(prompting, context());
        let is_asked = tokio::time::timeout(MAX_WAIT, asked.pass()).await.is_ok();
        check(is_asked, "the refresher inside is not called for a refused credential")?;
        let renewed = tokio::time::timeout(MAX_WAIT, calls::refresh(&decorator, context())).await;
        answered.open();
        ended(login).await.map_err(text)?;
        let is_released = renewed.is_ok_and(|renewed| renewed.is_ok()) && !inside.refreshed().is_empty();
        check(is_released, "another renewal cannot work while the user is asked")
    }

    pub(super) async fn keeps_new_attachment(&self) -> Outcome {
        let old = whole("t0");
        let place = self.with(&old).await?;
        let (decorator, _) = place.decorate(Inside::acting(|context: RefreshContext| async move {
            context.before_spending().await?;
            context.keep_attachment("new attachment");
            Err(RefreshError::transient(None))
        }));
        let context = || refused(Some(&old)).build_it();
        let Err(error) = calls::refresh(&decorator, context()).await else {
            return Err("the refresh returns no error".to_owned());
        };
        check(error.is_transient(), format_args!("the error is {:?} instead of `Transient`", error.kind()))?;
        let (decorator, inside) = place.decorate(Inside::returning(&whole("t1")));
        calls::refresh(&decorator, context()).await.map_err(text)?;
        let seen = inside.refreshed();
        let attachment = seen.first().and_then(|context| context.credential()?.attachment().cloned());
        check(attachment == Some(Secret::new("new attachment")), "the next refresh does not get the new attachment")
    }

    pub(super) async fn forwards_lock(&self) -> Outcome {
        let (decorator, inside) = self.place().decorate(Inside::acting(|context: RefreshContext| async move {
            context.before_spending().await?;
            Ok(Some(whole("t1")))
        }));
        let lock = Arc::new(Refusing);
        let got = calls::refresh(&decorator, refused(None).renewal_lock(&lock).build_it()).await;
        let is_asked = got.is_err_and(|error| *error.kind() == RefreshErrorKind::TimedOut);
        check(is_asked && !inside.refreshed().is_empty(), "the refresher inside does not get the lock of the context")
    }
}

/// Begins a refresh on a task.
fn begin(decorator: Arc<dyn Refresh>, context: RefreshContext) -> JoinHandle<Answer> {
    tokio::spawn(async move { calls::refresh(&decorator, context).await })
}

/// The result of a refresh that has begun.
async fn ended(refresh: JoinHandle<Answer>) -> Answer {
    refresh.await.unwrap_or_else(|_| Err(RefreshError::new(RefreshErrorKind::Panicked)))
}

/// A lock whose `before_spending` fails with an error that no refresher returns.
struct Refusing;

#[async_trait]
impl RenewalLock for Refusing {
    async fn before_prompt(&self, _context: &RefreshContext) -> Result<Option<Credential>, RefreshError> {
        Ok(None)
    }

    async fn before_spending(&self) -> Result<(), RefreshError> {
        Err(RefreshError::new(RefreshErrorKind::TimedOut))
    }
}
