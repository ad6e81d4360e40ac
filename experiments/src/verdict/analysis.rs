//! From totals to an analysis.

use crate::effect::{Effect, EffectError};
use crate::interval::Estimate;
use crate::metric::{ArmTotals, Metric};
use crate::sample_ratio::SampleRatio;
use crate::verdict::{
    Analysis, ArmSummary, BandPoint, CONVERSIONS_PER_ARM_MIN, Comparison, Look, Plan, UNITS_MAX,
    UNITS_PER_ARM_MIN, Verdict, WithheldReason, sentence,
};

/// Says why totals cannot be analysed.
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
    /// An arm has more conversions than units.
    #[error("look at {at_ms} has {conversions} conversions of {units} units in arm {arm}")]
    TooManyConversions {
        /// When the look was taken.
        at_ms: i64,
        /// The arm's index.
        arm: usize,
        /// Its conversions.
        conversions: u64,
        /// Its units.
        units: u64,
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
/// The verdict is reached in this order: the split must be as planned (over all looks); every arm must have
/// [`UNITS_PER_ARM_MIN`] units and conversions enough (revenue comes of them, too); every arm must show some
/// spread; then each treatment is compared with the control on the primary metric at alpha / treatments. A
/// treatment is called better or worse when the always-valid intervals of both its lift and its absolute
/// difference leave out zero: the first is what is drawn, the second does not lean on the control's mean
/// being known well. The chance that an experiment without effect is ever called is at most alpha, however
/// often it is analysed.
///
/// ```
/// use experiments::verdict::{PlannedArm, analyze};
/// use experiments::{ArmTotals, Look, Metric, Plan, Verdict};
/// let arm = |key: &str| PlannedArm { key: key.into(), name: key.into(), weight: 1.0 };
/// let plan = Plan::new(vec![arm("classic"), arm("express")], Metric::Conversion, 0.05, 5000)?;
/// let totals = |conversions, revenue_sum, revenue_sum_squares| ArmTotals {
///     units: 2500, conversions, revenue_sum, revenue_sum_squares
/// };
/// let look = Look { at_ms: 0, arms: vec![totals(250, 500_000, 1_200_000_000), totals(375, 750_000, 1_800_000_000)] };
/// let analysis = analyze(&plan, &look, &[])?;
/// assert_eq!(analysis.verdict, Verdict::Better { variation: 1 });
/// assert_eq!(
///     analysis.sentence,
///     "express is better: conversion rises by 50.0 % (between 15.1 % and 84.9 %). You can stop and ship it."
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`AnalysisError`], when looks do not fit the plan, count more conversions than units or are out of order.
pub fn analyze(plan: &Plan, current: &Look, earlier: &[Look]) -> Result<Analysis, AnalysisError> {
    check_looks(plan, current, earlier)?;
    let looks: Vec<&Look> = earlier.iter().chain([current]).collect();
    let weights: Vec<f64> = plan.arms().iter().map(|arm| arm.weight).collect();
    let units: Vec<Vec<u64>> =
        looks.iter().map(|look| look.arms.iter().map(|arm| arm.units).collect()).collect();
    let sample_ratio = SampleRatio::check(&weights, units.iter().map(Vec::as_slice));
    let comparisons: Vec<Comparison> = (1..plan.arms().len())
        .flat_map(|variation| Metric::ALL.map(|metric| compare(plan, &looks, variation, metric)))
        .collect();
    let verdict = decide(plan, current, &sample_ratio, &comparisons);
    let mut analysis = Analysis {
        verdict,
        sentence: String::new(),
        primary_metric: plan.primary_metric(),
        sample_ratio,
        arms: summarise(plan, current),
        comparisons,
        alpha: plan.alpha(),
        alpha_per_comparison: plan.alpha_per_comparison(),
        planned_units: plan.planned_units(),
    };
    analysis.sentence = sentence::say(&analysis, plan.is_over());
    Ok(analysis)
}

fn check_looks(plan: &Plan, current: &Look, earlier: &[Look]) -> Result<(), AnalysisError> {
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
        for (arm, &ArmTotals { units, conversions, .. }) in look.arms.iter().enumerate() {
            if units > UNITS_MAX {
                return Err(AnalysisError::TooManyUnits { at_ms, arm, units });
            }
            if conversions > units {
                return Err(AnalysisError::TooManyConversions { at_ms, arm, conversions, units });
            }
        }
    }
    Ok(())
}

fn summarise(plan: &Plan, look: &Look) -> Vec<ArmSummary> {
    let whole: f64 = plan.arms().iter().map(|arm| arm.weight).sum();
    let summary = |(planned, totals): (&super::PlannedArm, &ArmTotals)| ArmSummary {
        key: planned.key.clone(),
        name: planned.name.clone(),
        weight: planned.weight / whole,
        units: totals.units,
        conversions: totals.conversions,
        conversion: totals.statistic(Metric::Conversion).mean,
        revenue: totals.revenue_sum,
        revenue_per_unit: totals.statistic(Metric::RevenuePerUnit).mean,
    };
    plan.arms().iter().zip(&look.arms).map(summary).collect()
}

