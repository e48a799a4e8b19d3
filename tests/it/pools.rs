//! A pool makes one session for each tenant, and drops only sessions that nothing uses.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use reqwest_challenge::{
    BoxError, CallOptions, ChallengeMiddleware, Credential, Error, PoolBuilder, RefreshContext, RefreshError,
    SessionPool, TenantError, TenantErrorKind,
};
use reqwest_challenge_testing::{Answer, Gate, MockApi, Script};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware};

use crate::support::script::{API, CHALLENGE};

/// An API that accepts a token for its tenant only, which the query names.
pub(crate) fn api() -> Script {
    Script::new(|request, _| {
        let tenant = request.url().query().unwrap_or_default().to_owned();
        let is_known = request.token() == format!("token-{tenant}");
        if is_known { Answer::ok("") } else { Answer::unauthorized([CHALLENGE]) }
    })
}

pub(crate) fn client_of(pool: impl Middleware, server: &Script) -> ClientWithMiddleware {
    ClientBuilder::new(reqwest::Client::new()).with(pool).with(server.clone()).build()
}

/// Counts what a pool does: the calls of the factory and of the refreshers.
#[derive(Clone, Default)]
pub(crate) struct Counts {
    made: Arc<AtomicUsize>,
    refreshed: Arc<AtomicUsize>,
}

impl Counts {
    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }

    pub(crate) fn refreshed(&self) -> usize {
        self.refreshed.load(Ordering::SeqCst)
    }

    /// A pool whose refreshers return the token of their tenant.
    pub(crate) fn pool(&self) -> PoolBuilder<u32> {
        let counts = self.clone();
        SessionPool::builder(move |tenant: u32| {
            counts.made.fetch_add(1, Ordering::SeqCst);
            let refreshed = counts.refreshed.clone();
            async move {
                ChallengeMiddleware::new(API, move |_: RefreshContext| {
                    refreshed.fetch_add(1, Ordering::SeqCst);
                    async move { Ok::<_, BoxError>(Credential::bearer(format!("token-{tenant}"))) }
                })
            }
        })
    }
}

pub(crate) async fn get(client: &ClientWithMiddleware, tenant: u32) -> u16 {
    let request = client.get(format!("{API}/?{tenant}")).with_extension(CallOptions::new().tenant(tenant));
    request.send().await.unwrap().status().as_u16()
}

