//! Tokens by what they are for.

use crate::util::lock;
use std::borrow::Cow;
use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use http::Method;
use url::Url;

use crate::registry::scope;
use reqwest_challenge::Secret;

/// How many repositories are remembered, and how many sets of scopes: more than one pull or push touches.
const ROOM: usize = 256;

/// What one token is for: a repository, and whether it is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Partition {
    origin: String,
    repository: String,
    access: Access,
    /// The repository from which a blob is mounted. The token must be valid for it too.
    from: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Pull,
    Push,
    Delete,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?}", self.origin, self.repository, self.access)?;
        self.from.as_ref().map_or(Ok(()), |from| write!(f, " {from}"))
    }
}

impl Partition {
    /// Of a request, by the paths of the distribution specification: `/v2/<name>/manifests/…` and the like.
    pub(super) fn of(method: &Method, url: &Url) -> Self {
        let access = match *method {
            Method::GET | Method::HEAD => Access::Pull,
            Method::DELETE => Access::Delete,
            _ => Access::Push,
        };
        let path = url.path().strip_prefix("/v2/").unwrap_or_default();
        let name = scope::repository(url).unwrap_or(path);
        let from = scope::mounted_from(method, url).map(Cow::into_owned);
        Self { origin: url.origin().ascii_serialization(), repository: name.to_owned(), access, from }
    }
}

/// A token, and how long it is good for.
pub(super) struct Token {
    pub(super) text: Secret,
    pub(super) lifetime: Duration,
}

#[derive(Default)]
pub(super) struct Cache(Mutex<State>);

#[derive(Default)]
struct State {
    /// Which scopes a repository wanted, the last to be used at the end.
    wanted: Vec<(Partition, Vec<String>)>,
    tokens: Vec<(Vec<String>, Secret, Option<SystemTime>)>,
}

impl Cache {
    /// The token for that, if there is one that is still good.
    pub(super) fn token(&self, partition: &Partition, now: SystemTime) -> Option<Secret> {
        let mut state = self.lock();
        let place = state.wanted.iter().position(|(other, _)| other == partition)?;
        let wanted = state.wanted.remove(place);
        let good = state.tokens.iter().find(|(scopes, ..)| *scopes == wanted.1);
        let token = good.filter(|(.., until)| until.is_none_or(|until| now < until)).map(|(_, token, _)| token.clone());
        state.wanted.push(wanted);
        token
    }

    pub(super) fn keep(&self, partition: Partition, scopes: Vec<String>, token: Token, now: SystemTime) {
        let mut state = self.lock();
        // A tenth of its life before its end, so that it does not end on the way.
        let until = now.checked_add(token.lifetime - token.lifetime / 10);
        state.wanted.retain(|(other, _)| *other != partition);
        state.tokens.retain(|(other, ..)| *other != scopes);
        if state.wanted.len() == ROOM {
            state.wanted.remove(0);
        }
        if state.tokens.len() == ROOM {
            state.tokens.remove(0);
        }
        state.wanted.push((partition, scopes.clone()));
        state.tokens.push((scopes, token.text, until));
    }

    pub(super) fn clear(&self) {
        *self.lock() = State::default();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}
