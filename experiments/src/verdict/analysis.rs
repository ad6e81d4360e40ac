//! From sums to an analysis.

use crate::arm::ArmSums;
use crate::bayes::Better;
use crate::effect::{EffectError, Scale};
use crate::guardrail::Standing;
use crate::sample_ratio::SampleRatio;
use crate::verdict::compare::{Reader, comparisons, effect_of};
use crate::verdict::{
    ACTIVE_PER_ARM_MIN, Analysis, ArmSummary, Comparison, Look, MetricValue, Plan, UNITS_MAX,
    UNITS_PER_ARM_MIN, Verdict, WithheldReason, sentence, summary_of,
};

/// Says why sums cannot be analysed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnalysisError {
    /// A look has not one arm for each of the plan.
    #[error("look at {at_ms} has {found} arms, the plan has {planned}")]
    ArmsDiffer {
        /// When the look was taken.
        at_ms: i64,
        /// Arms in the look.
        found: usize,
        /// Arms in the plan.
        planned: usize,
    },
    /// An arm has more units than [`UNITS_MAX`].
    #[error("look at {at_ms} has {units} units in arm {arm}, the most allowed is {UNITS_MAX}")]
    TooManyUnits {
        /// When the look was taken.
        at_ms: i64,
        /// The arm's index.
        arm: usize,
        /// Its units.
        units: u64,
    },
    /// A look stands before an older one.
    #[error("look at {at_ms} stands after one of {before_ms}: looks go from oldest to newest")]
    LooksOutOfOrder {
        /// When the look was taken.
        at_ms: i64,
        /// When the look before it was taken.
        before_ms: i64,
    },
}

/// Analyses an experiment as it stands at `current`, given the looks before it, oldest first.
///
/// The verdict is reached in this order: the split must be as planned (over all looks); a method that reads at planned
/// sizes must have come to one; every arm must have [`UNITS_PER_ARM_MIN`] units and enough of them that count towards the
/// deciding metric; every arm must show some spread; then each treatment is compared with the control on that metric at
/// alpha / treatments. A treatment is called better or worse when the intervals of both its lift and its absolute
/// difference leave out zero: the first is what is drawn, the second does not lean on the control's mean
/// being known well. By the default method the chance that an experiment without effect is ever called is at most alpha,
/// however often it is analysed. Where nothing is called, a guardrail that is shown to be worse is.
///
/// ```
/// use experiments::arm::{ArmSums, UnitTallies};
/// use experiments::metric::{Metric, Tally};
/// use experiments::verdict::{PlannedArm, analyze};
/// use experiments::{Look, Plan, Verdict};
/// let arm = |key: &str| PlannedArm { key: key.into(), name: key.into(), weight: 1.0 };
/// let conversion = Metric::parse(
///     r#"{"key": "conversion", "measure": {"kind": "proportion", "event": {"type": "order_placed"}}}"#,
/// )?;
/// let metrics = [conversion];
/// let sums = |units: usize, conversions: usize| {
///     let mut sums = ArmSums::new(1);
///     for unit in 0..units {
///         let tallies = vec![Tally::Number([i64::from(unit < conversions), 0])];
///         sums.add(&metrics, &UnitTallies { tallies, pasts: vec![0] });
///     }
///     sums
/// };
/// let plan = Plan::new(vec![arm("classic"), arm("express")], metrics.to_vec(), 0.05, 5000)?;
/// let analysis = analyze(&plan, &Look { at_ms: 0, arms: vec![sums(2500, 250), sums(2500, 375)] }, &[])?;
/// assert_eq!(analysis.verdict, Verdict::Better { variation: 1 });
/// assert_eq!(
///     analysis.sentence,
///     "express is better: conversion rises by 50.0 % (between 15.1 % and 84.9 %). You can stop and ship it."
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`AnalysisError`], when looks do not fit the plan or are out of order.
pub fn analyze(plan: &Plan, current: &Look, earlier: &[Look]) -> Result<Analysis, AnalysisError> {
    analyze_within(plan, current, earlier, &[])
}

/// As [`analyze`], given the sums of all arms in each stratum, as they stand at `current` and together all of it: comparisons
/// are then made within strata ([`crate::arm::compare_within`]), so that what differs between them is no noise.
///
/// Methods that read an earlier look, of which no strata are kept, compare without them.
///
/// # Errors
/// As [`analyze`].
pub fn analyze_within(
    plan: &Plan,
    current: &Look,
    earlier: &[Look],
    strata: &[Vec<ArmSums>],
) -> Result<Analysis, AnalysisError> {
    check_looks(plan, current, earlier)?;
    let looks: Vec<&Look> = earlier.iter().chain([current]).collect();
    let weights: Vec<f64> = plan.arms().iter().map(|arm| arm.weight).collect();
    let units: Vec<Vec<u64>> =
        looks.iter().map(|look| look.arms.iter().map(ArmSums::units).collect()).collect();
    let sample_ratio = SampleRatio::check(&weights, units.iter().map(Vec::as_slice));
    let reader = Reader::of(plan, &looks, strata);
    let comparisons = comparisons(plan, &looks, &reader);
    let verdict = decide(plan, &reader, &sample_ratio, &comparisons);
    Ok(finished(plan, current, verdict, sample_ratio, comparisons))
}

/// Puts the report together, and says the verdict.
pub(super) fn finished(
    plan: &Plan,
    current: &Look,
    verdict: Verdict,
    sample_ratio: SampleRatio,
    comparisons: Vec<Comparison>,
) -> Analysis {
    let mut analysis = Analysis {
        verdict,
        sentence: String::new(),
        metrics: plan.metrics().iter().map(summary_of).collect(),
        method: plan.method(),
        correction: plan.correction(),
        sample_ratio,
        arms: summarise(plan, current),
        comparisons,
        alpha: plan.alpha(),
        alpha_per_comparison: plan.alpha_per_comparison(),
        planned_units: plan.planned_units(),
    };
    analysis.sentence = sentence::say(&analysis, plan.is_over());
    analysis
}

