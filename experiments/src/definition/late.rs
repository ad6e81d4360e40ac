//! Metrics that were thought of after the start.

use serde::{Deserialize, Serialize};

use super::{DefinitionError, Experiment, METRICS_MAX};

/// Names a metric that was added after the start: it is counted for all units, decides and guards nothing, and is a hint
/// rather than a proof, since it was chosen when results could be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LateMetric {
    /// The metric's key.
    pub metric: String,
    /// When it was added, Unix milliseconds UTC.
    pub added_at_ms: i64,
}

/// Says why a metric was not added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LateError {
    /// It has not started, so that nothing is fixed.
    #[error("experiment is a draft: name the metric in its form")]
    NotStarted,
    /// It has ended.
    #[error("experiment is over: copy it under a new key to measure something else")]
    Over,
    /// It has it.
    #[error("metric `{0}` is counted already")]
    Counted(String),
    /// It would be one too many.
    #[error(
        "experiment counts {METRICS_MAX} metrics, the most there may be: a copy under a new key may measure others"
    )]
    TooMany,
    /// The key is none.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
}

impl Experiment {
    /// Returns the experiment with one metric more, which is reported and decides nothing.
    ///
    /// ```
    /// # use experiments::Experiment;
    /// use experiments::definition::LateError;
    /// let running = Experiment::parse(r#"{"schema_version": 1, "key": "e", "name": "E", "flag": "f", "status": "running",
    ///   "variations": [{"key": "a", "weight_bp": 5000, "value": 0}, {"key": "b", "weight_bp": 5000, "value": 1}]}"#)?;
    /// let more = running.adding("refunded", 7).expect("it runs");
    /// assert_eq!(more.late_metrics()[0].metric, "refunded");
    /// assert_eq!(more.adding("refunded", 8), Err(LateError::Counted("refunded".into())));
    /// # Ok::<(), experiments::DefinitionError>(())
    /// ```
    ///
    /// # Errors
    /// [`LateError`]. Where no metrics are named, the usual ones are counted, which the caller knows.
    pub fn adding(self, metric: &str, now_ms: i64) -> Result<Experiment, LateError> {
        if !self.status().has_started() {
            return Err(LateError::NotStarted);
        }
        if self.status().is_over() {
            return Err(LateError::Over);
        }
        super::check_key("metrics", metric)?;
        if self.metric_keys().any(|key| key == metric) {
            return Err(LateError::Counted(metric.to_owned()));
        }
        if self.metric_keys().count() >= METRICS_MAX {
            return Err(LateError::TooMany);
        }
        let mut more = self.late_metrics().to_vec();
        more.push(LateMetric { metric: metric.to_owned(), added_at_ms: now_ms });
        Ok(self.with_late_metrics(more))
    }

    /// Returns the keys of all metrics it names, the one that decides first, late ones last.
    pub fn metric_keys(&self) -> impl Iterator<Item = &str> {
        let guardrails = self.guardrails().iter().map(|rule| rule.metric.as_str());
        let late = self.late_metrics().iter().map(|late| late.metric.as_str());
        let others = self.metrics().iter().map(String::as_str);
        std::iter::once(self.primary_metric()).chain(guardrails).chain(others).chain(late)
    }
}
