//! What an experiment began with.

use serde::{Deserialize, Serialize};

use super::Experiment;
use crate::metric::Metric;

/// Says when an experiment started, and what its metrics were then: whoever edits a metric later changes no experiment that has
/// begun, however often its numbers are counted again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begun {
    /// When it started, Unix milliseconds UTC.
    pub at_ms: i64,
    /// Its metrics in the order in which they are summed, then those that were added later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
}

impl Experiment {
    /// Returns what it began with; `None` of a draft, and of what an earlier version started.
    pub fn begun(&self) -> Option<&Begun> {
        self.begun.as_ref()
    }

    /// Returns the experiment as it begins at a time with these metrics; what has begun stays as it is.
    pub fn beginning(self, at_ms: i64, metrics: Vec<Metric>) -> Experiment {
        let begun = self.begun.clone().unwrap_or(Begun { at_ms, metrics });
        Experiment { begun: Some(begun), ..self }
    }

    /// Returns the experiment with one metric more that is kept as it is now.
    pub fn keeping(mut self, metric: Metric) -> Experiment {
        if let Some(begun) = &mut self.begun
            && begun.metrics.iter().all(|kept| kept.key() != metric.key())
        {
            begun.metrics.push(metric);
        }
        self
    }

    /// Returns a metric as it was when the experiment began, or when it was added.
    pub fn kept_metric(&self, key: &str) -> Option<&Metric> {
        self.begun.as_ref()?.metrics.iter().find(|metric| metric.key() == key)
    }

    pub(crate) fn with_begun(self, begun: Option<Begun>) -> Experiment {
        Experiment { begun, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_begun_keeps_its_metrics() {
        let metric = |kind: &str| {
            let text = format!(
                r#"{{"key": "m", "measure": {{"kind": "{kind}", "event": {{"type": "line_added"}}}}}}"#
            );
            Metric::parse(&text).unwrap()
        };
        let running = Experiment::parse(
            r#"{"schema_version": 1, "key": "e", "name": "E", "flag": "f", "status": "running", "variations": [
            {"key": "a", "weight_bp": 5000, "value": 0}, {"key": "b", "weight_bp": 5000, "value": 1}]}"#,
        )
        .unwrap();
        assert_eq!(running.begun(), None);
        assert_eq!(running.clone().keeping(metric("count")).begun(), None);
        let begun = running
            .clone()
            .beginning(7, vec![metric("count")])
            .beginning(8, vec![])
            .keeping(metric("proportion"));
        assert_eq!(begun.begun().map(|begun| (begun.at_ms, begun.metrics.len())), Some((7, 1)));
        assert_eq!(begun.kept_metric("m"), Some(&metric("count")));
        assert_eq!(Experiment::parse_value(&begun.to_value()).unwrap(), begun);
        assert_eq!(begun.clone().revised(running).unwrap(), begun, "no form changes it");
    }
}