pub(super) fn check_looks(plan: &Plan, current: &Look, earlier: &[Look]) -> Result<(), AnalysisError> {
    let mut before_ms = i64::MIN;
    for look in earlier.iter().chain([current]) {
        let (at_ms, found, planned) = (look.at_ms, look.arms.len(), plan.arms().len());
        if found != planned {
            return Err(AnalysisError::ArmsDiffer { at_ms, found, planned });
        }
        if at_ms < before_ms {
            return Err(AnalysisError::LooksOutOfOrder { at_ms, before_ms });
        }
        before_ms = at_ms;
        if let Some((arm, sums)) = look.arms.iter().enumerate().find(|(_, sums)| sums.units() > UNITS_MAX) {
            return Err(AnalysisError::TooManyUnits { at_ms, arm, units: sums.units() });
        }
    }
    Ok(())
}

fn summarise(plan: &Plan, look: &Look) -> Vec<ArmSummary> {
    let whole: f64 = plan.arms().iter().map(|arm| arm.weight).sum();
    let value = |sums: &ArmSums, index: usize| {
        let (of, metric) = (sums.metric(index), &plan.metrics()[index].metric);
        MetricValue {
            active: of.active(),
            total: of.total(),
            value: of.value(metric),
            units: of.units(),
            most: of.most().or(metric.cap()),
        }
    };
    let summary = |(planned, sums): (&super::PlannedArm, &ArmSums)| ArmSummary {
        key: planned.key.clone(),
        name: planned.name.clone(),
        weight: planned.weight / whole,
        units: sums.units(),
        values: (0..plan.metrics().len()).map(|index| value(sums, index)).collect(),
    };
    plan.arms().iter().zip(&look.arms).map(summary).collect()
}

pub(super) fn decide(
    plan: &Plan,
    reader: &Reader<'_>,
    sample_ratio: &SampleRatio,
    comparisons: &[Comparison],
) -> Verdict {
    if sample_ratio.is_mismatch {
        return Verdict::SampleRatioMismatch { p: sample_ratio.sequential_p };
    }
    let look = match reader.look() {
        Ok(look) => look,
        Err((units, planned)) => return Verdict::NotRead { units, planned },
    };
    if let Some(too_few) = too_few(&look.arms) {
        return too_few;
    }
    if let Some(withheld) = withheld(plan, look) {
        return withheld;
    }
    let sign = match plan.primary_metric().better() {
        Better::Higher => 1.0,
        Better::Lower => -1.0,
    };
    let gains: Vec<(usize, f64)> = comparisons
        .iter()
        .filter(|comparison| comparison.is_primary && comparison.is_significant)
        .filter_map(|comparison| Some((comparison.variation, sign * comparison.difference?.value)))
        .collect();
    let by_gain = |one: &&(usize, f64), other: &&(usize, f64)| one.1.total_cmp(&other.1);
    let best = gains.iter().filter(|(_, gain)| *gain > 0.0).max_by(by_gain);
    let worst = gains.iter().min_by(by_gain);
    match (best, worst) {
        (Some(&(variation, _)), _) => Verdict::Better { variation },
        (None, Some(&(variation, _))) => Verdict::Worse { variation },
        (None, None) => harm(comparisons).unwrap_or(Verdict::NoDifferenceYet),
    }
}

fn harm(comparisons: &[Comparison]) -> Option<Verdict> {
    let is_harmed = |c: &&Comparison| c.guardrail.is_some_and(|reading| reading.standing == Standing::Harmed);
    comparisons.iter().find(is_harmed).map(|c| Verdict::Harms { variation: c.variation, metric: c.metric })
}

fn too_few(arms: &[ArmSums]) -> Option<Verdict> {
    // Of those that the deciding metric is taken over.
    let units_of = || arms.iter().map(|arm| arm.metric(0).units());
    let (units, all_units) = (units_of().min().unwrap_or(0), units_of().sum::<u64>());
    let active: u64 = arms.iter().map(|arm| arm.metric(0).active()).sum();
    // So many that the smallest arm, at the common rate, expects its minimum.
    let active_min = (ACTIVE_PER_ARM_MIN * all_units).div_ceil(units.max(1));
    let units_min = UNITS_PER_ARM_MIN;
    (units < units_min || active < active_min).then_some(Verdict::TooFew {
        units,
        units_min,
        active,
        active_min,
    })
}

fn withheld(plan: &Plan, look: &Look) -> Option<Verdict> {
    let spread_of = |variation: usize| {
        let statistic = look.arms[variation].metric(0).statistic(plan.primary_metric());
        statistic.map_or(0.0, |statistic| statistic.variance)
    };
    (1..look.arms.len()).find_map(|treatment| {
        use crate::arm::CompareError::{Effect, Statistic};
        let without_spread = if spread_of(0) > 0.0 { treatment } else { 0 };
        let (variation, reason) = match effect_of(plan, look, treatment, 0, Scale::Relative) {
            Ok(_) => return None,
            Err(Effect(EffectError::ControlNotPositive)) => (0, WithheldReason::ControlNotPositive),
            Err(Effect(EffectError::TooFewUnits | EffectError::NoSpread)) => {
                (without_spread, WithheldReason::NoSpread)
            }
            Err(Statistic(_)) => (without_spread, WithheldReason::NotMeasurable),
        };
        Some(Verdict::Withheld { variation, reason })
    })
}
