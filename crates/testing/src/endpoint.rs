//! What the mock of a token endpoint answers.

use crate::util::lock;
use std::sync::MutexGuard;

use http::{HeaderName, Method};

use crate::answer::Answer;
use crate::arrived::Arrived;
use crate::login::Worth;
use crate::protection::basic;
use crate::provider::{Failure, Grant, Inner, Issued, KnownClient, State};
use crate::purpose::Purpose;
use crate::server::Decide;

/// The grants that it knows, and the parameters that each must have beside it.
const GRANTS: [(&str, &[&str]); 7] = [
    ("client_credentials", &[]),
    ("refresh_token", &["refresh_token"]),
    ("password", &["username", "password"]),
    ("authorization_code", &["code"]),
    ("urn:ietf:params:oauth:grant-type:device_code", &["device_code"]),
    ("urn:ietf:params:oauth:grant-type:jwt-bearer", &["assertion"]),
    ("urn:ietf:params:oauth:grant-type:token-exchange", &["subject_token", "subject_token_type"]),
];

pub(super) fn error(status: u16, code: &str) -> Answer {
    Answer::new(status).json_body(format_args!("{{\"error\":\"{code}\"}}"))
}

impl Failure {
    /// Whether any request can fail like this. Only a token endpoint uses the codes of RFC 6749.
    fn is_of_any_request(&self) -> bool {
        !matches!(self, Self::InvalidGrant | Self::InvalidClient)
    }

    /// What it makes of an answer.
    fn spoil(self, answer: impl FnOnce() -> Answer) -> Answer {
        match self {
            Self::InvalidGrant => error(400, "invalid_grant"),
            Self::InvalidClient => error(401, "invalid_client").header("www-authenticate", "Basic realm=\"identity\""),
            Self::TooManyRequests(seconds) => Answer::new(429).header("retry-after", seconds.to_string()),
            Self::ServerError => Answer::new(500).body("out of order"),
            Self::Hang(gate) => answer().hold_until(&gate),
            Self::Garbage => Answer::ok("<html>who knows</html>").header("content-type", "text/html"),
            Self::Cut => Answer::cut(),
        }
    }
}

impl State {
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    pub(super) fn issue(&self, inner: &mut Inner, family: usize, scopes: Vec<String>, bound: Option<String>) -> Issued {
        let access_token = self.tokens.issue_in(Some(family), scopes.clone(), Some(inner.lifetime));
        inner.refreshes += 1;
        let refresh_token = format!("mock-refresh-{:06}", inner.refreshes);
        inner.grants.insert(refresh_token.clone(), Grant { family, scopes, used: false, bound });
        Issued { access_token, refresh_token }
    }

    /// A token request (RFC 6749 §4 to §6).
    fn token(&self, arrived: &Arrived) -> Answer {
        let mut inner = self.lock();
        if !self.knows(&inner, arrived) {
            return Failure::InvalidClient.spoil(|| Answer::new(401));
        }
        let names: Vec<_> = url::form_urlencoded::parse(arrived.body()).map(|(name, _)| name.into_owned()).collect();
        let twice = names.iter().enumerate().any(|(number, name)| names[..number].contains(name));
        let Some(grant_type) = arrived.form("grant_type").filter(|_| !twice && arrived.is_form()) else {
            return error(400, "invalid_request");
        };
        let key = match self.key_of(&inner, arrived) {
            Ok(key) => key,
            Err(refusal) => return *refusal,
        };
        let Some((_, wanted)) = GRANTS.iter().find(|(name, _)| *name == grant_type) else {
            return error(400, "unsupported_grant_type");
        };
        if wanted.iter().any(|name| arrived.form(name).is_none_or(|value| value.is_empty())) {
            return error(400, "invalid_request");
        }
        let asked: Option<Vec<String>> =
            arrived.form("scope").map(|scope| scope.split(' ').map(str::to_owned).collect());
        let token = arrived.form("refresh_token").unwrap_or_default();
        if let (Some(asked), Some(grant)) = (&asked, inner.grants.get(&token))
            && !asked.iter().all(|scope| grant.scopes.contains(scope) || grant.scopes.iter().any(|held| held == "*"))
        {
            return error(400, "invalid_scope");
        }
        let asked = match inner.logins.worth(arrived, &grant_type, key.as_deref()) {
            Worth::Scopes(scopes) => scopes,
            Worth::Nothing(code) => return error(400, code),
            Worth::Unknown => asked,
        };
        let issued = if grant_type == "refresh_token" {
            match self.refresh(&mut inner, &token, &key) {
                Some(issued) => issued,
                None => return error(400, "invalid_grant"),
            }
        } else {
            inner.families += 1;
            let family = inner.families;
            // A client that proves itself has its refresh tokens bound by that (RFC 9449 §5).
            let bound = key.clone().filter(|_| inner.client.is_none());
            self.issue(&mut inner, family, asked.unwrap_or_else(|| vec!["*".to_owned()]), bound)
        };
        let kind = self.bind(&issued.access_token, key);
        *inner.counts.entry(grant_type.clone()).or_default() += 1;
        let refresh = match grant_type.as_str() {
            // RFC 6749 §4.4.3: no refresh token for a client of its own.
            "client_credentials" => String::new(),
            _ => format!(",\"refresh_token\":\"{}\"", issued.refresh_token),
        };
        Answer::json(format_args!(
            "{{\"access_token\":\"{}\",\"token_type\":\"{kind}\",\"expires_in\":{}{refresh}}}",
            issued.access_token,
            inner.lifetime.as_secs()
        ))
        .header("cache-control", "no-store")
    }

