//! The rules of the issuer: it rotates refresh tokens, and revokes a family whose token is used twice.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

/// How many tokens the issuer knows. Older tokens are invalid, and a worker does not hold one for that long.
const MAX_TOKENS: usize = 20_000;

/// What the issuer knows.
#[derive(Default)]
pub(crate) struct Issuer {
    numbers: u64,
    refresh_tokens: HashMap<String, RefreshToken>,
    access_tokens: HashMap<String, AccessToken>,
    /// All tokens, the oldest first.
    ages: VecDeque<String>,
    revoked: HashSet<u64>,
    /// The processes that were killed.
    dead: HashSet<String>,
    /// The families that were revoked because of a reuse. Each of them is a fault.
    pub(crate) reuses: Vec<String>,
    pub(crate) logins: u64,
    pub(crate) renewals: u64,
    pub(crate) repeated: u64,
    pub(crate) logouts: u64,
}

struct RefreshToken {
    family: u64,
    used: Option<Use>,
}

/// The last use of a refresh token.
struct Use {
    process: String,
    /// Whether the process received the response.
    is_delivered: bool,
}

struct AccessToken {
    family: u64,
    expires: Instant,
}

/// The tokens of a response.
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) lifetime: Duration,
}

impl Issuer {
    /// Issues the tokens of a new family.
    pub(crate) fn log_in(&mut self, lifetime: Duration) -> Tokens {
        self.logins += 1;
        self.numbers += 1;
        self.issue(self.numbers, lifetime)
    }

    /// Replaces a refresh token. `None` if it is not valid.
    ///
    /// A second use of the token is a reuse, unless no process can have the response to the first use: the response was cut
    /// off, or the process was killed.
    pub(crate) fn renew(
        &mut self,
        token: &str,
        process: &str,
        lifetime: Duration,
        is_delivered: bool,
    ) -> Option<Tokens> {
        let known = self.refresh_tokens.get_mut(token)?;
        let family = known.family;
        if self.revoked.contains(&family) {
            return None;
        }
        if let Some(first) = &known.used {
            if first.is_delivered && !self.dead.contains(&first.process) {
                self.reuses.push(format!("{process} used a token again that {} has replaced", first.process));
                self.revoked.insert(family);
                return None;
            }
            self.repeated += 1;
        }
        known.used = Some(Use { process: process.to_owned(), is_delivered });
        self.renewals += 1;
        Some(self.issue(family, lifetime))
    }

    /// Revokes the family of a token, because its user logs out.
    pub(crate) fn revoke(&mut self, token: &str) {
        let family = self.refresh_tokens.get(token).map(|token| token.family);
        let family = family.or_else(|| self.access_tokens.get(token).map(|token| token.family));
        if let Some(family) = family {
            self.logouts += u64::from(self.revoked.insert(family));
        }
    }

    pub(crate) fn is_valid(&self, access_token: &str) -> bool {
        let token = self.access_tokens.get(access_token);
        token.is_some_and(|token| token.expires > Instant::now() && !self.revoked.contains(&token.family))
    }

    pub(crate) fn bury(&mut self, process: &str) {
        self.dead.insert(process.to_owned());
    }

    fn issue(&mut self, family: u64, lifetime: Duration) -> Tokens {
        self.numbers += 1;
        let [access, refresh] = ["access", "refresh"].map(|kind| format!("{kind}-{family}-{}", self.numbers));
        self.access_tokens.insert(access.clone(), AccessToken { family, expires: Instant::now() + lifetime });
        self.refresh_tokens.insert(refresh.clone(), RefreshToken { family, used: None });
        self.ages.extend([access.clone(), refresh.clone()]);
        while self.ages.len() > MAX_TOKENS {
            let oldest = self.ages.pop_front().unwrap_or_default();
            self.access_tokens.remove(&oldest);
            self.refresh_tokens.remove(&oldest);
        }
        Tokens { access, refresh, lifetime }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_second_use_of_a_delivered_token_revokes_its_family() {
        let mut issuer = Issuer::default();
        let first = issuer.log_in(HOUR);
        let second = issuer.renew(&first.refresh, "a", HOUR, true).map(|tokens| tokens.access);
        assert!(second.as_deref().is_some_and(|access| issuer.is_valid(access)));
        assert!(issuer.renew(&first.refresh, "b", HOUR, true).is_none());
        assert_eq!(issuer.reuses.len(), 1);
        assert!(second.is_none_or(|access| !issuer.is_valid(&access)));
    }

    #[test]
    fn a_token_may_be_used_again_if_no_process_has_the_response() {
        let mut issuer = Issuer::default();
        let first = issuer.log_in(HOUR);
        assert!(issuer.renew(&first.refresh, "a", HOUR, false).is_some());
        assert!(issuer.renew(&first.refresh, "a", HOUR, true).is_some());
        issuer.bury("a");
        assert!(issuer.renew(&first.refresh, "b", HOUR, true).is_some());
        assert_eq!((issuer.reuses.len(), issuer.repeated), (0, 2));
    }

    #[test]
    fn a_token_of_a_revoked_family_is_not_valid() {
        let mut issuer = Issuer::default();
        let tokens = issuer.log_in(HOUR);
        issuer.revoke(&tokens.refresh);
        assert!(!issuer.is_valid(&tokens.access));
        assert!(issuer.renew(&tokens.refresh, "a", HOUR, true).is_none());
        assert_eq!((issuer.reuses.len(), issuer.logouts), (0, 1));
    }
}