fn kind_of(error: &reqwest_middleware::Error) -> TenantErrorKind {
    TenantError::find(error).unwrap_or_else(|| panic!("{error:?}")).kind()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_tenants_with_ten_calls_each_cost_ten_thousand_refreshes() {
    const TENANTS: u32 = 10_000;
    let (counts, accepted) = (Counts::default(), Arc::new(AtomicUsize::new(0)));
    let of_server = accepted.clone();
    // Keeps no record of the 110,000 requests.
    let server = tower(move |request: &reqwest::Request| {
        let is_known = request.headers().contains_key("authorization");
        of_server.fetch_add(usize::from(is_known), Ordering::SeqCst);
        if is_known { 200 } else { 401 }
    });
    let client = ClientBuilder::new(reqwest::Client::new()).with(counts.pool().build()).with(server).build();
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for tenant in 0..TENANTS {
                    assert_eq!(get(&client, tenant).await, 200);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!((counts.made(), counts.refreshed()), (10_000, 10_000));
    assert_eq!(accepted.load(Ordering::SeqCst), 100_000);
}

/// A last middleware that answers by this function.
fn tower(status: impl Fn(&reqwest::Request) -> u16 + Send + Sync + 'static) -> impl Middleware {
    struct Server<F>(F);

    #[async_trait]
    impl<F: Fn(&reqwest::Request) -> u16 + Send + Sync + 'static> Middleware for Server<F> {
        async fn handle(
            &self,
            request: reqwest::Request,
            _: &mut http::Extensions,
            _: reqwest_middleware::Next<'_>,
        ) -> reqwest_middleware::Result<reqwest::Response> {
            let response =
                http::Response::builder().status((self.0)(&request)).extension(reqwest_challenge::MockResponse);
            Ok(response.body("").unwrap().into())
        }
    }

    Server(status)
}

#[tokio::test]
async fn a_handle_sends_the_requests_of_its_tenant() {
    let (counts, server) = (Counts::default(), api());
    let pool = counts.pool().build();
    let client = client_of(pool.handle(7), &server);
    assert_eq!(client.get(format!("{API}/?7")).send().await.unwrap().status(), 200);
    // The options of the request do not change the tenant of the handle.
    assert_eq!(
        client.get(format!("{API}/?7")).with_extension(CallOptions::new().tenant(8_u32)).send().await.unwrap().status(),
        200
    );
    assert_eq!((counts.made(), counts.refreshed(), pool.len()), (1, 1, 1));
    assert!(pool.handle(7).session().await.unwrap().credential().is_some());
}

#[tokio::test]
async fn a_request_without_a_tenant_is_an_error_that_names_the_remedy() {
    let (counts, server) = (Counts::default(), api());
    let client = client_of(counts.pool().build(), &server);
    let missing = client.get(API).send().await.unwrap_err();
    assert_eq!(kind_of(&missing), TenantErrorKind::Missing);
    assert!(missing.to_string().contains("CallOptions::new().tenant(key)"), "{missing}");
    let other = client.get(API).with_extension(CallOptions::new().tenant("7")).send().await.unwrap_err();
    assert_eq!(kind_of(&other), TenantErrorKind::OtherType);
    assert!(other.to_string().contains("has another type than the keys"), "{other}");
    assert_eq!((server.requests().len(), counts.made()), (0, 0));
    // A request that skips the middleware needs no tenant.
    let skipped = client.get(API).with_extension(CallOptions::new().skip()).send().await.unwrap();
    assert_eq!(skipped.status(), 401);
}

/// A pool whose factory waits at the gate.
fn gated(gate: &Gate, counts: &Counts) -> SessionPool<u32> {
    let (gate, counts) = (gate.clone(), counts.clone());
    let pool = SessionPool::builder(move |_: u32| {
        counts.made.fetch_add(1, Ordering::SeqCst);
        let gate = gate.clone();
        async move {
            gate.pass().await;
            ChallengeMiddleware::new(API, Credential::bearer("t"))
        }
    });
    pool.build()
}

#[tokio::test]
async fn callers_of_a_new_key_share_one_call_of_the_factory_which_outlives_the_first_caller() {
    let (gate, counts) = (Gate::closed(), Counts::default());
    let pool = gated(&gate, &counts);
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.session(&1).await.map(drop) })
        })
        .collect();
    gate.reached_by(1).await;
    callers[0].abort();
    gate.open();
    let mut done = 0;
    for caller in callers {
        done += usize::from(caller.await.is_ok_and(|made| made.is_ok()));
    }
    assert_eq!((done, counts.made(), pool.len()), (99, 1, 1));
}

#[tokio::test]
async fn a_factory_that_fails_fails_for_all_who_wait_and_is_called_again_for_the_next_use() {
    let (calls, gate) = (Arc::new(AtomicUsize::new(0)), Gate::closed());
    let (of_factory, of_gate) = (calls.clone(), gate.clone());
    let pool = SessionPool::builder(move |_: u32| {
        let (number, gate) = (of_factory.fetch_add(1, Ordering::SeqCst), of_gate.clone());
        async move {
            gate.pass().await;
            match number {
                0 => Err(BoxError::from("no row in https://db.example.com/tenants?password=hunter2")),
                1 => panic!("a fault of the factory"),
                _ => Ok(ChallengeMiddleware::new(API, Credential::bearer("t"))?),
            }
        }
    })
    .build();
    let callers: Vec<_> = [(); 3]
        .map(|()| {
            tokio::spawn({
                let pool = pool.clone();
                async move { pool.session(&1).await.map(drop).unwrap_err() }
            })
        })
        .into();
    gate.reached_by(1).await;
    gate.open();
    for caller in callers {
        let error = caller.await.unwrap();
        let Error::Tenant(tenant) = &error else { panic!("{error:?}") };
        assert_eq!(tenant.kind(), TenantErrorKind::Factory);
        let lines = reqwest_challenge::support::error_lines(&error).join("\n");
        assert!(lines.contains("no row in https://db.example.com/tenants"), "{lines}");
        assert!(!format!("{lines} {error:?}").contains("hunter2"), "{lines} {error:?}");
    }
    assert!(pool.is_empty());
    let Error::Tenant(panicked) = pool.session(&1).await.map(drop).unwrap_err() else { panic!("another error") };
    assert_eq!((panicked.kind(), pool.len()), (TenantErrorKind::Panicked, 0));
    pool.session(&1).await.map(drop).unwrap();
    assert_eq!((calls.load(Ordering::SeqCst), pool.len()), (3, 1));
}