    /// Whether it is the client that is asked for, if one is.
    fn knows(&self, inner: &Inner, arrived: &Arrived) -> bool {
        match &inner.client {
            None => true,
            Some(KnownClient::Secret(id, secret)) => is_client(arrived, id, secret),
            #[cfg(feature = "dpop")]
            Some(KnownClient::Key(id, jwk)) => crate::proofs::is_client(arrived, id, jwk, &self.tokens),
        }
    }

    fn refresh(&self, inner: &mut Inner, token: &str, key: &Option<String>) -> Option<Issued> {
        let rotates = inner.rotates;
        let grant = inner.grants.get_mut(token)?;
        if grant.bound.is_some() && grant.bound != *key {
            return None;
        }
        if grant.used {
            let family = grant.family;
            inner.reused += 1;
            inner.grants.values_mut().filter(|grant| grant.family == family).for_each(|grant| grant.used = true);
            self.tokens.revoke_family(family);
            return None;
        }
        grant.used = rotates;
        let (family, scopes, bound) = (grant.family, grant.scopes.clone(), grant.bound.clone());
        let issued = self.issue(inner, family, scopes, bound);
        if rotates {
            return Some(issued);
        }
        inner.grants.remove(&issued.refresh_token);
        Some(Issued { refresh_token: token.to_owned(), ..issued })
    }

    /// A revocation (RFC 7009): of a token that is not known too.
    fn revoke(&self, arrived: &Arrived) -> Answer {
        let mut inner = self.lock();
        if !self.knows(&inner, arrived) {
            return Failure::InvalidClient.spoil(|| Answer::new(401));
        }
        let Some(token) = arrived.form("token").filter(|_| arrived.is_form()) else {
            return error(400, "invalid_request");
        };
        if let Some(family) = inner.grants.get_mut(&token).map(|grant| grant.family) {
            inner.grants.values_mut().filter(|grant| grant.family == family).for_each(|grant| grant.used = true);
            self.tokens.revoke_family(family);
        }
        self.tokens.revoke(&token);
        Answer::new(200)
    }
}

/// Whether it is that client: by Basic, each part form-encoded, or in the body (RFC 6749 §2.3.1).
fn is_client(arrived: &Arrived, id: &str, secret: &str) -> bool {
    let decoded = |text: &str| {
        let pair = format!("x={text}");
        url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    let by_basic = basic(arrived).is_some_and(|pair| {
        pair.split_once(':').is_some_and(|(user, password)| {
            decoded(user).as_deref() == Some(id) && decoded(password).as_deref() == Some(secret)
        })
    });
    let in_body = (arrived.form("client_id"), arrived.form("client_secret"));
    by_basic || in_body == (Some(id.to_owned()), Some(secret.to_owned()))
}

impl Decide for State {
    fn answer(&self, arrived: &Arrived) -> Answer {
        let answer = || match (arrived.method(), arrived.path()) {
            (&Method::POST, "/token") => self.token(arrived),
            (&Method::POST, "/revoke") => self.revoke(arrived),
            (_, "/token" | "/revoke") => Answer::new(405).header("allow", "POST"),
            _ => self.login(arrived).unwrap_or_else(|| Answer::new(404)),
        };
        let failure = {
            let mut inner = self.lock();
            let is_token = Purpose::at_provider(arrived) == Purpose::Token;
            let next = if is_token { inner.next.pop_front() } else { None };
            next.or_else(|| inner.down.clone().filter(|failure| is_token || failure.is_of_any_request()))
        };
        failure.map_or_else(answer, |failure| failure.spoil(answer))
    }

    fn key(&self, _: &str) -> Option<HeaderName> {
        None
    }

    fn purpose(&self, arrived: &Arrived) -> Purpose {
        Purpose::at_provider(arrived)
    }
}
