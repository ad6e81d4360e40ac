//! Whether an experiment can be judged by its metrics: some kinds do not go with some ways of reading.

use crate::definition::Experiment;
use crate::metric::Metric;
use crate::redraw::may_decide;

/// Says why an experiment cannot be judged by its metrics.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A bandit's deciding metric is no number of each unit.
    #[error(
        "a bandit is judged by a share, a mean or a count over visitors: choose such a metric, or let the weights stay"
    )]
    BanditMetric,
    /// A bandit's guardrail is no number of each unit, so that nobody would ever see it harmed.
    #[error(
        "a bandit is read epoch by epoch, and “{name}” cannot be: guard by a share, a mean or a count over visitors, or \
         let the weights stay"
    )]
    BanditGuardrail {
        /// The metric's name.
        name: String,
    },
    /// A metric waits for days after exposure, which the size of a planned look does not count.
    #[error(
        "a look is planned by how many visitors came, and “{name}” counts those whose days are over: choose a method that is \
         read at any time, or leave it out"
    )]
    WaitsAtLook {
        /// The metric's name.
        name: String,
        /// Where it is named: `primary_metric`, `guardrails` or `metrics`.
        field: &'static str,
    },
}

impl Unfit {
    /// Returns the field of the definition that is to change.
    pub fn field(&self) -> &'static str {
        match self {
            Unfit::BanditMetric => "primary_metric",
            Unfit::BanditGuardrail { .. } => "guardrails",
            Unfit::WaitsAtLook { field, .. } => field,
        }
    }
}

impl Experiment {
    /// Checks that it can be judged by all of its metrics, which are those of its keys.
    ///
    /// ```
    /// # use experiments::{Experiment, Metric};
    /// let bandit = Experiment::parse(r#"{"schema_version": 1, "key": "e", "name": "E", "flag": "f", "primary_metric": "p",
    ///   "bandit": {"every_hours": 24, "floor_bp": 500}, "guardrails": [{"metric": "late", "margin_bp": 500}],
    ///   "variations": [{"key": "a", "weight_bp": 5000, "value": 0}, {"key": "b", "weight_bp": 5000, "value": 1}]}"#)?;
    /// let orders = Metric::parse(r#"{"key": "p", "measure": {"kind": "proportion", "event": {"type": "order_placed"}}}"#)?;
    /// let late = Metric::parse(r#"{"key": "late", "name": "Lateness", "measure": {"kind": "quantile", "level_bp": 9000,
    ///   "event": {"type": "page_timed"}, "property": "ms"}}"#)?;
    /// assert_eq!(bandit.check_fit(std::slice::from_ref(&orders)), Ok(()));
    /// let unfit = bandit.check_fit(&[orders, late]).unwrap_err();
    /// assert_eq!(unfit.field(), "guardrails");
    /// assert!(unfit.to_string().starts_with("a bandit is read epoch by epoch, and “Lateness” cannot be: guard by a share"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Unfit`], the first.
    pub fn check_fit(&self, metrics: &[Metric]) -> Result<(), Unfit> {
        metrics.iter().try_for_each(|metric| self.check_fits(metric))
    }

    /// Checks that it can be judged by one metric.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn check_fits(&self, metric: &Metric) -> Result<(), Unfit> {
        let is_primary = metric.key() == self.primary_metric();
        let is_guardrail = self.guardrails().iter().any(|rule| rule.metric == metric.key());
        let name = || metric.name().to_owned();
        if self.draws().is_some() && !may_decide(metric) {
            match (is_primary, is_guardrail) {
                (true, _) => return Err(Unfit::BanditMetric),
                (_, true) => return Err(Unfit::BanditGuardrail { name: name() }),
                _ => {}
            }
        }
        if self.method().is_scheduled() && metric.complete_after_ms().is_some() {
            let field = match (is_primary, is_guardrail) {
                (true, _) => "primary_metric",
                (_, true) => "guardrails",
                _ => "metrics",
            };
            return Err(Unfit::WaitsAtLook { name: name(), field });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn experiment(method: &str, guardrail: &str) -> Experiment {
        Experiment::parse_value(&json!({
            "schema_version": 1, "key": "e", "name": "E", "flag": "f", "primary_metric": "orders",
            "guardrails": [{"metric": guardrail, "margin_bp": 500}], "method": {"kind": method},
            "variations": [{"key": "a", "weight_bp": 5000, "value": 0}, {"key": "b", "weight_bp": 5000, "value": 1}],
        }))
        .unwrap()
    }

    #[test]
    fn what_waits_for_days_goes_with_no_planned_look() {
        let back = r#"{"key": "back", "name": "Came back", "measure": {"kind": "retention", "event": {"type": "page"},
            "from_days": 1, "to_days": 7}}"#;
        let back = Metric::parse(back).unwrap();
        assert_eq!(experiment("sequential", "back").check_fits(&back), Ok(()));
        for (guardrail, field) in [("back", "guardrails"), ("pages", "metrics")] {
            let unfit = experiment("fixed_horizon", guardrail).check_fits(&back).unwrap_err();
            assert_eq!(unfit, Unfit::WaitsAtLook { name: "Came back".into(), field });
            assert!(unfit.to_string().contains("choose a method that is read at any time"), "{unfit}");
        }
    }
}
