//! The cost of a success in a middleware with many origins, and with many paths that refuse.

use std::time::Duration;

use reqwest::Url;
use reqwest_challenge::{ChallengeMiddleware, Credential};

use super::server::{API, client};
use crate::callgrind::collected;
use crate::row;

/// The work that callgrind counts: calls to this URL, in a middleware with that many origins and refusing paths.
pub(crate) fn counted(origins: usize, refusing: usize, url: &str, calls: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let refresh = |_| async { Ok::<_, std::convert::Infallible>(Credential::bearer("any")) };
    let builder = ChallengeMiddleware::builder(API, refresh)
        .initial_credential(Credential::bearer("any"))
        .rejection_cooldown(Duration::from_secs(60));
    let builder =
        (1..origins).fold(builder, |builder, number| builder.origin(format!("https://host{number}.example.com")));
    let client = client(builder);
    let url = Url::parse(url).unwrap();
    runtime.block_on(async {
        for number in 0..refusing {
            client.get(format!("{API}/refused/{number}")).send().await.unwrap_err();
            // A success clears the budget of refreshes that do not help.
            client.get(API).send().await.unwrap();
        }
        for _ in 0..calls {
            drop(client.execute(reqwest::Request::new(http::Method::GET, url.clone())).await.unwrap());
        }
    });
}

/// The instructions of one call.
fn of_call(origins: usize, refusing: usize, url: &str) -> f64 {
    let count = |calls: usize| {
        let [origins, refusing, calls] = [origins, refusing, calls].map(|number| number.to_string());
        collected(&["--successes", &origins, &refusing, url, &calls]) as f64
    };
    (count(1_500) - count(500)) / 1_000.0
}

pub(crate) fn origins() -> bool {
    let mut within = true;
    for (what, url) in [("ours", "https://api.example.com/a/path"), ("not ours", "https://other.example.org/a/path")] {
        let (one, many) = (of_call(1, 0, url), of_call(1_000, 0, url));
        println!("{:<62} {many:>10.0}", format!("1,000 origins, a request that is {what}: instructions"));
        within &= row("  ratio to one origin", many / one, 1.15);
    }
    within
}

pub(crate) fn refusing_paths() -> bool {
    let url = "https://api.example.com/a/path";
    let none = of_call(1, 0, url);
    println!("{:<62} {none:>10.0}", "a success: instructions");
    let ratio = |refusing: usize| of_call(1, refusing, url) / none;
    row("  with one path that refuses, ratio", ratio(1), 1.03) & row("  with 64 of them, ratio", ratio(64), 1.03)
}