#[test]
fn without_a_runtime_there_is_an_error_and_nothing_stays() {
    let pool = Counts::default().pool().build();
    let made = {
        let mut work = std::pin::pin!(pool.session(&1));
        work.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    };
    let std::task::Poll::Ready(Err(Error::Tenant(error))) = made else { panic!("not ready") };
    assert_eq!((error.kind(), pool.len()), (TenantErrorKind::Gone, 0));
}

#[tokio::test]
async fn all_tenants_share_one_refresh_client_unless_the_factory_sets_one() {
    let issuer = MockApi::start().await.unwrap();
    issuer.at("/").open();
    let url = issuer.url("/");
    let pool = SessionPool::builder(move |tenant: u32| {
        let url = url.clone();
        let refresher = move |context: RefreshContext| {
            let url = url.clone();
            async move {
                context.http_client()?.get(url).send().await?;
                Ok::<_, RefreshError>(Credential::bearer("t"))
            }
        };
        let builder = ChallengeMiddleware::builder(API, refresher);
        let builder = if tenant == 3 { builder.refresh_client(reqwest::Client::new()) } else { builder };
        async move { builder.build() }
    });
    let named = http::HeaderMap::from_iter([(http::HeaderName::from_static("x-client"), "pool".parse().unwrap())]);
    let shared = reqwest::Client::builder().default_headers(named).build().unwrap();
    let pool = pool.refresh_client(shared).build();
    for tenant in 1..=3 {
        pool.session(&tenant).await.unwrap().login().await.unwrap();
    }
    let requests = issuer.requests();
    let clients: Vec<_> = requests.iter().map(|request| request.header("x-client")).collect();
    assert_eq!(clients, [Some("pool"), Some("pool"), None]);
    // Two clients opened one connection each.
    assert_eq!(issuer.connections(), 2);
}

#[tokio::test]
async fn without_a_client_of_the_caller_one_is_built_for_all_tenants() {
    let issuer = MockApi::start().await.unwrap();
    issuer.at("/").open();
    let url = issuer.url("/");
    let pool = SessionPool::builder(move |_: u32| {
        let url = url.clone();
        let made = ChallengeMiddleware::new(API, move |context: RefreshContext| {
            let url = url.clone();
            async move {
                context.http_client()?.get(url).send().await?;
                Ok::<_, RefreshError>(Credential::bearer("t"))
            }
        });
        async move { made }
    })
    .build();
    for tenant in 1..=20 {
        pool.session(&tenant).await.unwrap().login().await.unwrap();
    }
    assert_eq!((issuer.requests().len(), issuer.connections()), (20, 1));
}

#[tokio::test]
async fn no_debug_output_shows_a_key() {
    let pool = SessionPool::builder(async |_: String| ChallengeMiddleware::new(API, Credential::bearer("hunter2")));
    let shown = format!("{pool:?}");
    let pool = pool.build();
    pool.session(&"hunter2".to_owned()).await.map(drop).unwrap();
    let options = CallOptions::new().tenant("hunter2".to_owned());
    let shown = format!("{shown} {pool:?} {:?} {options:?}", pool.handle("hunter2".to_owned()));
    assert!(!shown.contains("hunter2"), "{shown}");
}
