//! The metrics of a few calls, with a small recorder instead of an exporter.
//!
//! `cargo run --features metrics --example metrics`

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::{Extensions, Response};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use reqwest_challenge::reqwest::{self, Body, Client, Request, ResponseBuilderExt};
use reqwest_challenge::{BoxError, ChallengeMiddleware, Credential, RefreshContext, describe_metrics};
use reqwest_middleware::{ClientBuilder, Middleware, Next};

/// An API without a socket. It refuses the token `old`, and every request to `/admin`.
struct Api;

#[async_trait::async_trait]
impl Middleware for Api {
    async fn handle(
        &self,
        request: Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let sent = request.headers().get("authorization").and_then(|value| value.to_str().ok());
        let answer = match (request.url().path(), sent) {
            (_, None | Some("Bearer old")) => {
                Response::builder().status(401).header("www-authenticate", "Bearer realm=\"reports\"")
            }
            ("/admin", _) => Response::builder().status(403),
            _ => Response::builder().status(200),
        };
        // A response from a server has a URL, so this one has one too.
        let answer = answer.url(request.url().clone());
        Ok(answer.body(Body::default()).map_err(reqwest_middleware::Error::middleware)?.into())
    }
}

async fn log_in(_: RefreshContext) -> Result<Credential, BoxError> {
    Ok(Credential::bearer("new"))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let numbers = Numbers::default();
    metrics::set_global_recorder(numbers.clone())?;
    describe_metrics();

    let auth = ChallengeMiddleware::builder("https://api.example.com", log_in);
    let auth = auth.initial_credential(Credential::bearer("old")).build()?;
    let client = ClientBuilder::new(Client::new()).with(auth).with(Api).build();
    for path in ["reports", "reports", "reports/7"] {
        client.get(format!("https://api.example.com/{path}")).send().await?;
    }
    client.get("https://api.example.com/admin").send().await.expect_err("only for admins");

    for (name, (count, sum)) in numbers.lock().iter() {
        println!("{name}: {count} values, sum {sum:.3}");
    }
    Ok(())
}

/// How many values each series has, and their sum.
#[derive(Clone, Default)]
struct Numbers(Arc<Mutex<BTreeMap<String, (u64, f64)>>>);

impl Numbers {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (u64, f64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn series(&self, key: &Key) -> Arc<Series> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(Series { name: format!("{}{{{}}}", key.name(), labels.join(", ")), numbers: self.clone() })
    }
}

impl Recorder for Numbers {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.series(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.series(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.series(key))
    }
}

struct Series {
    name: String,
    numbers: Numbers,
}

impl Series {
    fn add(&self, value: f64) {
        let mut numbers = self.numbers.lock();
        let (count, sum) = numbers.entry(self.name.clone()).or_default();
        (*count, *sum) = (*count + 1, *sum + value);
    }
}

impl CounterFn for Series {
    fn increment(&self, value: u64) {
        self.add(value as f64);
    }

    fn absolute(&self, value: u64) {
        self.add(value as f64);
    }
}

impl GaugeFn for Series {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, value: f64) {
        self.add(value);
    }
}

impl HistogramFn for Series {
    fn record(&self, value: f64) {
        self.add(value);
    }
}
