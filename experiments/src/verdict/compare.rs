//! Each treatment beside the control, metric by metric and segment by segment.

use serde::Serialize;

use crate::arm::{self, ArmSums, CompareError, Compared, MetricSums};
use crate::definition::Method;
use crate::effect::{Effect, Scale};
use crate::family::holm;
use crate::guardrail::{GuardrailReading, Unread};
use crate::inference::{Mode, Reading, p_against, read};
use crate::interval::{Alternative, Estimate};
use crate::segments::{p_of_same_effect, read_segments};
use crate::verdict::{BandPoint, Comparison, Look, Plan, Role, UNITS_PER_ARM_MIN, rails};

/// Says which look results are read at, and at which they were read before.
pub(super) struct Reader<'a> {
    look: Result<&'a Look, (u64, u64)>,
    /// Units of two arms together, on the average, at the scheduled looks before.
    earlier: Vec<u64>,
    /// The newest look, with the sums of all arms in each stratum.
    strata: Option<(&'a Look, &'a [Vec<ArmSums>])>,
}

impl<'a> Reader<'a> {
    pub(super) fn of(plan: &Plan, looks: &[&'a Look], strata: &'a [Vec<ArmSums>]) -> Self {
        let newest = looks[looks.len() - 1];
        let Some(scheduled) = plan.method().scheduled(plan.planned_units()) else {
            return Self { look: Ok(newest), earlier: vec![], strata: Some((newest, strata)) };
        };
        let mut read: Vec<&Look> = vec![];
        for threshold in &scheduled {
            let first = looks.iter().find(|look| units_of_two(look) >= *threshold);
            match first {
                // A look that comes late stands for all that were due before it.
                Some(look) if read.last().is_none_or(|last| last.at_ms != look.at_ms) => read.push(look),
                Some(_) => {}
                None => break,
            }
        }
        let earlier = read.iter().rev().skip(1).rev().map(|look| units_of_two(look)).collect();
        let look = read.last().copied().ok_or((units_of_two(newest), scheduled[0]));
        // Of earlier looks, which a schedule reads, strata are not kept.
        Self { look, earlier, strata: None }
    }

    /// Compares two arms at a look: within strata, where they are known.
    fn effect(
        &self,
        plan: &Plan,
        look: &Look,
        [variation, metric]: [usize; 2],
        scale: Scale,
    ) -> Option<Compared> {
        let strata =
            self.strata.filter(|(newest, _)| std::ptr::eq(*newest, look)).map_or(&[][..], |(_, s)| s);
        let pair = |arms: &'a [ArmSums]| -> Option<[&'a MetricSums; 2]> {
            Some([arms.first()?.metric(metric), arms.get(variation)?.metric(metric)])
        };
        let pairs: Vec<[&MetricSums; 2]> = strata.iter().filter_map(|arms| pair(arms)).collect();
        let whole = [look.arms.first()?.metric(metric), look.arms.get(variation)?.metric(metric)];
        arm::compare_within(&plan.metrics()[metric].metric, whole, &pairs, scale).ok()
    }

    /// Returns the look that is read, or how many units there are and at how many it is.
    pub(super) fn look(&self) -> Result<&'a Look, (u64, u64)> {
        self.look
    }
}

fn units_of_two(look: &Look) -> u64 {
    let units: u128 = look.arms.iter().map(|arm| u128::from(arm.units())).sum();
    u64::try_from(units * 2 / look.arms.len().max(1) as u128).unwrap_or(u64::MAX)
}

pub(super) fn effect_of(
    plan: &Plan,
    look: &Look,
    variation: usize,
    metric: usize,
    scale: Scale,
) -> Result<Compared, CompareError> {
    let of = |arm: usize| look.arms[arm].metric(metric);
    arm::compare(&plan.metrics()[metric].metric, of(0), of(variation), scale)
}

pub(super) fn comparisons(plan: &Plan, looks: &[&Look], reader: &Reader<'_>) -> Vec<Comparison> {
    let mut comparisons: Vec<Comparison> = (1..plan.arms().len())
        .flat_map(|variation| {
            (0..plan.metrics().len()).map(move |metric| compare(plan, looks, reader, variation, metric))
        })
        .collect();
    corrected(plan, &mut comparisons);
    comparisons
}

