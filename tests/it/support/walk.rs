//! Calls of two sessions to a server that repeats a sequence of responses, and what these calls cost.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::Extensions;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use reqwest::{Request, Response};
use reqwest_challenge::{ChallengeMiddleware, Credential, MockResponse, RefreshContext};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};

use super::fake::ManualClock;
use super::script::{API, CHALLENGE};

/// The responses of the server: a status with a challenge, or a connection that is cut.
pub(crate) const ANSWERS: [(u16, &str); 8] = [
    (200, ""),
    (403, "Bearer scope=\"x\""),
    (500, ""),
    CUT,
    (401, CHALLENGE),
    (401, ""),
    (401, "Bearer resource_metadata=\"https://api.example.com/another-resource\""),
    (401, "Bearer error=\"insufficient_scope\", scope=\"x\""),
];

const CUT: (u16, &str) = (0, "");

/// All sequences of three responses, as places in [`ANSWERS`].
pub(crate) fn sequences() -> impl Iterator<Item = [usize; 3]> {
    let kinds = ANSWERS.len();
    (0..kinds.pow(3)).map(move |number| [number % kinds, number / kinds % kinds, number / kinds.pow(2)])
}

/// Where a call goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) session: usize,
    pub(crate) partition: usize,
    pub(crate) path: usize,
}

/// The largest costs between two credentials that the server accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Worst {
    /// The refreshes of one slot.
    pub(crate) in_slot: usize,
    /// The new credentials of one session that the server refused before a refresh started, and the one of that refresh.
    pub(crate) in_session: usize,
}

impl Worst {
    /// The larger number of both, of each kind.
    pub(crate) fn or(self, other: Self) -> Self {
        Self { in_slot: self.in_slot.max(other.in_slot), in_session: self.in_session.max(other.in_session) }
    }
}

/// A session and the name of a slot.
type SlotName = (usize, String);

/// What the calls of a walk cost.
#[derive(Default)]
struct Costs {
    sends: usize,
    refreshes: usize,
    /// Refreshes of a slot since the server last accepted a credential of the slot.
    of_slots: BTreeMap<SlotName, usize>,
    /// Credentials of a session that were refused, since the server last accepted one of the session.
    refused: BTreeMap<usize, BTreeSet<String>>,
    /// Credentials that the server has accepted. A later refusal of them shows that they have expired.
    accepted: BTreeSet<String>,
    worst: Worst,
}

impl Costs {
    fn refresh(&mut self, slot: &SlotName) {
        self.refreshes += 1;
        let of_slot = self.of_slots.entry(slot.clone()).or_default();
        *of_slot += 1;
        let refused = self.refused.get(&slot.0).map_or(0, BTreeSet::len);
        self.worst = self.worst.or(Worst { in_slot: *of_slot, in_session: refused + 1 });
    }

    /// Records the answer to a request with that credential of the slot.
    fn answer(&mut self, slot: &SlotName, credential: &str, status: u16) {
        match status {
            200 | 403 => {
                self.refused.remove(&slot.0);
                self.of_slots.remove(slot);
                self.accepted.insert(credential.to_owned());
            }
            401 if !self.accepted.contains(credential) => {
                self.refused.entry(slot.0).or_default().insert(credential.to_owned());
            }
            _ => {}
        }
    }
}

/// The last middleware of a session, which answers instead of the network.
struct Server {
    answers: [usize; 3],
    session: usize,
    is_partitioned: bool,
    costs: Arc<Mutex<Costs>>,
}

#[async_trait]
impl Middleware for Server {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> reqwest_middleware::Result<Response> {
        let slot = (self.session, if self.is_partitioned { partition_of(request.url()) } else { MAIN.to_owned() });
        let mut costs = self.costs.lock().unwrap();
        let answer = self.answers[costs.sends % 3];
        costs.sends += 1;
        if let Some(credential) = request.headers().get(AUTHORIZATION) {
            let credential = credential.to_str().unwrap();
            let own = format!("Bearer {}.{}.", slot.0, slot.1);
            assert!(credential.starts_with(&own), "{credential} in {slot:?}");
            costs.answer(&slot, credential, ANSWERS[answer].0);
        }
        if ANSWERS[answer] == CUT {
            return Err(reqwest_middleware::Error::Middleware(Error::from(ErrorKind::ConnectionReset).into()));
        }
        let (status, challenge) = ANSWERS[answer];
        let response = http::Response::builder().status(status).extension(MockResponse);
        let response = if challenge.is_empty() { response } else { response.header(WWW_AUTHENTICATE, challenge) };
        Ok(response.body("").unwrap().into())
    }
}

/// The name of the main slot.
const MAIN: &str = "-";

fn partition_of(url: &reqwest::Url) -> String {
    url.query().unwrap().to_owned()
}

/// Two sessions that call one server.
pub(crate) struct Walk {
    clients: [ClientWithMiddleware; 2],
    clock: ManualClock,
    costs: Arc<Mutex<Costs>>,
}

impl Walk {
    /// The server repeats these answers, for all paths, partitions and sessions together. If `is_partitioned`, each partition
    /// has a slot of its session. Otherwise all calls of a session use its main slot. If `is_stuck`, the refresher returns the
    /// same credential each time.
    pub(crate) fn new(http: &reqwest::Client, answers: [usize; 3], is_partitioned: bool, is_stuck: bool) -> Self {
        let (costs, clock) = (Arc::new(Mutex::new(Costs::default())), ManualClock::new());
        let clients = [0, 1].map(|session| {
            let counted = costs.clone();
            let refresher = move |context: RefreshContext| {
                let slot = (session, context.partition().unwrap_or(MAIN).to_owned());
                let mut costs = counted.lock().unwrap();
                costs.refresh(&slot);
                let number = if is_stuck { 0 } else { costs.refreshes };
                async move { Ok::<_, Error>(Credential::bearer(format!("{session}.{}.{number}", slot.1))) }
            };
            let auth = ChallengeMiddleware::builder(API, refresher).clock(clock.clone());
            let auth = if is_partitioned { auth.partition_by(|_, url| partition_of(url)) } else { auth };
            let server = Server { answers, session, is_partitioned, costs: costs.clone() };
            ClientBuilder::new(http.clone()).with(auth.build().unwrap()).with(server).build()
        });
        Self { clients, clock, costs }
    }

    /// Makes these calls one after the other, and moves the clock by `step` after each. Returns the largest costs.
    ///
    /// # Panics
    /// If a call costs more than two sends or more than one refresh.
    pub(crate) async fn call(&self, places: impl IntoIterator<Item = Place>, step: Duration) -> Worst {
        let now = || {
            let costs = self.costs.lock().unwrap();
            (costs.sends, costs.refreshes)
        };
        for Place { session, partition, path } in places {
            let before = now();
            drop(self.clients[session].get(format!("{API}/{path}?{partition}")).send().await);
            let cost = (now().0 - before.0, now().1 - before.1);
            assert!(cost.0 <= 2 && cost.1 <= 1, "{cost:?} sends and refreshes in one call");
            self.clock.forward(step);
        }
        self.costs.lock().unwrap().worst
    }
}
