//! What is fixed before an experiment starts and an analysis must know.

use crate::definition::{Correction, Experiment, Method, WHOLE_BP};
use crate::guardrail::Guardrail;
use crate::metric::Metric;
use crate::sequence::Sequence;
use crate::verdict::ALPHA;

/// Describes one arm of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedArm {
    /// The variation's key.
    pub key: String,
    /// The variation's name, for sentences.
    pub name: String,
    /// Its weight; only the proportion to the other arms' matters.
    pub weight: f64,
}

/// Says what a metric is looked at for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Role {
    /// It decides.
    Primary,
    /// It must not get worse.
    Guardrail(Guardrail),
    /// It is reported.
    Secondary,
}

/// Holds a metric with its role.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedMetric {
    /// The metric.
    pub metric: Metric,
    /// Its role.
    pub role: Role,
    /// When it was added, Unix milliseconds UTC, where that was after the start.
    pub added_at_ms: Option<i64>,
}

/// Holds what was fixed before the start: arms and weights, metrics and which of them decides, how results are read, the
/// chance of error, N*.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    arms: Vec<PlannedArm>,
    metrics: Vec<PlannedMetric>,
    method: Method,
    correction: Correction,
    alpha: f64,
    planned_units: u64,
    sequence: Sequence,
    is_over: bool,
}

/// Says why a plan cannot be analysed.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// Fewer than two arms.
    #[error("plan has {found} arms, the fewest is 2")]
    TooFewArms {
        /// How many were given.
        found: usize,
    },
    /// No metric decides.
    #[error("plan has no metric: name the one that decides")]
    NoMetric,
    /// A weight that is not a positive number.
    #[error("weight of arm {arm} is {weight}: it must be a number above 0")]
    Weight {
        /// The arm's index.
        arm: usize,
        /// What was given.
        weight: f64,
    },
    /// A chance of error outside 0 to 1, or no planned units.
    #[error(
        "alpha is {alpha} and planned units are {planned_units}: choose 0 < alpha < 1 and at least 1 unit"
    )]
    Settings {
        /// The chance of error given.
        alpha: f64,
        /// The planned units given.
        planned_units: u64,
    },
}

impl Plan {
    /// Makes a plan that is read at any time; the first arm is the control, the first metric decides and the others are
    /// reported.
    ///
    /// # Errors
    /// [`PlanError`], for fewer than two arms, no metric, a weight or a setting out of range.
    pub fn new(
        arms: Vec<PlannedArm>,
        metrics: Vec<Metric>,
        alpha: f64,
        planned_units: u64,
    ) -> Result<Plan, PlanError> {
        if arms.len() < 2 {
            return Err(PlanError::TooFewArms { found: arms.len() });
        }
        if metrics.is_empty() {
            return Err(PlanError::NoMetric);
        }
        let is_weight = |weight: f64| weight > 0.0 && weight.is_finite();
        if let Some((arm, planned)) = arms.iter().enumerate().find(|(_, arm)| !is_weight(arm.weight)) {
            return Err(PlanError::Weight { arm, weight: planned.weight });
        }
        let sequence = Sequence::new(alpha / (arms.len() - 1) as f64, planned_units)
            .filter(|_| alpha < 1.0)
            .ok_or(PlanError::Settings { alpha, planned_units })?;
        let role = |index: usize| if index == 0 { Role::Primary } else { Role::Secondary };
        let planned = |(index, metric)| PlannedMetric { metric, role: role(index), added_at_ms: None };
        let metrics = metrics.into_iter().enumerate().map(planned).collect();
        let (method, correction) = (Method::default(), Correction::default());
        Ok(Plan { arms, metrics, method, correction, alpha, planned_units, sequence, is_over: false })
    }

    /// Returns the plan that a definition makes, with chance of error [`ALPHA`].
    ///
    /// `metrics` are those of its keys, the deciding one first, late ones last, in the order in which arms are summed.
    ///
    /// # Errors
    /// [`PlanError::NoMetric`], where there is none.
    pub fn of(experiment: &Experiment, metrics: &[Metric]) -> Result<Plan, PlanError> {
        let arm = |variation: &crate::Variation| PlannedArm {
            key: variation.key().to_owned(),
            name: variation.name().to_owned(),
            weight: f64::from(variation.weight_bp()) / f64::from(WHOLE_BP),
        };
        let arms = experiment.variations().iter().map(arm).collect();
        let mut plan = Plan::new(arms, metrics.to_vec(), ALPHA, experiment.planned_units())?;
        for planned in &mut plan.metrics {
            let metric = &planned.metric;
            let rule = experiment.guardrails().iter().find(|rule| rule.metric == metric.key());
            let guardrail = rule.and_then(|rule| {
                let margin = f64::from(rule.margin_bp) / f64::from(WHOLE_BP);
                Some(Guardrail::new(margin, metric.better())?.asking(rule.asks))
            });
            if let Some(guardrail) = guardrail {
                planned.role = Role::Guardrail(guardrail);
            }
            let late = experiment.late_metrics().iter().find(|late| late.metric == planned.metric.key());
            planned.added_at_ms = late.map(|late| late.added_at_ms);
        }
        let (method, correction) = (experiment.method(), experiment.correction());
        Ok(Plan { method, correction, is_over: experiment.status().is_over(), ..plan })
    }

    /// Returns the plan read by another method.
    pub fn read_by(self, method: Method) -> Plan {
        Plan { method, ..self }
    }

    /// Returns the arms, the control first.
    pub fn arms(&self) -> &[PlannedArm] {
        &self.arms
    }

    /// Returns the metrics, the one that decides first.
    pub fn metrics(&self) -> &[PlannedMetric] {
        &self.metrics
    }

    /// Returns the metric that decides.
    pub fn primary_metric(&self) -> &Metric {
        &self.metrics[0].metric
    }

    /// Returns how results are read.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Returns how what does not decide is corrected for its number.
    pub fn correction(&self) -> Correction {
        self.correction
    }

    /// Returns the chance of a wrong verdict over the experiment's life.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// Returns how many treatments share it.
    pub fn treatments(&self) -> usize {
        self.arms.len() - 1
    }

    /// Returns what one comparison gets of it: alpha / treatments (Bonferroni).
    pub fn alpha_per_comparison(&self) -> f64 {
        self.alpha / self.treatments() as f64
    }

    /// Returns N*, the units of two compared arms at which intervals are tightest.
    pub fn planned_units(&self) -> u64 {
        self.planned_units
    }

    /// Returns whether the experiment has stopped, so that nobody is told to let it run.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Returns the confidence sequence of one comparison.
    pub fn sequence(&self) -> &Sequence {
        &self.sequence
    }
}
