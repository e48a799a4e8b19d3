//! The session learns from `Date` how far the server's clock is from its clock, and a wrong `Date` does no harm.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use reqwest_challenge::dpop::{Dpop, Es256Key};
use reqwest_challenge::{AuthReport, ChallengeMiddleware, ClockSkew, Credential, Error, RefreshContext, Session};
use reqwest_challenge_testing::{Answer, ManualClock, RecordingRefresher, Script};
use reqwest_middleware::ClientWithMiddleware;

use crate::support::script::{API, CHALLENGE};

const HOUR: Duration = Duration::from_secs(3_600);
const TEN_MINUTES: Duration = Duration::from_secs(600);

fn seconds(span: u64) -> Duration {
    Duration::from_secs(span)
}

/// The time of a clock, shifted by seconds.
fn shifted(time: SystemTime, seconds: i64) -> SystemTime {
    let span = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { time - span } else { time + span }
}

/// A server whose clock a test moves, beside the clock of the client.
#[derive(Clone)]
struct Server {
    clock: ManualClock,
    offset: Arc<AtomicI64>,
}

impl Server {
    fn new(offset: i64) -> Self {
        Self { clock: ManualClock::new(), offset: Arc::new(AtomicI64::new(offset)) }
    }

    fn set_offset(&self, offset: i64) {
        self.offset.store(offset, Ordering::SeqCst);
    }

    fn time(&self) -> SystemTime {
        shifted(self.clock.time(), self.offset.load(Ordering::SeqCst))
    }

    fn dated(&self, answer: Answer) -> Answer {
        answer.header("date", httpdate::fmt_http_date(self.time()))
    }

    /// Accepts every token.
    fn accepting_all(&self) -> Script {
        let server = self.clone();
        Script::new(move |_, _| server.dated(Answer::ok("")))
    }

    /// Accepts every token but this one.
    fn refusing(&self, token: &'static str) -> Script {
        let server = self.clone();
        Script::new(move |request, _| {
            let is_refused = request.token() == token;
            server.dated(if is_refused { Answer::unauthorized([CHALLENGE]) } else { Answer::ok("") })
        })
    }
}

/// A refresher that returns the tokens `r1`, `r2` and so on, each with this lifetime from the time of the session's
/// clock on.
fn renewing(lifetime: Duration) -> RecordingRefresher {
    RecordingRefresher::answering(move |number, context: &RefreshContext| {
        Ok(Some(Credential::bearer(format!("r{number}")).with_expiry(context.now() + lifetime)))
    })
}

async fn get(client: &ClientWithMiddleware, times: usize) {
    for _ in 0..times {
        client.get(API).send().await.unwrap();
    }
}

fn client_of(
    server: &Server,
    script: &Script,
    refresher: &RecordingRefresher,
    initial: Credential,
) -> (ClientWithMiddleware, Session) {
    let auth = ChallengeMiddleware::builder(API, refresher.clone());
    let auth = auth.initial_credential(initial).clock(server.clock.clone()).build().unwrap();
    (script.client(&auth), auth.session())
}

#[tokio::test]
async fn three_dates_that_agree_show_the_skew_in_the_session_and_in_the_report() {
    for (offset, expected) in [
        (600, Some(ClockSkew::server_ahead(TEN_MINUTES))),
        (-600, Some(ClockSkew::server_behind(TEN_MINUTES))),
        (31, Some(ClockSkew::server_ahead(seconds(31)))),
        (30, None),
        (-30, None),
        (0, None),
    ] {
        let server = Server::new(offset);
        let (client, session) =
            client_of(&server, &server.accepting_all(), &RecordingRefresher::new(), Credential::bearer("t"));
        get(&client, 2).await;
        assert_eq!(session.clock_skew(), None, "two dates are not enough");
        let response = client.get(API).send().await.unwrap();
        assert_eq!(session.clock_skew(), expected, "{offset} s");
        assert_eq!(AuthReport::of(&response).clock_skew(), expected, "{offset} s");
    }
}

#[tokio::test]
async fn a_session_that_ignores_dates_learns_no_skew() {
    let server = Server::new(600);
    let auth = ChallengeMiddleware::builder(API, RecordingRefresher::declining()).ignore_dates();
    let auth = auth.initial_credential(Credential::bearer("t")).clock(server.clock.clone()).build().unwrap();
    let client = server.refusing("t").client(&auth);
    for _ in 0..6 {
        client.get(API).send().await.unwrap_err();
    }
    assert_eq!(auth.session().clock_skew(), None);
}

