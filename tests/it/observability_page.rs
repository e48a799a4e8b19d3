//! The page of the guide lists exactly what the code reports, and the dashboard uses exactly these names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use reqwest_challenge::{ChallengeMiddleware, Credential, RefreshContext, describe_metrics};
use serde_json::Value;

use crate::support::fake::{Fake, ManualClock};
use crate::support::recorder::Recorder;
use crate::support::script::{API, Script, challenged, status};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

/// The cells of the table of the page whose first line begins with these titles.
fn table(titles: &str) -> Vec<Vec<String>> {
    let page = read("src/guide/observability.md");
    let rest = page.split(&format!("{titles} |\n")).nth(1).unwrap_or_else(|| panic!("there is no table {titles}"));
    let rows = rest.lines().skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// The names in a cell.
fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn name(cell: &str) -> String {
    cell.trim_matches('`').to_owned()
}

/// Makes calls that report each metric with each of its labels.
async fn record_all() -> Recorder {
    let recorder = Recorder::default();
    let installed = recorder.install();
    describe_metrics();
    let clock = ManualClock::new();
    let expiry = clock.time_in(Duration::from_secs(600));
    let store = move |context: RefreshContext| async move {
        context.report_save_failed(&std::io::Error::other("the disk is full"));
        Ok::<_, std::io::Error>(Credential::bearer("t1").with_expiry(expiry))
    };
    let auth = ChallengeMiddleware::builder(API, store).clock(clock).build().unwrap();
    Script::accepting("t1").client(&auth).get(API).send().await.unwrap();
    for refresher in [Fake::new(), Fake::failing(reqwest_challenge::RefreshError::other("odd"))] {
        let auth = ChallengeMiddleware::new(API, refresher).unwrap();
        let client = Script::always(challenged()).client(&auth);
        for path in 0..5 {
            client.get(format!("{API}/{path}")).send().await.unwrap_err();
        }
    }
    let auth = ChallengeMiddleware::new(API, Credential::bearer("t1")).unwrap();
    Script::always(status(200)).client(&auth).get(API).send().await.unwrap();
    drop(installed);
    recorder
}

#[tokio::test]
async fn the_page_lists_exactly_the_metrics_and_their_labels() {
    let recorder = record_all().await;
    let listed: BTreeMap<_, _> = table("| metric | type | unit | what")
        .iter()
        .map(|row| (name(&row[0]), (row[1].clone(), row[2].clone())))
        .collect();
    let described = recorder.descriptions().into_iter();
    let described: BTreeMap<_, _> =
        described.map(|(name, (kind, unit))| (name, (kind.to_owned(), unit.to_owned()))).collect();
    assert_eq!(listed, described);
    let reported = recorder.label_names();
    assert_eq!(listed.keys().collect::<Vec<_>>(), reported.keys().collect::<Vec<_>>());
    let labels: BTreeMap<_, _> =
        table("| metric | its labels").iter().map(|row| (name(&row[0]), names(&row[1]))).collect();
    let with_labels: BTreeMap<_, _> = reported.into_iter().filter(|(_, labels)| !labels.is_empty()).collect();
    assert_eq!(labels, with_labels);
    let listed_labels: BTreeSet<_> = table("| label | its values").iter().map(|row| name(&row[0])).collect();
    assert_eq!(listed_labels, labels.into_values().flatten().collect());
}

#[test]
fn the_page_lists_exactly_the_events_and_their_fields() {
    let source = read("src/session/event.rs");
    let body = source.split("pub enum Event {").nth(1).unwrap().split("\n}").next().unwrap();
    let mut events = BTreeMap::<String, BTreeSet<String>>::new();
    let mut event = String::new();
    for line in body.lines().filter(|line| !line.trim_start().starts_with(['/', '#'])) {
        if let Some(name) = line.strip_prefix("    ").and_then(|line| line.strip_suffix(" {")) {
            event = name.to_owned();
        } else if let Some((field, _)) = line.trim().split_once(": ") {
            events.entry(event.clone()).or_default().insert(field.to_owned());
        }
    }
    let listed = table("| event | fields | when");
    let listed: BTreeMap<_, _> = listed.iter().map(|row| (name(&row[0]), names(&row[1]))).collect();
    assert_eq!(listed, events);
}

#[test]
fn the_page_lists_exactly_the_spans_and_the_traced_events() {
    let source = read("src/session/trace.rs");
    let (mut spans, mut events) = (BTreeMap::new(), BTreeMap::new());
    for part in source.split("tracing::").skip(1) {
        let Some((name, rest)) = part.split_once("!(") else { continue };
        if !["info", "warn", "debug", "info_span"].contains(&name) {
            continue;
        }
        let arguments = rest.split(");").next().unwrap().split_once("target: TARGET,").unwrap().1;
        // The text of a span is its first string, and that of an event its last one.
        let mut strings: Vec<_> = arguments.split('"').skip(1).step_by(2).collect();
        let text = if name == "info_span" { strings.remove(0) } else { strings.pop().unwrap() }.to_owned();
        let fields = arguments.replace(&format!("\"{text}\""), "");
        // A comma inside of parentheses does not end a field; none of these fields has one there.
        let fields = fields.split(',').map(|field| field.split('=').next().unwrap().trim().trim_start_matches('%'));
        let fields: BTreeSet<_> = fields.filter(is_field).map(str::to_owned).collect();
        if name == "info_span" {
            spans.insert(text, fields);
        } else {
            events.insert(text, (name.to_owned(), fields));
        }
    }
    let listed = table("| span | fields");
    assert_eq!(listed.iter().map(|row| (name(&row[0]), names(&row[1]))).collect::<BTreeMap<_, _>>(), spans);
    let listed = table("| event | level | fields");
    let row = |row: &Vec<String>| (name(&row[0]), (row[1].clone(), names(&row[2])));
    assert_eq!(listed.iter().map(row).collect::<BTreeMap<_, _>>(), events);
}

fn is_field(text: &&str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'_'))
}

