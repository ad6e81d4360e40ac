//! What may be concluded from an experiment so far, in numbers and in plain words.

use serde::Serialize;

use crate::arm::{Adjusted, ArmSums};
use crate::bayes::{Better, Posterior};
use crate::definition::{Correction, Method};
use crate::guardrail::{Guardrail, GuardrailReading};
use crate::interval::Estimate;
use crate::metric::{Format, Metric};
use crate::sample_ratio::SampleRatio;

mod analysis;
mod compare;
mod epochs;
mod outlook;
mod plan;
mod rails;
mod sentence;

pub use analysis::{AnalysisError, analyze, analyze_within};
pub use compare::{SegmentRow, Segments, segments};
pub use epochs::{analyze_epochs, segments_of_epochs, splits_of_epochs};
pub use outlook::{Outlook, Unforeseen, outlook, outlook_epochs};
pub use plan::{Plan, PlanError, PlannedArm, PlannedMetric, Role};

/// Chance, over the whole life of an experiment and however often it is looked at, that a verdict calls one
/// without any effect better or worse.
pub const ALPHA: f64 = 0.05;
/// Fewest units an arm must have before anything is decided: the sequential interval holds asymptotically
/// only, so no decision is taken on the first few hundred units (Waudby-Smith et al. 2021/2024).
pub const UNITS_PER_ARM_MIN: u64 = 200;
/// Fewest units an arm must be expected to have that count towards the deciding metric, at the rate of all arms together,
/// before anything is decided: below, a mean of rare events is far from normal. The usual rule for proportions asks for 5
/// to 10.
pub const ACTIVE_PER_ARM_MIN: u64 = 10;

/// Most units of an arm: up to here counts are exact as floating point.
pub const UNITS_MAX: u64 = 1 << 53;

/// Holds the sums of every arm at one moment, in the order of the variations.
///
/// The promise of the intervals supposes that a unit's outcome is complete when it is counted. Units that may
/// still convert later bend it a little, in all arms alike; a look that counts only units exposed long enough
/// ago is exact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// When the sums were taken, Unix milliseconds UTC.
    pub at_ms: i64,
    /// One arm's sums for each variation, the control first; their metrics in the order of the plan.
    pub arms: Vec<ArmSums>,
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
        /// Units of all arms that count towards the deciding metric.
        active: u64,
        /// How many of them all arms together need (for the smallest arm to expect [`ACTIVE_PER_ARM_MIN`]).
        active_min: u64,
    },
    /// The method reads results at planned sizes only, and the first has not come.
    NotRead {
        /// Units of two arms together, on the average.
        units: u64,
        /// Units at which it is read.
        planned: u64,
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
    /// Nothing is proven of the deciding metric, but a treatment makes a guardrail worse.
    Harms {
        /// The treatment.
        variation: usize,
        /// The guardrail's metric, by its place in the plan.
        metric: usize,
    },
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
    /// A ratio has nothing to divide by, or a quantile has too few events.
    NotMeasurable,
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
    /// What they did, for each metric of the plan.
    pub values: Vec<MetricValue>,
}

/// Holds what the units of an arm did on one metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MetricValue {
    /// Units that count towards it.
    pub active: u64,
    /// The sum over units, in the smallest unit of the metric.
    pub total: i128,
    /// The metric's value: a mean, a ratio or a quantile; `None` where there is nothing to take it of.
    pub value: Option<f64>,
    /// Units that it is taken over: all of the arm, or those whose days are over.
    pub units: u64,
    /// The most that a unit counts.
    pub most: Option<i64>,
}

/// Describes a metric as far as a reader of numbers needs it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricSummary {
    /// Its key.
    pub key: String,
    /// Its name, for headings.
    pub name: String,
    /// Its name inside a sentence.
    pub phrase: String,
    /// How its numbers are written.
    pub format: Format,
    /// The direction in which it is good.
    pub better: Better,
    /// Whether it decides.
    pub is_primary: bool,
    /// Whether it must not get worse.
    pub is_guardrail: bool,
    /// What it is to show as a guardrail, and within which margin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guardrail: Option<Guardrail>,
    /// When it was added, Unix milliseconds UTC, where that was after the start: it is a hint rather than a proof.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added_at_ms: Option<i64>,
    /// Whether it is a share of units.
    pub is_proportion: bool,
    /// The percentile at which units are capped, in basis points.
    pub cap_percentile_bp: Option<u32>,
}

