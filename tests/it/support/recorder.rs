//! A recorder of the `metrics` crate that keeps every sample of one thread.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, LocalRecorderGuard, Metadata,
    SharedString, Unit,
};

/// One value that was recorded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// What a metric is described as: its type and its unit.
pub(crate) type Descriptions = BTreeMap<String, (&'static str, &'static str)>;

#[derive(Clone, Default)]
pub(crate) struct Recorder {
    samples: Arc<Mutex<Vec<Sample>>>,
    descriptions: Arc<Mutex<Descriptions>>,
}

impl Recorder {
    /// Records what this thread reports, until the guard is dropped.
    pub(crate) fn install(&self) -> LocalRecorderGuard<'_> {
        metrics::set_default_local_recorder(self)
    }

    pub(crate) fn samples(&self) -> Vec<Sample> {
        self.samples.lock().unwrap().clone()
    }

    pub(crate) fn descriptions(&self) -> Descriptions {
        self.descriptions.lock().unwrap().clone()
    }

    /// The values of the metric with these labels among its labels.
    pub(crate) fn values(&self, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
        let has = |sample: &Sample| {
            labels.iter().all(|(key, value)| sample.labels.get(*key).is_some_and(|actual| actual == value))
        };
        self.samples().into_iter().filter(|sample| sample.name == name && has(sample)).map(|one| one.value).collect()
    }

    /// The names of the labels of each metric.
    pub(crate) fn label_names(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut names = BTreeMap::<String, BTreeSet<String>>::new();
        for sample in self.samples() {
            names.entry(sample.name).or_default().extend(sample.labels.into_keys());
        }
        names
    }

    fn metric(&self, key: &Key) -> Arc<Metric> {
        Arc::new(Metric { key: key.clone(), samples: self.samples.clone() })
    }

    fn describe(&self, name: &KeyName, kind: &'static str, unit: Option<Unit>) {
        let unit = unit.map_or("", |unit| unit.as_canonical_label());
        self.descriptions.lock().unwrap().insert(name.as_str().to_owned(), (kind, unit));
    }
}

struct Metric {
    key: Key,
    samples: Arc<Mutex<Vec<Sample>>>,
}

impl Metric {
    fn add(&self, value: f64) {
        let labels = self.key.labels().map(|label| (label.key().to_owned(), label.value().to_owned())).collect();
        self.samples.lock().unwrap().push(Sample { name: self.key.name().to_owned(), labels, value });
    }
}

impl CounterFn for Metric {
    fn increment(&self, value: u64) {
        self.add(value as f64);
    }

    fn absolute(&self, value: u64) {
        self.add(value as f64);
    }
}

impl GaugeFn for Metric {
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

impl HistogramFn for Metric {
    fn record(&self, value: f64) {
        self.add(value);
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, "counter", unit);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, "gauge", unit);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, "histogram", unit);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.metric(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.metric(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.metric(key))
    }
}
