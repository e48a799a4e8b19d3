//! The instructions of a call beside many origins, and beside paths that refuse each credential.

use async_trait::async_trait;
use http::{Extensions, StatusCode};
use reqwest::{Request, Response, ResponseBuilderExt};
use reqwest_challenge::{ChallengeMiddleware, Credential, RefreshContext};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};

use crate::callgrind::collected;
use crate::row;

const API: &str = "https://api.example.com";

/// Refuses each credential at `/refuses/…`, and accepts it elsewhere.
struct Server;

#[async_trait]
impl Middleware for Server {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> reqwest_middleware::Result<Response> {
        let refuses = request.url().path().starts_with("/refuses");
        let status = if refuses { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
        let response = http::Response::builder().status(status).url(request.url().clone());
        Ok(response.body("").unwrap().into())
    }
}

/// A client of this many origins, of which that many paths have refused a credential, and one of whose paths accepts each one.
fn client(runtime: &tokio::runtime::Runtime, origins: usize, refusing: usize) -> ClientWithMiddleware {
    let first = Credential::bearer("t0");
    let builder =
        ChallengeMiddleware::builder(API, async |_: RefreshContext| Ok::<_, std::io::Error>(Credential::bearer("t")));
    let builder =
        (1..origins).fold(builder, |builder, number| builder.origin(format!("https://host-{number}.example.com")));
    let auth = builder.initial_credential(first).build().unwrap();
    let client = ClientBuilder::new(reqwest::Client::new()).with(auth).with(Server).build();
    runtime.block_on(async {
        for number in 0..refusing {
            client.get(format!("{API}/refuses/{number}")).send().await.unwrap_err();
            client.get(format!("{API}/accepts")).send().await.unwrap();
        }
        client.get(format!("{API}/accepts")).send().await.unwrap();
    });
    client
}

/// The work that callgrind counts: calls of this URL.
pub(crate) fn count(arguments: &[String]) {
    let [origins, refusing, rounds] = [0, 1, 2].map(|index| arguments[index].parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = client(&runtime, origins, refusing);
    runtime.block_on(async {
        for _ in 0..rounds {
            assert_eq!(client.get(arguments[3].as_str()).send().await.unwrap().status(), 200);
        }
    });
}

/// Instructions of one call, without those of the preparation.
fn instructions(origins: usize, refusing: usize, url: &str) -> f64 {
    let counted = |rounds: &str| {
        let arguments = ["--count", &origins.to_string(), &refusing.to_string(), rounds, url];
        collected(&arguments) as f64
    };
    (counted("1100") - counted("100")) / 1_000.0
}

/// Prints the rows. Returns whether each is within its bound.
pub(crate) fn costs() -> bool {
    let (ours, other) = (format!("{API}/reports"), "https://elsewhere.example.org/reports");
    let one = instructions(1, 0, &ours);
    println!("{:<62} {one:>10.0}", "instructions of a call, one origin");
    let of_other = instructions(1, 0, other);
    [
        row("a call to one of 1,000 origins, over one origin", instructions(1_000, 0, &ours) / one, 1.15),
        row("a call to another origin than 1,000, over one", instructions(1_000, 0, other) / of_other, 1.15),
        row("a success beside one refusing path, over none", instructions(1, 1, &ours) / one, 1.03),
        row("a success beside 64 refusing paths, over none", instructions(1, 64, &ours) / one, 1.03),
    ]
    .iter()
    .all(|&within| within)
}
