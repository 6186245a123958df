//! Metrics as text, in the format that Prometheus and others read (OpenMetrics 1.0). Only this file knows the library
//! that writes it. What the numbers mean is decided where a [`Metrics`] is filled in.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::tally::Distribution;

/// The media type of the text.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The labels of one series: names and values.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

/// Metrics at one moment, in the order in which they are printed.
#[derive(Debug, Default, Clone)]
pub struct Metrics(Vec<Metric>);

#[derive(Debug, Clone)]
struct Metric {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    series: Vec<(Vec<(&'static str, String)>, Value)>,
}

#[derive(Debug, Clone)]
enum Value {
    Counter(u64),
    Gauge(f64),
    Histogram(Distribution),
}

impl Metrics {
    /// Adds a number that only grows; its name is printed with `_total` at its end.
    pub fn counter(&mut self, name: &'static str, help: &'static str, labels: Labels<'_>, value: u64) {
        self.add(name, help, MetricType::Counter, labels, Value::Counter(value));
    }

    /// Adds a number that goes up and down.
    pub fn gauge(&mut self, name: &'static str, help: &'static str, labels: Labels<'_>, value: f64) {
        self.add(name, help, MetricType::Gauge, labels, Value::Gauge(value));
    }

    /// Adds how long something took.
    pub fn histogram(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels<'_>,
        value: Distribution,
    ) {
        self.add(name, help, MetricType::Histogram, labels, Value::Histogram(value));
    }

    fn add(
        &mut self,
        name: &'static str,
        help: &'static str,
        kind: MetricType,
        labels: Labels<'_>,
        value: Value,
    ) {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        match self.0.iter_mut().find(|metric| metric.name == name) {
            Some(metric) => metric.series.push((labels, value)),
            None => self.0.push(Metric { name, help, kind, series: vec![(labels, value)] }),
        }
    }

    /// Prints them.
    ///
    /// # Errors
    /// When the library cannot, which no number hinders.
    pub fn print(self) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix("sidelight");
        registry.register_collector(Box::new(self));
        let mut printed = String::new();
        text::encode(&mut printed, &registry)?;
        Ok(printed)
    }
}

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for metric in &self.0 {
            let mut printed = encoder.encode_descriptor(metric.name, metric.help, None, metric.kind)?;
            for (labels, value) in &metric.series {
                value.encode(printed.encode_family(labels)?)?;
            }
        }
        Ok(())
    }
}

impl EncodeMetric for Value {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        match self {
            Value::Counter(value) => encoder.encode_counter::<NoLabelSet, _, u64>(value, None),
            Value::Gauge(value) => encoder.encode_gauge(value),
            Value::Histogram(Distribution { buckets, sum, count }) => {
                encoder.encode_histogram::<NoLabelSet>(*sum, *count, buckets, None)
            }
        }
    }

    fn metric_type(&self) -> MetricType {
        match self {
            Value::Counter(_) => MetricType::Counter,
            Value::Gauge(_) => MetricType::Gauge,
            Value::Histogram(_) => MetricType::Histogram,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use super::*;
    use crate::tally::Histogram;

    #[test]
    fn metrics_are_printed_as_open_metrics_with_labels_escaped() {
        let mut metrics = Metrics::default();
        metrics.counter("sign_ins", "Sign-ins", &[("means", "pass\"word")], 3);
        metrics.gauge("uptime_seconds", "Uptime", &[], 1.5);
        metrics.counter("sign_ins", "Sign-ins", &[("means", "saml")], 4);
        let took = Histogram::default();
        took.took(Duration::from_micros(60));
        metrics.histogram("commit_seconds", "Commit", &[], took.read());
        let printed = metrics.print().unwrap();
        for line in [
            "# TYPE sidelight_sign_ins counter",
            r#"sidelight_sign_ins_total{means="pass\"word"} 3"#,
            r#"sidelight_sign_ins_total{means="saml"} 4"#,
            "sidelight_uptime_seconds 1.5",
            r#"sidelight_commit_seconds_bucket{le="0.00005"} 0"#,
            r#"sidelight_commit_seconds_bucket{le="0.0001"} 1"#,
            r#"sidelight_commit_seconds_bucket{le="+Inf"} 1"#,
            "sidelight_commit_seconds_count 1",
            "# EOF",
        ] {
            assert!(printed.lines().any(|printed| printed == line), "{line} in\n{printed}");
        }
        assert_eq!(printed.matches("# TYPE sidelight_sign_ins").count(), 1);
    }
}