#[tokio::test]
async fn an_error_reports_the_skew() {
    let server = Server::new(600);
    let (client, _) =
        client_of(&server, &server.refusing("t"), &RecordingRefresher::declining(), Credential::bearer("t"));
    for _ in 0..2 {
        client.get(API).send().await.unwrap_err();
    }
    let error = client.get(API).send().await.unwrap_err();
    let Some(Error::Unauthorized(refused)) = Error::find(&error) else { panic!("{error:?}") };
    assert_eq!(refused.report().clock_skew(), Some(ClockSkew::server_ahead(TEN_MINUTES)));
}

#[tokio::test]
async fn dates_that_disagree_show_no_skew() {
    let server = Server::new(600);
    let (client, session) =
        client_of(&server, &server.accepting_all(), &RecordingRefresher::new(), Credential::bearer("t"));
    for offset in [600, 620, 600, 640, 600] {
        server.set_offset(offset);
        get(&client, 1).await;
    }
    assert_eq!(session.clock_skew(), None);
}

#[tokio::test]
async fn one_wrong_date_does_not_change_a_known_skew() {
    let server = Server::new(600);
    let refresher = RecordingRefresher::declining();
    let (client, session) = client_of(&server, &server.refusing("t"), &refresher, Credential::bearer("t"));
    for offset in [600, 600, 600, 86_400, 600] {
        server.set_offset(offset);
        client.get(API).send().await.unwrap_err();
        assert!(session.clock_skew().is_none_or(|skew| skew.span() == TEN_MINUTES));
    }
    assert_eq!(session.clock_skew(), Some(ClockSkew::server_ahead(TEN_MINUTES)));
}

#[tokio::test]
async fn a_clock_that_is_corrected_ends_the_skew() {
    let server = Server::new(600);
    let (client, session) =
        client_of(&server, &server.refusing("t"), &RecordingRefresher::declining(), Credential::bearer("t"));
    for offset in [600; 5].into_iter().chain([0; 5]) {
        server.set_offset(offset);
        client.get(API).send().await.unwrap_err();
    }
    assert_eq!(session.clock_skew(), None);
}

#[tokio::test]
async fn a_cached_an_unreadable_and_a_missing_date_are_ignored() {
    let clock = ManualClock::new();
    let old = httpdate::fmt_http_date(clock.time() - TEN_MINUTES);
    let answers = [
        Answer::ok("").header("date", &old).header("age", "600"),
        Answer::ok("").header("date", "yesterday"),
        Answer::ok("").header("date", "Thu, 99 Jan 99999999999999999999 99:99:99 GMT"),
        Answer::ok(""),
    ];
    for answer in answers {
        let auth = ChallengeMiddleware::builder(API, Credential::bearer("t")).clock(clock.clone()).build().unwrap();
        get(&Script::always(answer).client(&auth), 5).await;
        assert_eq!(auth.session().clock_skew(), None);
    }
}

#[tokio::test]
async fn the_date_of_another_server_is_ignored() {
    let server = Server::new(600);
    let (script, elsewhere) = (server.clone(), "https://elsewhere.example/login");
    let script = Script::new(move |_, _| script.dated(Answer::ok("")).url(elsewhere));
    let (client, session) = client_of(&server, &script, &RecordingRefresher::new(), Credential::bearer("t"));
    get(&client, 5).await;
    assert_eq!(session.clock_skew(), None);
}

#[tokio::test]
async fn a_stored_credential_that_has_expired_by_the_servers_clock_is_renewed_before_it_is_sent() {
    let server = Server::new(600);
    let script = server.accepting_all();
    let refresher = renewing(HOUR);
    // The server's clock is past this time, and the session's clock is not.
    let stored = Credential::bearer("stored").with_expiry(server.clock.time_in(seconds(300)));
    let (client, _) = client_of(&server, &script, &refresher, stored);
    get(&client, 3).await;
    assert_eq!(refresher.calls(), 0);
    get(&client, 3).await;
    assert_eq!(refresher.calls(), 1);
    assert_eq!(script.requests().last().unwrap().token(), "r1");
}

#[tokio::test]
async fn no_date_makes_a_credential_live_longer() {
    for offset in [-31, -600, -86_400 * 365 * 30, 600] {
        let server = Server::new(offset);
        let script = server.accepting_all();
        let refresher = renewing(HOUR);
        let stored = Credential::bearer("stored").with_expiry(server.clock.time_in(HOUR * 2));
        let (client, _) = client_of(&server, &script, &refresher, stored);
        get(&client, 5).await;
        server.clock.forward(HOUR * 2);
        get(&client, 1).await;
        assert_eq!(script.requests().last().unwrap().token(), "r1", "{offset}");
    }
}