fn effect(look: &Look, variation: usize, metric: Metric, of: Compare) -> Result<Effect, EffectError> {
    of(&look.arms[0].statistic(metric), &look.arms[variation].statistic(metric))
}

type Compare = fn(&crate::metric::Statistic, &crate::metric::Statistic) -> Result<Effect, EffectError>;

fn compare(plan: &Plan, looks: &[&Look], variation: usize, metric: Metric) -> Comparison {
    let current = looks[looks.len() - 1];
    let always = |effect: &Effect| adjusted(plan, plan.sequence().estimate(effect)?);
    let lift = effect(current, variation, metric, Effect::relative).ok();
    let lift_always = lift.as_ref().and_then(always);
    let difference = effect(current, variation, metric, Effect::absolute).ok().as_ref().and_then(always);
    let at_fixed_horizon = lift
        .and_then(|effect| effect.at_fixed_horizon(plan.alpha_per_comparison()))
        .and_then(|estimate| adjusted(plan, estimate));
    Comparison {
        variation,
        metric,
        is_primary: metric == plan.primary_metric(),
        lift: lift_always,
        difference,
        lift_at_fixed_horizon: at_fixed_horizon,
        is_significant: direction(lift_always, difference).is_some(),
        band: band(plan, looks, variation, metric),
    }
}

/// Multiplies the p-value by the number of treatments (Bonferroni), so that it is at most alpha just when the
/// interval, drawn at alpha / treatments, leaves out zero.
fn adjusted(plan: &Plan, estimate: Estimate) -> Option<Estimate> {
    Some(Estimate { p: (estimate.p * plan.treatments() as f64).min(1.0), ..estimate })
}

fn band(plan: &Plan, looks: &[&Look], variation: usize, metric: Metric) -> Vec<BandPoint> {
    let has_enough = |look: &&&Look| look.arms[0].units.min(look.arms[variation].units) >= UNITS_PER_ARM_MIN;
    let point = |look: &&Look| {
        let effect = effect(look, variation, metric, Effect::relative).ok()?;
        let Estimate { value: lift, lower, upper, .. } = plan.sequence().estimate(&effect)?;
        Some(BandPoint { at_ms: look.at_ms, units: effect.units, lift, lower, upper })
    };
    looks.iter().filter(has_enough).filter_map(point).collect()
}

/// Which way both estimates point, if both leave out zero.
fn direction(lift: Option<Estimate>, difference: Option<Estimate>) -> Option<f64> {
    let (lift, difference) = (lift?, difference?);
    (lift.excludes_zero() && difference.excludes_zero()).then_some(difference.value)
}

fn decide(plan: &Plan, look: &Look, sample_ratio: &SampleRatio, comparisons: &[Comparison]) -> Verdict {
    if sample_ratio.is_mismatch {
        return Verdict::SampleRatioMismatch { p: sample_ratio.sequential_p };
    }
    if let Some(too_few) = too_few(&look.arms) {
        return too_few;
    }
    if let Some(withheld) = withheld(plan.primary_metric(), &look.arms) {
        return withheld;
    }
    let significant: Vec<(usize, f64)> = comparisons
        .iter()
        .filter(|comparison| comparison.is_primary)
        .filter_map(|comparison| {
            Some((comparison.variation, direction(comparison.lift, comparison.difference)?))
        })
        .collect();
    let by_difference = |one: &&(usize, f64), other: &&(usize, f64)| one.1.total_cmp(&other.1);
    let best = significant.iter().filter(|(_, difference)| *difference > 0.0).max_by(by_difference);
    let worst = significant.iter().min_by(by_difference);
    match (best, worst) {
        (Some(&(variation, _)), _) => Verdict::Better { variation },
        (None, Some(&(variation, _))) => Verdict::Worse { variation },
        (None, None) => Verdict::NoDifferenceYet,
    }
}

fn too_few(arms: &[ArmTotals]) -> Option<Verdict> {
    let units = arms.iter().map(|arm| arm.units).min().unwrap_or(0);
    let conversions: u64 = arms.iter().map(|arm| arm.conversions).sum();
    let all_units: u64 = arms.iter().map(|arm| arm.units).sum();
    // So many that the smallest arm, at the common rate, expects its minimum.
    let conversions_min = (CONVERSIONS_PER_ARM_MIN * all_units).div_ceil(units.max(1));
    let is_short_of_conversions = conversions < conversions_min;
    let units_min = UNITS_PER_ARM_MIN;
    (units < units_min || is_short_of_conversions).then_some(Verdict::TooFew {
        units,
        units_min,
        conversions,
        conversions_min,
    })
}

fn withheld(metric: Metric, arms: &[ArmTotals]) -> Option<Verdict> {
    let control = arms[0].statistic(metric);
    (1..arms.len()).find_map(|treatment| {
        let statistic = arms[treatment].statistic(metric);
        let (variation, reason) = match Effect::relative(&control, &statistic) {
            Ok(_) => return None,
            Err(EffectError::ControlNotPositive) => (0, WithheldReason::ControlNotPositive),
            Err(EffectError::TooFewUnits | EffectError::NoSpread) => {
                let variation = if control.variance > 0.0 { treatment } else { 0 };
                (variation, WithheldReason::NoSpread)
            }
        };
        Some(Verdict::Withheld { variation, reason })
    })
}