/// Corrects the p-values of all that does not decide, as the plan says. What was planned is corrected for what was planned, so that nobody
/// changes its numbers by adding metrics; late metrics are corrected for all.
pub(super) fn corrected(plan: &Plan, comparisons: &mut [Comparison]) {
    let is_late = |comparison: &Comparison| plan.metrics()[comparison.metric].added_at_ms.is_some();
    let others: Vec<&mut Comparison> = comparisons.iter_mut().filter(|c| !c.is_primary).collect();
    let p_of = |comparison: &&mut Comparison| comparison.adjusted_p.unwrap_or(1.0);
    let planned: Vec<f64> = others.iter().filter(|c| !is_late(c)).map(p_of).collect();
    let corrected = |p_values: &[f64]| plan.correction().of(plan.method(), p_values);
    let among_all = corrected(&others.iter().map(p_of).collect::<Vec<_>>());
    let mut among_planned = corrected(&planned).into_iter();
    for (comparison, of_all) in others.into_iter().zip(among_all) {
        let p = if is_late(comparison) { Some(of_all) } else { among_planned.next() };
        comparison.adjusted_p = comparison.adjusted_p.and(p);
        comparison.is_significant = comparison.adjusted_p.is_some_and(|p| p <= plan.alpha());
    }
    rails::corrected(plan, comparisons);
}

fn compare(plan: &Plan, looks: &[&Look], reader: &Reader<'_>, variation: usize, metric: usize) -> Comparison {
    let planned = &plan.metrics()[metric];
    let is_primary = planned.role == Role::Primary;
    // Looks are planned by the units that were exposed, of which this metric counts those whose days are over: bounds that
    // share the chance of error by one number do not hold for the other.
    let is_grouped = matches!(plan.method(), Method::GroupSequential { .. });
    let is_cut_off = is_grouped && planned.metric.complete_after_ms().is_some();
    let look = reader.look.ok().filter(|_| !is_cut_off);
    let at = |scale| look.and_then(|look| reader.effect(plan, look, [variation, metric], scale));
    let (relative, absolute) = (at(Scale::Relative), at(Scale::Absolute));
    let mode = mode_of(plan, reader, metric);
    let alpha = plan.alpha_per_comparison();
    let reading = |compared: Option<Compared>, mode: &Mode| {
        let effect = compared?.effect;
        let reading = read(mode, alpha, Alternative::TwoSided, &effect)?;
        let p = p_against(mode, alpha, Alternative::TwoSided, &effect, 0.0)?;
        Some((reading, estimate_of(&reading, &effect, p)))
    };
    let lift = reading(relative, &mode);
    // Priors and mixtures are set on lifts; for differences the same size is told in the metric's own unit.
    let difference = reading(absolute, &in_unit_of_metric(&mode, relative, absolute));
    let fixed = relative
        .and_then(|compared| compared.effect.at_fixed_horizon(alpha))
        .map(|estimate| adjusted(plan, estimate));
    let guardrail = match (planned.role, look) {
        (Role::Guardrail(guardrail), Some(look)) => {
            let arm = |arm: usize| {
                let sums = look.arms[arm].metric(metric);
                (sums, sums.statistic(&planned.metric))
            };
            Some(rails::read(guardrail, &mode, alpha, [arm(0), arm(variation)], [relative, absolute]))
        }
        (Role::Guardrail(_), None) => {
            Some(GuardrailReading::unread(if is_cut_off { Unread::NotComparable } else { Unread::NotYet }))
        }
        (Role::Primary | Role::Secondary, _) => None,
    };
    let (lift, belief) = match lift {
        Some((Reading::Belief(belief), estimate)) => (Some(estimate), Some(belief)),
        Some((Reading::Estimate(_), estimate)) => (Some(estimate), None),
        None => (None, None),
    };
    let difference = difference.map(|(_, estimate)| estimate);
    // Both intervals must leave out zero, so the larger p-value counts.
    let own_p = lift.zip(difference).map(|(lift, difference)| lift.p.max(difference.p));
    let adjusted_p = own_p.map(|p| if is_primary { bonferroni(plan, p) } else { p });
    let (lift, difference) = (lift.map(|e| adjusted(plan, e)), difference.map(|e| adjusted(plan, e)));
    Comparison {
        variation,
        metric,
        is_primary,
        lift,
        difference,
        lift_at_fixed_horizon: fixed,
        belief,
        variance_left: relative.and_then(|compared| compared.variance_left),
        adjusted_by: relative.map(|compared| compared.adjusted_by).unwrap_or_default(),
        adjusted_p,
        is_significant: is_primary && points_somewhere(lift, difference),
        guardrail,
        band: if is_primary { band(plan, looks, reader, variation, metric) } else { vec![] },
    }
}

