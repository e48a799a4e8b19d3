//! A gate and a script control the order of events without a sleep.

use std::time::Duration;

use reqwest_challenge::{ChallengeMiddleware, Credential};
use reqwest_challenge_testing::{Answer, Gate, Script, until};

const API: &str = "https://api.example.com";

#[tokio::test(start_paused = true)]
async fn a_script_answers_while_time_is_paused_and_says_when_it_has_no_more_answers() {
    let script = Script::sequence([Answer::ok("late").delay(Duration::from_secs(3600)), Answer::cut()]);
    let client = script.client(&ChallengeMiddleware::new(API, Credential::bearer("t0")).unwrap());
    assert_eq!(client.get(API).send().await.unwrap().text().await.unwrap(), "late");
    assert!(client.get(API).send().await.is_err());
    let over = client.get(API).send().await.unwrap();
    assert_eq!((over.status().as_u16(), over.url().as_str()), (500, "https://api.example.com/"));
    assert_eq!(over.text().await.unwrap(), "the script has no more answers");
    let sized = Script::always(Answer::new(200).body_of_size(100_000));
    let client = sized.client(&ChallengeMiddleware::new(API, Credential::bearer("t0")).unwrap());
    assert_eq!(client.get(API).send().await.unwrap().bytes().await.unwrap().len(), 100_000);
}

#[tokio::test]
async fn a_gate_lets_one_task_or_all_tasks_pass() {
    let gate = Gate::closed();
    let waits = |_| {
        tokio::spawn({
            let gate = gate.clone();
            async move { gate.pass().await }
        })
    };
    let all: Vec<_> = (0..3).map(waits).collect();
    gate.reached_by(3).await;
    gate.let_one_through();
    until(|| gate.passed() == 1).await;
    assert_eq!((gate.arrived(), gate.passed()), (3, 1));
    gate.open();
    for one in all {
        one.await.unwrap();
    }
    gate.pass().await;
    assert_eq!((gate.arrived(), gate.passed()), (4, 4));
}
