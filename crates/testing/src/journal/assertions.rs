//! What a test asserts about a journal.

use std::collections::HashSet;
use std::fmt;

use http::StatusCode;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, PROXY_AUTHORIZATION};

use super::journal::{Entry, Journal};
use super::secrets::secrets;
use crate::message::{Exchange, ReceivedRequest};

impl Journal {
    /// Asserts that there was one refresh, and that this many callers succeeded with at most two sends each. Requests
    /// for a credential do not count as sends of a caller: metadata, a registration, a login, a revocation.
    ///
    /// # Panics
    /// If there was another number of refreshes or successes, or if there were more sends.
    #[track_caller]
    pub fn assert_one_refresh_for(&self, callers: usize) {
        let calls: Vec<_> = self.exchanges().into_iter().filter(Exchange::is_call).collect();
        let successes = calls.iter().filter(|call| call.status().is_some_and(|status| status.is_success())).count();
        let (refreshes, sends) = (self.refreshes(), calls.len());
        self.expect(
            (refreshes, successes) == (1, callers) && sends <= 2 * callers,
            format_args!(
                "one refresh for {callers} callers, and {callers} successes in at most {} sends; \
                 there were {refreshes} refresh(es), {successes} success(es) and {sends} send(s)",
                2 * callers
            ),
        );
    }

    /// Asserts how many requests all servers together received for this path.
    ///
    /// # Panics
    /// If there was another number of requests.
    #[track_caller]
    pub fn assert_sends(&self, path: &str, times: usize) {
        let sends = self.exchanges().iter().filter(|exchange| exchange.request.path() == path).count();
        self.expect(sends == times, format_args!("{times} send(s) to {path}; there were {sends}"));
    }

    /// Asserts how often a new credential was requested, counted as by [`refreshes`](Self::refreshes).
    ///
    /// # Panics
    /// If there was another number of refreshes.
    #[track_caller]
    pub fn assert_refreshes(&self, times: usize) {
        let refreshes = self.refreshes();
        self.expect(refreshes == times, format_args!("{times} refresh(es); there were {refreshes}"));
    }

    /// Asserts that the server of this name received no credential. It must have received no header field and no query
    /// parameter that carries a credential. It must also have received no secret of another server at any place: no
    /// credential, and no secret parameter of a token request.
    ///
    /// # Panics
    /// If the server received a credential, or if no server has this name.
    #[track_caller]
    pub fn assert_no_credential_reached(&self, server: &str) {
        self.expect(self.has_server(server), format_args!("a server named {server}; there is none"));
        let all = self.exchanges();
        let (theirs, others): (Vec<_>, Vec<_>) = all.iter().partition(|exchange| exchange.request.server() == server);
        let secrets = secrets(others.iter().copied());
        let key_headers: HashSet<_> = others.iter().filter_map(|other| other.request.key_header.clone()).collect();
        let has_credential = |request: &ReceivedRequest| {
            let fields = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, HeaderName::from_static("dpop")];
            fields.iter().chain(&key_headers).any(|name| request.headers.contains_key(name))
                || request.url.query_pairs().any(|(name, _)| name == "access_token")
                || secrets.iter().any(|secret| request.contains(secret))
        };
        let is_reached = theirs.iter().any(|exchange| has_credential(&exchange.request));
        self.expect(!is_reached, format_args!("no credential at {server}; it received one"));
    }

    /// Asserts that no request was sent again with the same credential after it was answered with 403.
    ///
    /// # Panics
    /// If such a request was sent again.
    #[track_caller]
    pub fn assert_no_403_was_resent(&self) {
        let entries = self.entries();
        let calls = |from: usize| {
            entries[from.min(entries.len())..].iter().filter_map(Entry::exchange).filter(|one| one.is_call())
        };
        let is_same = |one: &ReceivedRequest, other: &ReceivedRequest| {
            (&one.server, &one.method, &one.url, one.credential())
                == (&other.server, &other.method, &other.url, other.credential())
        };
        // A request that arrived before the 403 was answered does not count.
        let resent = calls(0).find(|call| {
            call.status() == Some(StatusCode::FORBIDDEN)
                && calls(call.answered_at).any(|later| is_same(&call.request, &later.request))
        });
        let path = resent.map(|call| call.request.path().to_owned()).unwrap_or_default();
        self.expect(resent.is_none(), format_args!("no request to be sent again after a 403; {path} was"));
    }

    /// Asserts that no server received this text in a URL, a header field or a body.
    ///
    /// # Panics
    /// If a server received it.
    #[track_caller]
    pub fn assert_no_server_saw(&self, text: &str) {
        let seen = self.exchanges().into_iter().find(|exchange| exchange.request.contains(text));
        let server = seen.map(|exchange| exchange.request.server).unwrap_or_default();
        self.expect(server.is_empty(), format_args!("no server to receive the text; {server} did"));
    }

    /// Panics with the text and the timeline if the condition is false.
    #[track_caller]
    pub(super) fn expect(&self, condition: bool, expected: fmt::Arguments<'_>) {
        assert!(condition, "expected {expected}\n{self}");
    }
}
