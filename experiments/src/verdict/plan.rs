//! What is fixed before an experiment starts and an analysis must know.

use crate::definition::{Experiment, WHOLE_BP};
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

/// Holds what was fixed before the start: arms and weights, the metric that decides, the chance of error, N*.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    arms: Vec<PlannedArm>,
    primary_metric: Metric,
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
    /// Makes a plan; the first arm is the control.
    ///
    /// # Errors
    /// [`PlanError`], for fewer than two arms, a weight or a setting out of range.
    pub fn new(
        arms: Vec<PlannedArm>,
        primary_metric: Metric,
        alpha: f64,
        planned_units: u64,
    ) -> Result<Plan, PlanError> {
        if arms.len() < 2 {
            return Err(PlanError::TooFewArms { found: arms.len() });
        }
        let is_weight = |weight: f64| weight > 0.0 && weight.is_finite();
        if let Some((arm, planned)) = arms.iter().enumerate().find(|(_, arm)| !is_weight(arm.weight)) {
            return Err(PlanError::Weight { arm, weight: planned.weight });
        }
        let sequence = Sequence::new(alpha / (arms.len() - 1) as f64, planned_units)
            .filter(|_| alpha < 1.0)
            .ok_or(PlanError::Settings { alpha, planned_units })?;
        Ok(Plan { arms, primary_metric, alpha, planned_units, sequence, is_over: false })
    }

    /// Returns the plan that a definition makes, with chance of error [`ALPHA`].
    pub fn of(experiment: &Experiment) -> Plan {
        let arm = |variation: &crate::Variation| PlannedArm {
            key: variation.key().to_owned(),
            name: variation.name().to_owned(),
            weight: f64::from(variation.weight_bp()) / f64::from(WHOLE_BP),
        };
        let arms = experiment.variations().iter().map(arm).collect();
        let plan = Plan::new(arms, experiment.primary_metric(), ALPHA, experiment.planned_units())
            .expect("a definition has two weighted variations at least and planned units");
        Plan { is_over: experiment.status().is_over(), ..plan }
    }

    /// Returns the arms, the control first.
    pub fn arms(&self) -> &[PlannedArm] {
        &self.arms
    }

    /// Returns the metric that decides.
    pub fn primary_metric(&self) -> Metric {
        self.primary_metric
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