/// The names of a metric in Prometheus.
fn in_prometheus(metric: &str, kind: &str, unit: &str) -> Vec<String> {
    let name = metric.replace('.', "_") + if unit == "s" { "_seconds" } else { "" };
    match kind {
        "counter" => vec![name + "_total"],
        "histogram" => ["_bucket", "_sum", "_count"].iter().map(|suffix| format!("{name}{suffix}")).collect(),
        _ => vec![name],
    }
}

/// The words of a query that are names of this crate or of OpenTelemetry.
fn used_names(text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| character != '_' && !character.is_ascii_alphanumeric());
    let is_name = |word: &&str| ["reqwest_challenge_", "http_", "error_"].iter().any(|start| word.starts_with(start));
    words.filter(is_name).map(str::to_owned).collect()
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_use_the_names_of_the_code_and_show_every_metric() {
    let recorder = record_all().await;
    let names_of: BTreeMap<_, _> = recorder
        .descriptions()
        .into_iter()
        .map(|(metric, (kind, unit))| (metric.clone(), in_prometheus(&metric, kind, unit)))
        .collect();
    let labels: BTreeSet<_> =
        recorder.label_names().into_values().flatten().map(|label| label.replace('.', "_")).collect();
    let dashboard: Value = serde_json::from_str(&read("examples/grafana.json")).unwrap();
    let mut used = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            used.extend(used_names(target["expr"].as_str().unwrap()));
            used.extend(used_names(target["legendFormat"].as_str().unwrap()));
        }
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        used.extend(used_names(variable["query"].as_str().unwrap()));
    }
    for (metric, names) in &names_of {
        assert!(names.iter().any(|name| used.contains(name)), "the dashboard does not show {metric}");
    }
    let page = read("src/guide/observability.md");
    let about = page.split("## Prometheus and Grafana").nth(1).unwrap().split("# Events").next().unwrap();
    used.extend(used_names(about));
    let known: BTreeSet<_> = names_of.into_values().flatten().chain(labels).collect();
    assert!(used.len() > 10 && used.is_subset(&known), "{:?}", used.difference(&known));
    // Each value that a query names exists.
    let values: BTreeSet<_> = recorder.samples().into_iter().flat_map(|sample| sample.labels.into_values()).collect();
    for value in ["ok", "1", "failed"] {
        assert!(values.contains(value), "{value}");
    }
}
