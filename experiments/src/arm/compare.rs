//! Two arms compared on one metric.

use serde::Serialize;

use super::MetricSums;
use crate::covariate::{self, Adjustment};
use crate::effect::{Effect, EffectError, Scale};
use crate::metric::{Measure, Metric};
use crate::statistic::StatisticError;
use crate::strata::Stratified;
use crate::sums::Sums;

/// Says why two arms cannot be compared on a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// The arms' numbers allow no effect.
    #[error(transparent)]
    Effect(#[from] EffectError),
    /// An arm has no statistic.
    #[error(transparent)]
    Statistic(#[from] StatisticError),
}

/// Holds an effect on a metric, adjusted by what units did before exposure where that helps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// The effect.
    pub effect: Effect,
    /// The share of the variance that was left after the adjustment; `None` where nothing was adjusted.
    pub variance_left: Option<f64>,
    /// By what it was adjusted.
    pub adjusted_by: Adjusted,
}

/// Says by what a comparison was adjusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Adjusted {
    /// By what units did before exposure.
    pub past: bool,
    /// By comparing within strata.
    pub strata: bool,
}

/// Compares two arms on the metric at a place.
///
/// Means, counts and proportions are adjusted by the same metric before exposure ([`Adjustment`]) where units of both arms
/// have a past that goes together with what they do; the adjustment is never kept where it gains nothing.
///
/// # Errors
/// [`CompareError`].
pub fn compare(
    metric: &Metric,
    control: &MetricSums,
    treatment: &MetricSums,
    scale: Scale,
) -> Result<Compared, CompareError> {
    let raw = Effect::on(scale, &control.statistic(metric)?, &treatment.statistic(metric)?)?;
    Ok(adjusted(metric, control, treatment, scale).unwrap_or(Compared {
        effect: raw,
        variance_left: None,
        adjusted_by: Adjusted::default(),
    }))
}

/// Compares two arms within strata, each the control's and the treatment's sums, which together hold all units of both.
///
/// Means, counts and proportions are post-stratified ([`Stratified`]), and adjusted in each stratum by the same metric before
/// exposure where [`compare`] would do so. Strata were named before the start, so that they are kept whether or not they gain
/// anything. Metrics that are no number of each unit are compared as by [`compare`].
///
/// # Errors
/// [`CompareError`], of the arms as a whole.
pub fn compare_within(
    metric: &Metric,
    [control, treatment]: [&MetricSums; 2],
    strata: &[[&MetricSums; 2]],
    scale: Scale,
) -> Result<Compared, CompareError> {
    let plain = compare(metric, control, treatment, scale)?;
    let variances =
        [control.statistic(metric)?, treatment.statistic(metric)?].map(|arm| arm.variance_of_mean());
    let within = || {
        let stratified = stratified(metric, strata, &plain)?;
        let of_difference = stratified.effect(Scale::Absolute).ok()?.variance();
        Some(Compared {
            effect: stratified.effect(scale).ok()?,
            variance_left: Some(of_difference / variances.iter().sum::<f64>()),
            adjusted_by: Adjusted { strata: true, ..plain.adjusted_by },
        })
    };
    Ok(within().unwrap_or(plain))
}

fn stratified(metric: &Metric, strata: &[[&MetricSums; 2]], plain: &Compared) -> Option<Stratified> {
    let of_arms = |[a, b]: &[&MetricSums; 2]| Some([a.numbers(metric)?, b.numbers(metric)?]);
    let numbers: Vec<[Sums<1>; 2]> = strata.iter().map(of_arms).collect::<Option<_>>()?;
    let whole: u64 = numbers.iter().flatten().map(Sums::units).sum();
    // Strata of which some are not known are none.
    if numbers.len() < 2 || whole != plain.effect.units {
        return None;
    }
    let found = match plain.adjusted_by.past {
        true => {
            let of_arms = |[a, b]: &[&MetricSums; 2]| Some([a.with_past()?, b.with_past()?]);
            let paired: Vec<[Sums<2>; 2]> = strata.iter().map(of_arms).collect::<Option<_>>()?;
            Stratified::of_adjusted_means(&paired)
        }
        false => Stratified::of_means(&numbers, measure_of(metric)?),
    };
    found.ok()
}

/// How a metric's variance is taken, where it is a number of each unit.
fn measure_of(metric: &Metric) -> Option<covariate::Measure> {
    match metric.measure() {
        Measure::Count { .. } | Measure::Mean { .. } => Some(covariate::Measure::Mean),
        Measure::Proportion { .. } => Some(covariate::Measure::Proportion),
        Measure::Ratio { .. }
        | Measure::Quantile { .. }
        | Measure::Retention { .. }
        | Measure::TimeTo { .. } => None,
    }
}

fn adjusted(metric: &Metric, control: &MetricSums, treatment: &MetricSums, scale: Scale) -> Option<Compared> {
    let measure = measure_of(metric)?;
    if !control.has_past() || !treatment.has_past() {
        return None;
    }
    let adjustment =
        Adjustment::of_means(&control.with_past()?, &treatment.with_past()?, [measure; 2]).ok()?;
    let variance_left = adjustment.variance_left().filter(|left| *left < 1.0)?;
    let effect = adjustment.effect(scale).ok()?;
    let adjusted_by = Adjusted { past: true, strata: false };
    Some(Compared { effect, variance_left: Some(variance_left), adjusted_by })
}
