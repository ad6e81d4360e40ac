//! What may be concluded from an experiment so far, in numbers and in plain words.

use serde::Serialize;

use crate::interval::Estimate;
use crate::metric::{ArmTotals, Metric};
use crate::sample_ratio::SampleRatio;

mod analysis;
mod plan;
mod sentence;

pub use analysis::{AnalysisError, analyze};
pub use plan::{Plan, PlanError, PlannedArm};

/// Chance, over the whole life of an experiment and however often it is looked at, that a verdict calls one
/// without any effect better or worse.
pub const ALPHA: f64 = 0.05;
/// Fewest units an arm must have before anything is decided: the sequential interval holds asymptotically
/// only, so no decision is taken on the first few hundred units (Waudby-Smith et al. 2021/2024).
pub const UNITS_PER_ARM_MIN: u64 = 200;
/// Fewest conversions an arm must be expected to have at the rate of all arms together before anything is
/// decided: below, a mean of rare events is far from normal. The usual rule for proportions asks for 5 to 10.
pub const CONVERSIONS_PER_ARM_MIN: u64 = 10;

/// Most units of an arm: up to here counts are exact as floating point.
pub const UNITS_MAX: u64 = 1 << 53;

/// Holds the totals of every arm at one moment, in the order of the variations.
///
/// The promise of the intervals supposes that a unit's outcome is complete when it is counted. Units that may
/// still convert later bend it a little, in all arms alike; a look that counts only units exposed long enough
/// ago is exact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// When the totals were taken, Unix milliseconds UTC.
    pub at_ms: i64,
    /// One arm's totals for each variation, the control first.
    pub arms: Vec<ArmTotals>,
}

/// Says what may be concluded; variations are indices, 0 is the control.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verdict {
    /// The split is not the one that was planned, so no number below it can be trusted.
    SampleRatioMismatch {
        /// Chance of ever seeing a split this far off if all were well.
        p: f64,
    },
    /// Some arm has too little data for any decision.
    TooFew {
        /// Units of the smallest arm.
        units: u64,
        /// Units each arm needs.
        units_min: u64,
        /// Conversions of all arms.
        conversions: u64,
        /// Conversions all arms together need (for the smallest arm to expect [`CONVERSIONS_PER_ARM_MIN`]).
        conversions_min: u64,
    },
    /// The numbers allow no comparison, though there are enough units.
    Withheld {
        /// The variation that spoils the comparison.
        variation: usize,
        /// Why.
        reason: WithheldReason,
    },
    /// Nothing is proven at this look; the comparisons say how large a difference may still be.
    NoDifferenceYet,
    /// A treatment is better than the control; the best of them, if several are.
    Better {
        /// The treatment.
        variation: usize,
    },
    /// No treatment is better, and at least one is worse than the control; the worst of them.
    Worse {
        /// The treatment.
        variation: usize,
    },
}

/// Says why a comparison cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WithheldReason {
    /// Every unit of the arm did the same (nobody converted, everybody did, or all spent the same).
    NoSpread,
    /// The control's mean is zero or below, so a relative change has no meaning.
    ControlNotPositive,
}

/// Holds what one arm did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmSummary {
    /// The variation's key.
    pub key: String,
    /// The variation's name.
    pub name: String,
    /// The planned share of units, 0 to 1.
    pub weight: f64,
    /// Units exposed.
    pub units: u64,
    /// Units that converted.
    pub conversions: u64,
    /// Share of units that converted, 0 to 1; 0 without units.
    pub conversion: f64,
    /// Sum of revenue, in the smallest unit of the currency.
    pub revenue: i64,
    /// Revenue per unit, in the smallest unit of the currency; 0 without units.
    pub revenue_per_unit: f64,
}

/// Compares one treatment with the control on one metric.
///
/// p-values are multiplied by the number of treatments (Bonferroni), intervals drawn at alpha / treatments,
/// so that a p-value is at most alpha just when its interval leaves out zero. The estimates are `None` where
/// they cannot be made: an arm without spread, a control whose mean is not positive. Below the minimum of
/// units they are given, and to be read as preliminary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The treatment's index among the variations.
    pub variation: usize,
    /// The metric.
    pub metric: Metric,
    /// Whether this metric decides the verdict.
    pub is_primary: bool,
    /// Relative lift over the control (0.1 = 10 % more), with its always-valid interval and p-value.
    pub lift: Option<Estimate>,
    /// Absolute difference from the control, with its always-valid interval and p-value.
    pub difference: Option<Estimate>,
    /// Relative lift with the interval and p-value of a t-test, valid only for a single look planned
    /// beforehand.
    pub lift_at_fixed_horizon: Option<Estimate>,
    /// Whether the always-valid intervals of both lift and difference leave out zero.
    pub is_significant: bool,
    /// The lift's always-valid interval at each look, oldest first; looks with too few units are left out.
    pub band: Vec<BandPoint>,
}

/// Holds the lift and its always-valid interval as they stood at one look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BandPoint {
    /// When, Unix milliseconds UTC.
    pub at_ms: i64,
    /// Units of the two compared arms together.
    pub units: u64,
    /// Relative lift.
    pub lift: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
}

/// Holds the whole report of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Analysis {
    /// What may be concluded.
    pub verdict: Verdict,
    /// The verdict in plain words, one or a few sentences, with what to do.
    pub sentence: String,
    /// The metric that decides.
    pub primary_metric: Metric,
    /// The check of the split.
    pub sample_ratio: SampleRatio,
    /// Every arm, the control first.
    pub arms: Vec<ArmSummary>,
    /// Every treatment on every metric: treatments in order, and for each the metrics in the order of
    /// [`Metric::ALL`].
    pub comparisons: Vec<Comparison>,
    /// Chance of a wrong verdict over the experiment's life, shared among the treatments.
    pub alpha: f64,
    /// What one comparison gets of it: alpha / treatments (Bonferroni). Intervals hold with chance 1 − this.
    pub alpha_per_comparison: f64,
    /// N*, the units of two arms at which the intervals are tightest.
    pub planned_units: u64,
}

impl Analysis {
    /// Returns the comparison of a treatment on a metric.
    pub fn comparison(&self, variation: usize, metric: Metric) -> Option<&Comparison> {
        self.comparisons.iter().find(|c| c.variation == variation && c.metric == metric)
    }

    /// Returns the comparison that the verdict speaks of: on the primary metric, the treatment it names, else
    /// the first.
    pub fn leading(&self) -> Option<&Comparison> {
        let variation = match self.verdict {
            Verdict::Better { variation } | Verdict::Worse { variation } => variation,
            _ => 1,
        };
        self.comparison(variation, self.primary_metric)
    }

    /// Returns the band of the leading comparison, oldest look first.
    pub fn band(&self) -> &[BandPoint] {
        self.leading().map_or(&[], |comparison| &comparison.band)
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