fn mode_of(plan: &Plan, reader: &Reader<'_>, metric: usize) -> Mode {
    let better = plan.metrics()[metric].metric.better();
    plan.method().mode(plan.planned_units(), reader.earlier.clone(), better)
}

fn in_unit_of_metric(mode: &Mode, relative: Option<Compared>, absolute: Option<Compared>) -> Mode {
    match (relative, absolute) {
        (Some(relative), Some(absolute)) => {
            rails::scaled(mode, absolute.effect.standard_error / relative.effect.standard_error)
        }
        _ => mode.clone(),
    }
}

fn estimate_of(reading: &Reading, effect: &Effect, p: f64) -> Estimate {
    match reading {
        Reading::Estimate(estimate) => *estimate,
        Reading::Belief(belief) => Estimate {
            value: belief.mean,
            standard_error: effect.standard_error,
            lower: belief.lower,
            upper: belief.upper,
            p: p.clamp(0.0, 1.0),
        },
    }
}

/// Multiplies the p-value by the number of treatments (Bonferroni), so that it is at most alpha just when the
/// interval, drawn at alpha / treatments, leaves out zero.
pub(super) fn adjusted(plan: &Plan, estimate: Estimate) -> Estimate {
    Estimate { p: bonferroni(plan, estimate.p), ..estimate }
}

pub(super) fn bonferroni(plan: &Plan, p: f64) -> f64 {
    (p * plan.treatments() as f64).min(1.0)
}

pub(super) fn points_somewhere(lift: Option<Estimate>, difference: Option<Estimate>) -> bool {
    [lift, difference].iter().all(|estimate| estimate.is_some_and(|estimate| estimate.excludes_zero()))
}

fn band(
    plan: &Plan,
    looks: &[&Look],
    reader: &Reader<'_>,
    variation: usize,
    metric: usize,
) -> Vec<BandPoint> {
    let units = |look: &Look, arm: usize| look.arms[arm].metric(metric).units();
    let has_enough = |look: &&&Look| units(look, 0).min(units(look, variation)) >= UNITS_PER_ARM_MIN;
    let point = |look: &&Look| {
        let effect = reader.effect(plan, look, [variation, metric], Scale::Relative)?.effect;
        let Estimate { value: lift, lower, upper, .. } = plan.sequence().estimate(&effect)?;
        Some(BandPoint { at_ms: look.at_ms, units: effect.units, lift, lower, upper })
    };
    looks.iter().filter(has_enough).filter_map(point).collect()
}

/// Holds one treatment's effect in each segment of a dimension, on the metric that decides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Segments {
    /// The treatment's index among the variations.
    pub variation: usize,
    /// Every segment that can be compared, in the order given.
    pub rows: Vec<SegmentRow>,
    /// p-value of "the effect is the same in all of them", valid for one look and corrected for the number of dimensions; `None`
    /// for fewer than two.
    pub p_of_same_effect: Option<f64>,
}

/// Holds what one segment shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SegmentRow {
    /// The segment's name.
    pub name: String,
    /// Units of both compared arms.
    pub units: u64,
    /// The lift with an interval that holds in all segments of all dimensions together.
    pub lift: Estimate,
    /// Whether a difference is shown after Holm's correction for the number of all of them.
    pub is_significant: bool,
}

