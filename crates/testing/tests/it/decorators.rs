//! The contract of a decorator reports each violation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use reqwest_challenge::{Credential, Refresh, RefreshContext, RefreshError, RenewalLock};
use reqwest_challenge_login::store::{Key, MemoryStore, Stored};
use reqwest_challenge_testing::{DecoratorContract, Verdict, decorator_contract};

type Answer = Result<Option<Credential>, RefreshError>;

/// A decorator that violates the contract in one way.
struct Bad {
    how: &'static str,
    inside: Arc<dyn Refresh>,
    place: String,
    /// The credential of each place.
    kept: Arc<Mutex<HashMap<String, Credential>>>,
}

impl Bad {
    fn contract(how: &'static str) -> DecoratorContract {
        let kept = Arc::<Mutex<HashMap<_, _>>>::default();
        decorator_contract(move |inside, place| Self { how, inside, place: place.to_owned(), kept: kept.clone() })
    }

    fn kept(&self) -> Option<Credential> {
        let keeps = matches!(self.how, "answers anything" | "remembers" | "keeps a part");
        self.kept.lock().unwrap().get(&self.place).filter(|_| keeps).cloned()
    }
}

/// The same credential without its other parts.
fn stripped(credential: &Credential) -> Credential {
    Credential::bearer(credential.token().unwrap().expose())
}

/// A lock that does nothing.
struct NoLock;

#[async_trait]
impl RenewalLock for NoLock {
    async fn before_prompt(&self, _context: &RefreshContext) -> Answer {
        Ok(None)
    }
}

#[async_trait]
impl Refresh for Bad {
    async fn refresh(&self, context: RefreshContext) -> Answer {
        let kept = self.kept().filter(|_| self.how == "answers anything");
        if kept.is_some() {
            return Ok(kept);
        }
        let lock = Arc::new(NoLock);
        let context = match (self.how, context.credential().map(stripped)) {
            ("loses the request", refused) => {
                let reason = context.reason();
                context.to_forget(reason, refused)
            }
            ("loses the refused attachment", Some(refused)) => context.with_credential(refused),
            ("loses the demand", _) => context.without_demand(),
            ("loses the lock", _) => context.with_renewal_lock(&lock),
            _ => context,
        };
        let new = match self.inside.refresh(context).await {
            Err(_) if self.how == "hides the error" => Err(RefreshError::denied("unknown")),
            Err(_) if self.how == "declines instead" => Ok(None),
            other => other,
        }?;
        let Some(new) = new else { return Ok(None) };
        self.kept.lock().unwrap().insert(self.place.clone(), new.clone());
        Ok(Some(if self.how == "loses the attachment" { stripped(&new) } else { new }))
    }

    async fn initial(&self, context: RefreshContext) -> Answer {
        match (self.how, self.kept()) {
            ("has no initial", _) => Ok(None),
            ("keeps a part", Some(kept)) => Ok(Some(stripped(&kept))),
            (_, Some(kept)) => Ok(Some(kept)),
            _ => self.inside.initial(context).await,
        }
    }

    async fn forget(&self, context: RefreshContext) -> Result<(), RefreshError> {
        let reason = context.reason();
        match self.how {
            "swallows forget" => Ok(()),
            "forgets a part" => {
                let credential = context.credential().map(stripped);
                self.inside.forget(context.to_forget(reason, credential)).await
            }
            "hides the error" => self.inside.forget(context).await.map_err(|_| RefreshError::denied("unknown")),
            _ => self.inside.forget(context).await,
        }
    }

    fn holds_unsaved(&self) -> bool {
        self.how != "drops unsaved" && self.inside.holds_unsaved()
    }

    fn needs_challenge(&self) -> bool {
        self.how != "answers itself" && self.inside.needs_challenge()
    }

    fn timeout(&self) -> Duration {
        if self.how == "is impatient" { Duration::from_secs(30) } else { self.inside.timeout() }
    }
}

/// The names of the checks that failed.
async fn failed(contract: DecoratorContract) -> Vec<&'static str> {
    let report = contract.run().await;
    let failed = report.checks().iter().filter(|check| matches!(check.verdict, Verdict::Failed(_)));
    failed.map(|check| check.name).collect()
}

