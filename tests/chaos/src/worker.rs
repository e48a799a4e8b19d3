//! One process: eight tasks that share a session, and a file of credentials that both processes share.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use http::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest_challenge::{AuthReport, BoxError, ChallengeMiddleware, Error, RefreshError, Session, async_trait};
use reqwest_challenge_login::oauth::{Client, Grant, GrantContext, IssuedToken, Issuer, OAuth};
use reqwest_challenge_login::store::{FileStore, Key, Stored};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use crate::random::Random;
use crate::servers::{CALL, PROCESS};

const TASKS: u64 = 8;

/// A login without a user.
struct Login;

#[async_trait]
impl Grant for Login {
    fn grant_type(&self) -> &str {
        "urn:example:chaos-login"
    }

    async fn obtain(&self, context: &GrantContext<'_>) -> Result<IssuedToken, RefreshError> {
        context.token_request(self.grant_type()).send().await
    }
}

/// What the tasks of a process share.
#[derive(Clone)]
struct Process {
    api: String,
    name: String,
    client: ClientWithMiddleware,
    session: Session,
    /// Seconds by which the clock of this process is wrong.
    offset: Arc<AtomicI64>,
    plain: reqwest::Client,
    calls: Arc<AtomicU64>,
}

fn fact(name: &str) -> Result<String, BoxError> {
    std::env::var(name).map_err(|_| format!("the variable {name} is not set").into())
}

/// Runs until the process is killed.
pub(crate) async fn run() -> Result<(), BoxError> {
    // A panic of any task ends the process, which the parent counts as a fault.
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        default(panic);
        std::process::exit(101);
    }));
    let process = process()?;
    let seed: u64 = fact("SEED")?.parse()?;
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| tokio::spawn(act(process.clone(), Random::new(seed.wrapping_mul(31).wrapping_add(task)))))
        .collect();
    for task in tasks {
        task.await?;
    }
    Ok(())
}

fn process() -> Result<Process, BoxError> {
    let (api, issuer, name) = (fact("API")?, fact("ISSUER")?, fact("PROCESS")?);
    let named = HeaderMap::from_iter([(PROCESS.parse::<http::HeaderName>()?, HeaderValue::from_str(&name)?)]);
    let refresh_client = reqwest::Client::builder().redirect(Policy::none()).default_headers(named).build()?;
    let issuer = Issuer::new(&issuer)?
        .token_endpoint(format!("{issuer}/token"))?
        .revocation_endpoint(format!("{issuer}/revoke"))?;
    let oauth = OAuth::new(issuer, Client::public("chaos"), Login)?.without_resource();
    let stored = Stored::new(oauth, FileStore::new(fact("FILE")?), Key::new("chaos"));
    let offset = Arc::new(AtomicI64::new(0));
    let of_clock = offset.clone();
    let auth = ChallengeMiddleware::builder(&api, stored)
        .refresh_client(refresh_client)
        .rejection_cooldown(Duration::from_millis(50))
        .transient_backoff(Duration::from_millis(50))
        .clock(move || shifted(of_clock.load(Ordering::SeqCst)))
        .build()?;
    let plain = reqwest::Client::new();
    let client = ClientBuilder::new(plain.clone()).with(auth.clone()).build();
    Ok(Process { api, name, client, session: auth.session(), offset, plain, calls: Arc::default() })
}

/// The system's time, shifted by that many seconds.
fn shifted(seconds: i64) -> SystemTime {
    let span = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { SystemTime::now() - span } else { SystemTime::now() + span }
}

/// Acts at random.
async fn act(process: Process, mut random: Random) {
    loop {
        match random.below(2_000) {
            0..=2 => drop(process.session.login().await),
            3 => {
                drop(process.session.logout().await);
                // Otherwise the session has no credential, and its calls start no refresh.
                drop(process.session.login().await);
            }
            4..=23 => process.jump(&mut random).await,
            _ => process.call(&mut random).await,
        }
    }
}

impl Process {
    /// Calls the API once, and sometimes stops waiting in the middle.
    async fn call(&self, random: &mut Random) {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let url = format!("{}/r/{}", self.api, random.below(20));
        let request = if random.percent(30) { self.client.post(url).body("body") } else { self.client.get(url) };
        let request = request.header(CALL, format!("{}.{number}", self.name)).send();
        let result = if random.percent(5) {
            let Ok(result) = tokio::time::timeout(Duration::from_millis(random.below(40)), request).await else {
                return;
            };
            result
        } else {
            request.await
        };
        match result {
            Ok(response) => {
                let report = AuthReport::of(&response);
                if random.percent(1) {
                    self.session.invalidate(&report);
                }
                // A cut body is an error, which this caller expects.
                drop(response.bytes().await);
            }
            Err(error) => {
                if let Some(Error::Forbidden(forbidden)) = Error::find(&error)
                    && random.percent(5)
                {
                    drop(self.session.step_up(forbidden).await);
                }
            }
        }
    }

    /// Moves the clock of this process by up to two hours.
    async fn jump(&self, random: &mut Random) {
        let offset = random.pick(&[0, 0, 20, -20, 600, -600, 7_200, -7_200]);
        self.offset.store(offset, Ordering::SeqCst);
        drop(self.plain.get(format!("{}/note/jump", self.api)).send().await);
    }
}