/// Compares one treatment with the control on one metric.
///
/// p-values are multiplied by the number of treatments (Bonferroni), intervals drawn at alpha / treatments,
/// so that a p-value is at most alpha just when its interval leaves out zero. The estimates are `None` where
/// they cannot be made: an arm without spread, a control whose mean is not positive, a method whose planned look has not
/// come. Below the minimum of units they are given, and to be read as preliminary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The treatment's index among the variations.
    pub variation: usize,
    /// The metric, by its place in the plan.
    pub metric: usize,
    /// Whether this metric decides the verdict.
    pub is_primary: bool,
    /// Relative lift over the control (0.1 = 10 % more), with interval and p-value by the plan's method.
    pub lift: Option<Estimate>,
    /// Absolute difference from the control, likewise.
    pub difference: Option<Estimate>,
    /// Relative lift with the interval and p-value of a t-test, valid only for a single look planned
    /// beforehand.
    pub lift_at_fixed_horizon: Option<Estimate>,
    /// What is believed of the lift, where the method is Bayesian.
    pub belief: Option<Posterior>,
    /// The share of the variance that was left by adjusting for what units did before exposure.
    pub variance_left: Option<f64>,
    /// By what it was adjusted.
    pub adjusted_by: Adjusted,
    /// The p-value corrected over all comparisons that do not decide, without those of late metrics, which are corrected
    /// over all, as [`Analysis::correction`] says; of one that decides, its own.
    pub adjusted_p: Option<f64>,
    /// Whether a difference is shown: of the metric that decides, by the intervals of both lift and difference; of the
    /// others, by the corrected p-value.
    pub is_significant: bool,
    /// How it stands as a guardrail; of every guardrail, also of one that cannot be read.
    pub guardrail: Option<GuardrailReading>,
    /// Of the metric that decides, the lift's always-valid interval at each look, oldest first; looks with too few units
    /// are left out.
    pub band: Vec<BandPoint>,
}

impl Comparison {
    /// Reports which way a difference points that is shown: `Some(true)` for the good one.
    pub fn is_better(&self, better: Better) -> Option<bool> {
        let value = self.lift.or(self.difference)?.value;
        self.is_significant.then_some(match better {
            Better::Higher => value > 0.0,
            Better::Lower => value < 0.0,
        })
    }
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
    /// The metrics, the one that decides first.
    pub metrics: Vec<MetricSummary>,
    /// How results are read.
    pub method: Method,
    /// How what does not decide is corrected for its number.
    pub correction: Correction,
    /// The check of the split.
    pub sample_ratio: SampleRatio,
    /// Every arm, the control first.
    pub arms: Vec<ArmSummary>,
    /// Every treatment on every metric: treatments in order, and for each the metrics in their order.
    pub comparisons: Vec<Comparison>,
    /// Chance of a wrong verdict over the experiment's life, shared among the treatments.
    pub alpha: f64,
    /// What one comparison gets of it: alpha / treatments (Bonferroni). Intervals hold with chance 1 − this.
    pub alpha_per_comparison: f64,
    /// N*, the units of two arms at which the intervals are tightest.
    pub planned_units: u64,
}

impl Analysis {
    /// Returns the comparison of a treatment on the metric at a place.
    pub fn comparison(&self, variation: usize, metric: usize) -> Option<&Comparison> {
        self.comparisons.iter().find(|c| c.variation == variation && c.metric == metric)
    }

    /// Returns the metric that decides.
    pub fn primary(&self) -> &MetricSummary {
        &self.metrics[0]
    }

    /// Returns the place of a metric.
    pub fn place_of(&self, key: &str) -> Option<usize> {
        self.metrics.iter().position(|metric| metric.key == key)
    }

    /// Returns the comparison that the verdict speaks of: on the primary metric, the treatment it names, else
    /// the first.
    pub fn leading(&self) -> Option<&Comparison> {
        let variation = match self.verdict {
            Verdict::Better { variation }
            | Verdict::Worse { variation }
            | Verdict::Harms { variation, .. } => variation,
            _ => 1,
        };
        self.comparison(variation, 0)
    }

    /// Returns the band of the leading comparison, oldest look first.
    pub fn band(&self) -> &[BandPoint] {
        self.leading().map_or(&[], |comparison| &comparison.band)
    }
}

fn summary_of(planned: &PlannedMetric) -> MetricSummary {
    let metric: &Metric = &planned.metric;
    let guardrail = match planned.role {
        Role::Guardrail(guardrail) => Some(guardrail),
        Role::Primary | Role::Secondary => None,
    };
    MetricSummary {
        key: metric.key().to_owned(),
        name: metric.name().to_owned(),
        phrase: metric.phrase().to_owned(),
        format: metric.format(),
        better: metric.better(),
        is_primary: planned.role == Role::Primary,
        is_guardrail: guardrail.is_some(),
        guardrail,
        added_at_ms: planned.added_at_ms,
        is_proportion: metric.is_proportion(),
        cap_percentile_bp: metric.cap_percentile_bp(),
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