#[tokio::test(start_paused = true)]
async fn the_contract_reports_each_violation_of_a_decorator() {
    for (how, name) in [
        ("is impatient", "the timeout is not shorter than that of the refresher inside"),
        ("answers itself", "`needs_challenge` is that of the refresher inside"),
        ("drops unsaved", "`holds_unsaved` is true if the refresher inside holds an unsaved credential"),
        ("loses the request", "the refresher inside sees the reason, the request, the challenges and the demand"),
        ("loses the demand", "the refresher inside sees the reason, the request, the challenges and the demand"),
        ("loses the refused attachment", "the refresher inside sees the refused credential with its attachment"),
        ("loses the attachment", "a new credential is returned with its attachment, its scopes and its expiry"),
        ("has no initial", "`initial` is that of the refresher inside if nothing is kept"),
        ("swallows forget", "`forget` reaches the refresher inside with its reason and the whole credential"),
        ("forgets a part", "`forget` reaches the refresher inside with its reason and the whole credential"),
        ("hides the error", "an error keeps its kind, and a declined refresh stays declined"),
        ("declines instead", "an error keeps its kind, and a declined refresh stays declined"),
        ("keeps a part", "a kept credential has its attachment, its scopes and its expiry"),
        ("remembers", "a kept credential is forgotten by a logout"),
        (
            "answers anything",
            "a kept credential is returned only if it was not refused, has not expired and meets the demand",
        ),
        ("answers anything", "a kept credential is not returned for a login"),
        ("answers anything", "a kept credential is not returned for a partition or another resource"),
        ("loses the lock", "the lock of the context reaches the refresher inside"),
    ] {
        let failed = failed(Bad::contract(how).without_lock()).await;
        assert!(failed.contains(&name), "{how}: {failed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_decorator_without_a_lock_fails_the_checks_of_the_lock_and_no_others() {
    let failed_checks = failed(Bad::contract("has no lock")).await;
    let lost = "an attachment that the refresher inside keeps is not lost if the refresh fails";
    assert_eq!(failed_checks, ["two decorators of one place do not renew at the same time", lost]);
    assert!(failed(Bad::contract("has no lock").without_lock()).await.is_empty());
    // A decorator that never calls the refresher inside does not block the suite.
    let released = "the lock is released before the user is asked";
    assert!(failed(Bad::contract("answers anything")).await.contains(&released));
    // A store whose lock does not reach the refresher inside holds the lock while the user is asked.
    let store = MemoryStore::new();
    let contract = decorator_contract(move |inside, place| {
        let (place, how) = (place.to_owned(), "loses the lock");
        let bad = Bad { how, inside, place: place.clone(), kept: Arc::default() };
        Stored::new(bad, store.clone(), Key::new("https://auth.example.com").account(place))
    });
    assert_eq!(failed(contract).await, [released, lost]);
}

/// The items of the list in the documentation of a function.
fn listed(source: &str, function: &str) -> Vec<String> {
    let docs = &source[..source.find(&format!("pub fn {function}")).unwrap()];
    let docs = docs.rsplit("\n\n").next().unwrap();
    let items = docs.lines().filter_map(|line| line.strip_prefix("/// - "));
    items.map(|item| item.trim_end_matches(['.', ';']).to_owned()).collect()
}

#[test]
fn the_documentation_of_each_contract_lists_its_checks() {
    for (source, function) in [
        (include_str!("../../src/contract/refresher_contract.rs"), "refresher_contract"),
        (include_str!("../../src/contract/store_contract.rs"), "store_contract"),
        (include_str!("../../src/contract/decorator/decorator_contract.rs"), "decorator_contract"),
    ] {
        let (docs, run) = (listed(source, function), &source[source.find("pub async fn run").unwrap()..]);
        let run = &run[..run.find("\n    }\n").unwrap()];
        // The names are the only texts in `run` that contain a space, except the texts of skipped checks.
        let names: Vec<_> = run.split('"').skip(1).step_by(2).filter(|text| !text.starts_with("call `")).collect();
        assert!(names.len() > 9, "{names:?}");
        let mut sorted = (docs.clone(), names.clone());
        sorted.0.sort_unstable();
        sorted.1.sort_unstable();
        assert_eq!(sorted.0, sorted.1, "{function}");
    }
}