/// The segments of one dimension, each with its name and the sums of its arms.
pub type Division<T = ArmSums> = Vec<(String, Vec<T>)>;

/// Compares every treatment with the control in each segment of each dimension; those with fewer than [`UNITS_PER_ARM_MIN`]
/// units in an arm, or without spread, are left out. Of each dimension, in the order given, it returns the treatments.
///
/// Who looks at weeks, weekdays and devices looks at them all for something special, so that intervals and p-values are
/// corrected over the segments of all dimensions together; a dimension of a single part only repeats the whole and is not
/// counted. A segment that looks special among many mostly is not: [`Segments::p_of_same_effect`] says whether they differ
/// at all.
pub fn segments(plan: &Plan, dimensions: &[Division]) -> Vec<Vec<Segments>> {
    let of_treatments = (1..plan.arms().len()).map(|variation| segments_of(plan, dimensions, variation));
    by_dimension(dimensions.len(), of_treatments.collect())
}

/// Turns dimensions of each treatment into treatments of each dimension.
pub(super) fn by_dimension(dimensions: usize, of_treatments: Vec<Vec<Segments>>) -> Vec<Vec<Segments>> {
    let mut found: Vec<Vec<Segments>> = vec![vec![]; dimensions];
    for treatment in of_treatments {
        found.iter_mut().zip(treatment).for_each(|(dimension, segments)| dimension.push(segments));
    }
    found
}

/// Corrects what is said of whole dimensions for how many of them there are.
pub(super) fn same_effects(p_values: Vec<Option<f64>>) -> Vec<Option<f64>> {
    let known: Vec<f64> = p_values.iter().flatten().copied().collect();
    let mut adjusted = holm(&known).into_iter();
    p_values.into_iter().map(|p| p.and_then(|_| adjusted.next())).collect()
}

fn segments_of(plan: &Plan, dimensions: &[Division], variation: usize) -> Vec<Segments> {
    type Rows<'a> = Vec<(&'a str, Effect)>;
    let mode = Mode::Sequential { planned_units: plan.planned_units() };
    let effect = |arms: &Vec<ArmSums>| -> Option<Effect> {
        let (control, treatment) = (arms.first()?.metric(0), arms.get(variation)?.metric(0));
        if control.units().min(treatment.units()) < UNITS_PER_ARM_MIN {
            return None;
        }
        Some(arm::compare(plan.primary_metric(), control, treatment, Scale::Relative).ok()?.effect)
    };
    let found: Vec<Rows<'_>> = dimensions
        .iter()
        .map(|segments| {
            segments.iter().filter_map(|(name, arms)| Some((name.as_str(), effect(arms)?))).collect()
        })
        .collect();
    let read = |effects: &[Effect]| {
        read_segments(&mode, plan.alpha_per_comparison(), effects).unwrap_or_default().into_iter()
    };
    let is_divided: Vec<bool> = dimensions.iter().map(|segments| segments.len() > 1).collect();
    let counted = found.iter().zip(&is_divided).filter(|(_, is_divided)| **is_divided);
    let all: Vec<Effect> = counted.flat_map(|(rows, _)| rows).map(|(_, effect)| *effect).collect();
    let mut readings = read(&all);
    let same = found
        .iter()
        .map(|rows| p_of_same_effect(&rows.iter().map(|(_, effect)| *effect).collect::<Vec<_>>()));
    let same = same_effects(same.collect());
    let mut row = |is_divided: bool, (name, effect): (&str, Effect)| {
        let reading = if is_divided { readings.next() } else { read(&[effect]).next() }?;
        Some(SegmentRow {
            name: name.to_owned(),
            units: effect.units,
            lift: estimate_of(&reading.reading, &effect, reading.adjusted_p),
            is_significant: reading.adjusted_p <= plan.alpha_per_comparison(),
        })
    };
    let with = |((rows, p_of_same_effect), is_divided): ((Rows<'_>, Option<f64>), bool)| Segments {
        variation,
        rows: rows.into_iter().filter_map(|one| row(is_divided, one)).collect(),
        p_of_same_effect,
    };
    found.into_iter().zip(same).zip(is_divided).map(with).collect()
}