#[tokio::test]
async fn a_hostile_date_forces_one_refresh_at_most() {
    for offset in [31, 600, 3_500, 3_570, 3_601, 86_400 * 365 * 70] {
        let server = Server::new(offset);
        let of_script = server.clone();
        // The session reads the date of every 403.
        let script = Script::new(move |_, _| of_script.dated(Answer::new(403)));
        let refresher = renewing(HOUR);
        let stored = Credential::bearer("stored").with_expiry(server.clock.time_in(HOUR));
        let (client, _) = client_of(&server, &script, &refresher, stored);
        for step in 0..40 {
            // The date moves forward with each answer, too.
            server.set_offset(offset + step * offset.min(4_000) / 8);
            for _ in 0..5 {
                client.get(API).send().await.unwrap_err();
            }
            server.clock.forward(seconds(60));
        }
        assert!(refresher.calls() <= 1, "{offset}: {} refreshes in 40 minutes", refresher.calls());
    }
}

#[tokio::test]
async fn a_proof_names_the_time_of_the_server() {
    let server = Server::new(-600);
    let script = server.accepting_all();
    let dpop = Dpop::new(Es256Key::generate().unwrap());
    let credential = dpop.credential("t0", "DPoP").unwrap();
    let (client, _) = client_of(&server, &script, &RecordingRefresher::new(), credential);
    get(&client, 4).await;
    let issued_at = |index: usize| {
        let requests = script.requests();
        let (_, claims) = super::dpop::proof(&requests[index]);
        SystemTime::UNIX_EPOCH + seconds(claims["iat"].as_u64().unwrap())
    };
    assert_eq!(issued_at(0), server.clock.time());
    assert_eq!(issued_at(3), server.time());
}

#[tokio::test]
async fn a_refresher_gets_the_time_of_the_server_and_counts_lifetimes_from_the_sessions_clock() {
    let server = Server::new(600);
    let script = server.refusing("t");
    let calls = AtomicUsize::new(0);
    let refresher = RecordingRefresher::answering(move |number, _| {
        // The first two calls fail, so that three 401s arrive before the last call.
        let fails = calls.fetch_add(1, Ordering::SeqCst) < 3;
        if fails { Ok(None) } else { Ok(Some(Credential::bearer(format!("r{number}")))) }
    });
    let (client, _) = client_of(&server, &script, &refresher, Credential::bearer("t"));
    for _ in 0..3 {
        client.get(API).send().await.unwrap_err();
    }
    get(&client, 1).await;
    let last = refresher.contexts().pop().unwrap();
    assert_eq!(last.now(), server.clock.time());
    assert_eq!(last.server_now(), server.time());
    assert_eq!(last.clock_skew(), Some(ClockSkew::server_ahead(TEN_MINUTES)));
}

#[tokio::test]
async fn a_date_of_retry_after_counts_from_the_servers_clock() {
    let server = Server::new(600);
    let of_script = server.clone();
    let script = Script::new(move |_, _| {
        let until = httpdate::fmt_http_date(of_script.time() + seconds(20));
        of_script.dated(Answer::new(403)).header("retry-after", &until)
    });
    let (client, _) = client_of(&server, &script, &RecordingRefresher::new(), Credential::bearer("t"));
    for _ in 0..3 {
        client.get(API).send().await.unwrap_err();
    }
    let error = client.get(API).send().await.unwrap_err();
    let Some(Error::Forbidden(forbidden)) = Error::find(&error) else { panic!("{error:?}") };
    assert_eq!(forbidden.retry_after(), Some(seconds(20)));
}

#[tokio::test]
async fn after_many_successes_without_a_date_a_refusal_with_a_date_still_shows_the_skew() {
    let server = Server::new(600);
    let of_script = server.clone();
    let script = Script::new(move |request, _| match request.path() {
        "/refused" => of_script.dated(Answer::new(403)),
        _ => Answer::ok(""),
    });
    let (client, session) = client_of(&server, &script, &RecordingRefresher::new(), Credential::bearer("t"));
    get(&client, 40).await;
    for _ in 0..3 {
        client.get(format!("{API}/refused")).send().await.unwrap_err();
    }
    assert_eq!(session.clock_skew(), Some(ClockSkew::server_ahead(TEN_MINUTES)));
    let response = client.get(API).send().await.unwrap();
    assert_eq!(AuthReport::of(&response).clock_skew(), session.clock_skew(), "a success reports it, too");
}
