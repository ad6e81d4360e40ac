//! What may be concluded from a bandit: epoch by epoch, since its weights followed its results.

use crate::adaptive::{Batch, Pair, anytime_effect, anytime_lift, contrast, slope, variance_left};
use crate::arm::{Adjusted, ArmSums};
use crate::covariate::{Measure, Paired};
use crate::definition::WHOLE_BP;
use crate::guardrail::{Guardrail, GuardrailReading, Unread};
use crate::interval::Alternative;
use crate::redraw::Epoch;
use crate::sample_ratio::{self, SampleRatio};
use crate::verdict::analysis::{check_looks, decide, finished};
use crate::verdict::compare::{Reader, adjusted, bonferroni, corrected, points_somewhere};
use crate::verdict::{
    Analysis, AnalysisError, BandPoint, Comparison, Look, Plan, Role, UNITS_PER_ARM_MIN, rails,
};

mod segments;

pub use segments::{segments_of_epochs, splits_of_epochs};

/// Analyses a bandit as it stands at `current`, over its epochs, the oldest first, the present one last.
///
/// Every unit counts in the epoch that assigned it, with the chance that its arm had then. Estimates are those of
/// [`crate::adaptive`], which hold at every look however the weights followed the results; pooled means, on which a fixed
/// split rests, would not; from the second epoch on they are adjusted by what units did before exposure. Metrics that are no number of each unit are not compared. The split is checked against each
/// epoch's own weights. The verdict is reached as by [`crate::analyze`].
///
/// # Errors
/// [`AnalysisError`], when an epoch does not fit the plan.
pub fn analyze_epochs(plan: &Plan, current: &Look, epochs: &[Epoch]) -> Result<Analysis, AnalysisError> {
    check_looks(plan, current, &[])?;
    for epoch in epochs {
        check_looks(plan, &Look { at_ms: current.at_ms, arms: epoch.arms.clone() }, &[])?;
    }
    let reader = Reader::of(plan, &[current], &[]);
    let sample_ratio = split_of(epochs);
    let mut comparisons: Vec<Comparison> = (1..plan.arms().len())
        .flat_map(|variation| {
            (0..plan.metrics().len())
                .map(move |metric| compare(plan, epochs, current.at_ms, variation, metric))
        })
        .collect();
    corrected(plan, &mut comparisons);
    let verdict = decide(plan, &reader, &sample_ratio, &comparisons);
    let mut analysis = finished(plan, current, verdict, sample_ratio, comparisons);
    // What was planned of each arm, over all epochs.
    let expected: f64 = analysis.sample_ratio.expected.iter().sum();
    if expected > 0.0 {
        let shares = analysis.arms.iter_mut().zip(&analysis.sample_ratio.expected);
        shares.for_each(|(arm, of_arm)| arm.weight = of_arm / expected);
    }
    Ok(analysis)
}

fn split_of(epochs: &[Epoch]) -> SampleRatio {
    let counted: Vec<(Vec<f64>, Vec<u64>)> = epochs
        .iter()
        .map(|epoch| {
            let weights = epoch.weights_bp.iter().map(|weight_bp| f64::from(*weight_bp)).collect();
            (weights, epoch.arms.iter().map(ArmSums::units).collect())
        })
        .collect();
    let epochs: Vec<sample_ratio::Epoch<'_>> = counted
        .iter()
        .map(|(weights, units)| sample_ratio::Epoch { weights, looks: vec![units.as_slice()] })
        .collect();
    SampleRatio::check_epochs(&epochs)
}

/// What the units of each epoch did on a metric; `None` where it is no number of each unit.
pub(super) fn batches(plan: &Plan, epochs: &[Epoch], metric: usize) -> Option<Vec<Batch>> {
    let planned = &plan.metrics()[metric].metric;
    let batch = |epoch: &Epoch| {
        let chance = |weight_bp: &u32| f64::from(*weight_bp) / f64::from(WHOLE_BP);
        let arms: Option<Vec<Paired>> = epoch
            .arms
            .iter()
            .map(|arm| Some(Paired::of_means(&arm.metric(metric).pairs(planned)?, [Measure::Mean; 2])))
            .collect();
        Some(Batch { chances: epoch.weights_bp.iter().map(chance).collect(), arms: arms? })
    };
    epochs.iter().map(batch).collect()
}

/// The sum of squares at which intervals are tightest: that of the planned units, as they spread in the first epoch, which is
/// the only one whose weights followed nothing, or in the first in which they do.
pub(super) fn planned_spread(plan: &Plan, batches: &[Batch], pair: Pair) -> Option<f64> {
    let is_met = |batch: &&Batch| batch.arms.iter().all(|arm| arm.outcome.units > 1);
    let of_batch = |batch: &Batch| {
        let theta = slope(std::slice::from_ref(batch));
        let of_score = |arm: usize| Some(batch.arms.get(arm)?.variance(1.0, theta) / batch.chances.get(arm)?);
        Some(planned_over_all(plan) * (of_score(pair.control)? + of_score(pair.treatment)?))
            .filter(|spread| *spread > 0.0)
    };
    // What nobody did at first, such as an error, is measured by the first epoch in which somebody does.
    batches.iter().filter(is_met).find_map(of_batch)
}

/// Says why nothing is told of a guardrail that is a number of each unit.
fn unread(guardrail: Guardrail, epochs: &[Epoch], variation: usize, metric: usize) -> GuardrailReading {
    let over_epochs = |arm: usize, of: fn(&ArmSums, usize) -> u64| -> u64 {
        epochs.iter().map(|epoch| epoch.arms.get(arm).map_or(0, |sums| of(sums, metric))).sum()
    };
    let least = [0, variation].map(|arm| over_epochs(arm, |sums, _| sums.units())).into_iter().min();
    if least.unwrap_or(0) < UNITS_PER_ARM_MIN {
        return GuardrailReading::unread(Unread::TooFewUnits);
    }
    let active: u64 =
        [0, variation].map(|arm| over_epochs(arm, |sums, metric| sums.metric(metric).active())).iter().sum();
    rails::of_no_spread(guardrail.better(), active == 0)
}

/// The planned units of two arms, over all arms.
pub(super) fn planned_over_all(plan: &Plan) -> f64 {
    plan.planned_units() as f64 * plan.arms().len() as f64 / 2.0
}

fn compare(plan: &Plan, epochs: &[Epoch], now_ms: i64, variation: usize, metric: usize) -> Comparison {
    let role = plan.metrics()[metric].role;
    let is_primary = role == Role::Primary;
    let pair = Pair { control: 0, treatment: variation };
    let known = batches(plan, epochs, metric);
    let (is_known, batches) = (known.is_some(), known.unwrap_or_default());
    let (spread, alpha) = (planned_spread(plan, &batches, pair), plan.alpha_per_comparison());
    let lift = spread.and_then(|spread| anytime_lift(&batches, pair, alpha, spread));
    let difference =
        spread.and_then(|spread| anytime_effect(&batches, pair, alpha, Alternative::TwoSided, spread));
    let guardrail = match role {
        Role::Guardrail(_) if !is_known => Some(GuardrailReading::unread(Unread::NotComparable)),
        Role::Guardrail(guardrail) => {
            let read = guardrail.read(alpha, |alternative, lift| {
                Some(contrast(&batches, pair, 1.0 + lift, alpha, alternative, spread?)?.p)
            });
            Some(read.unwrap_or_else(|| unread(guardrail, epochs, variation, metric)))
        }
        Role::Primary | Role::Secondary => None,
    };
    let variance_left = variance_left(&batches, pair);
    let own_p = difference.map(|difference| difference.p);
    let (lift, difference) = (lift.map(|e| adjusted(plan, e)), difference.map(|e| adjusted(plan, e)));
    let band = || {
        let point = |last: usize| {
            let so_far = &batches[..=last];
            let units =
                so_far.iter().flat_map(|batch| [0, variation].map(|arm| batch.arms[arm].outcome.units)).sum();
            let least = |arm: usize| so_far.iter().map(|batch| batch.arms[arm].outcome.units).sum::<u64>();
            let has_enough = least(0).min(least(variation)) >= UNITS_PER_ARM_MIN;
            let lift = anytime_lift(so_far, pair, alpha, spread?).filter(|_| has_enough)?;
            let at_ms = epochs[last].until_ms.unwrap_or(now_ms);
            Some(BandPoint { at_ms, units, lift: lift.value, lower: lift.lower, upper: lift.upper })
        };
        (0..batches.len()).filter_map(point).collect()
    };
    Comparison {
        variation,
        metric,
        is_primary,
        lift,
        difference,
        lift_at_fixed_horizon: None,
        belief: None,
        variance_left,
        adjusted_by: Adjusted { past: variance_left.is_some(), strata: false },
        adjusted_p: own_p.map(|p| if is_primary { bonferroni(plan, p) } else { p }),
        is_significant: is_primary && points_somewhere(lift, difference),
        guardrail,
        band: if is_primary { band() } else { vec![] },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guardrail::Standing;
    use crate::verdict::Verdict;
    use crate::{Experiment, Metric};
    use serde_json::json;

    fn plan() -> Plan {
        Plan::of(&guarded_by(&json!([{"metric": "pages", "margin_bp": 500}])), &metrics()).unwrap()
    }

    fn guarded_by(guardrails: &serde_json::Value) -> Experiment {
        let experiment = Experiment::parse_value(&json!({
            "schema_version": 1, "key": "e", "name": "E", "flag": "f", "status": "running",
            "primary_metric": "orders", "guardrails": guardrails,
            "bandit": {"every_hours": 24, "floor_bp": 500},
            "variations": [
                {"key": "a", "name": "Red", "weight_bp": 5000, "value": 0},
                {"key": "b", "name": "Blue", "weight_bp": 5000, "value": 1},
            ],
        }));
        experiment.unwrap()
    }

    fn metrics() -> Vec<Metric> {
        let metric = |key: &str, kind: &str| {
            let text = json!({"key": key, "measure": {"kind": kind, "event": {"type": key}}}).to_string();
            Metric::parse(&text).unwrap()
        };
        let slow = r#"{"key": "slow", "measure": {"kind": "ratio", "numerator": {"event": {"type": "a"}}, "denominator": {"event": {"type": "b"}}}}"#;
        vec![metric("orders", "proportion"), metric("pages", "count"), Metric::parse(slow).unwrap()]
    }

    /// Of each arm: units, orders, units that saw one page.
    fn epoch(until_ms: Option<i64>, weights_bp: [u32; 2], arms: [[u64; 3]; 2]) -> Epoch {
        let arm = |[units, orders, pages]: [u64; 3]| {
            let of = |count: u64| format!("{units} {count} {count} 0 0 {count} 0 0 0 0 0");
            ArmSums::parse(&format!("{units};{};{};{}", of(orders), of(pages), of(0))).unwrap()
        };
        Epoch { until_ms, weights_bp: weights_bp.to_vec(), arms: arms.map(arm).to_vec() }
    }

    fn analyze(epochs: &[Epoch]) -> Analysis {
        let mut arms = vec![ArmSums::new(3); 2];
        for epoch in epochs {
            arms.iter_mut().zip(&epoch.arms).for_each(|(whole, arm)| whole.merge(arm));
        }
        analyze_epochs(&plan(), &Look { at_ms: 9, arms }, epochs).unwrap()
    }

    /// Both arms convert alike, 10 % in the first epoch and 20 % in the second, in which nearly all see Blue.
    fn drifting(extra: u64) -> [Epoch; 2] {
        [
            epoch(Some(5), [5_000, 5_000], [[5_000, 500, 2_500], [5_000, 500 + extra, 2_500]]),
            epoch(None, [1_000, 9_000], [[1_000, 200, 500], [9_000, 1_800 + extra, 4_500]]),
        ]
    }

    #[test]
    fn a_level_that_drifts_with_the_weights_is_no_difference() {
        let analysis = analyze(&drifting(0));
        let [red, blue] = [0, 1].map(|arm| analysis.arms[arm].values[0].value.unwrap());
        assert!(blue / red > 1.4, "pooled means are fooled: {red} and {blue}");
        let comparison = analysis.comparison(1, 0).unwrap();
        let (lift, difference) = (comparison.lift.unwrap(), comparison.difference.unwrap());
        assert!(lift.value.abs() < 0.01 && difference.value.abs() < 0.001, "{lift:?} {difference:?}");
        assert!(lift.lower < 0.0 && lift.upper > 0.0 && !comparison.is_significant);
        assert_eq!(analysis.verdict, Verdict::NoDifferenceYet, "{}", analysis.sentence);
        assert_eq!(comparison.band.iter().map(|point| point.at_ms).collect::<Vec<_>>(), [5, 9]);
        assert_eq!(analysis.sample_ratio.expected, [6_000.0, 14_000.0]);
        assert_eq!((analysis.arms[0].weight, analysis.sample_ratio.is_mismatch), (0.3, false));
        assert_eq!(analysis.comparison(1, 2).unwrap().lift, None, "a ratio is no number of each unit");
    }

    #[test]
    fn a_difference_in_every_epoch_is_found_and_a_guardrail_watched() {
        let analysis = analyze(&drifting(500));
        assert_eq!(analysis.verdict, Verdict::Better { variation: 1 }, "{}", analysis.sentence);
        let guardrail = analysis.comparison(1, 1).unwrap().guardrail.unwrap();
        assert_eq!(guardrail.standing, Standing::Unclear, "one arm in ten is too little for 5 %");
        let mut harmed = drifting(0);
        harmed[0] = epoch(Some(5), [5_000, 5_000], [[5_000, 500, 4_000], [5_000, 500, 2_000]]);
        let analysis = analyze(&harmed);
        assert_eq!(analysis.verdict, Verdict::Harms { variation: 1, metric: 1 });
    }

    #[test]
    fn a_guardrail_that_no_bandit_can_read_is_told() {
        let slow = json!([{"metric": "slow", "margin_bp": 500}]);
        let guarded = Plan::of(&guarded_by(&slow), &metrics()).unwrap();
        let [first, second] = drifting(500);
        let arms = vec![ArmSums::new(3); 2];
        let found = analyze_epochs(&guarded, &Look { at_ms: 9, arms }, &[first, second]).unwrap();
        let reading = found.comparison(1, 2).unwrap().guardrail.unwrap();
        assert_eq!(reading.unread, Some(Unread::NotComparable));
        // A number of each unit is read from the first epoch on in which anybody does it.
        let quiet = epoch(Some(5), [5_000, 5_000], [[5_000, 500, 0], [5_000, 500, 0]]);
        let after = epoch(None, [5_000, 5_000], [[5_000, 500, 4_000], [5_000, 500, 0]]);
        assert_eq!(analyze(&[quiet.clone(), after]).verdict, Verdict::Harms { variation: 1, metric: 1 });
        let unread = |epochs: &[Epoch]| analyze(epochs).comparison(1, 1).unwrap().guardrail.unwrap().unread;
        assert_eq!(unread(&[quiet]), Some(Unread::NoSpread));
        assert_eq!(unread(&[epoch(None, [5_000, 5_000], [[100, 10, 0]; 2])]), Some(Unread::TooFewUnits));
    }

    #[test]
    fn no_weights_are_drawn_by_numbers_that_are_wrong_or_harmful() {
        use crate::redraw::{Stay, halted};
        assert_eq!(halted(&analyze(&drifting(500))), None);
        let mut harmed = drifting(500);
        harmed[0] = epoch(Some(5), [5_000, 5_000], [[5_000, 500, 4_000], [5_000, 1_000, 2_000]]);
        let analysis = analyze(&harmed);
        assert_eq!(analysis.verdict, Verdict::Better { variation: 1 }, "the draw would favour it");
        assert_eq!(halted(&analysis), Some(Stay::Harms { name: "Blue".into(), metric: "pages".into() }));
        let mut lost = drifting(500);
        lost[1] = epoch(None, [1_000, 9_000], [[5_000, 1_000, 0], [5_000, 1_000, 0]]);
        assert_eq!(halted(&analyze(&lost)), Some(Stay::WrongSplit));
    }

    /// By hand: of 5,000 units an arm and epoch a tenth orders, a tenth had ordered before, and six of a hundred both, so that ρ² =
    /// (0.05/0.09)². The first epoch's scores are ±2Y with squares of 0.4 a unit; the second's have 0.36, of which 1 − ρ² is left.
    #[test]
    fn earlier_orders_take_noise_out_of_all_epochs_but_the_first() {
        let epoch = |until_ms| {
            let row = "5000 500 500 0 500 500 0 300 0 0 500";
            let arm = || ArmSums::parse(&format!("5000;{row};{row};{row}")).unwrap();
            Epoch { until_ms, weights_bp: vec![5_000, 5_000], arms: vec![arm(), arm()] }
        };
        let first = analyze(&[epoch(None)]);
        let comparison = first.comparison(1, 0).unwrap();
        assert_eq!((comparison.variance_left, comparison.adjusted_by.past), (None, false));
        let both = analyze(&[epoch(Some(5)), epoch(None)]);
        let comparison = both.comparison(1, 0).unwrap();
        let left = (0.4 + 0.36 * (1.0 - (5.0_f64 / 9.0).powi(2))) / (0.4 + 0.36);
        assert!((comparison.variance_left.unwrap() - left).abs() < 1e-4 && comparison.adjusted_by.past);
        let plain = analyze(&[
            self::epoch(Some(5), [5_000, 5_000], [[5_000, 500, 500]; 2]),
            self::epoch(None, [5_000, 5_000], [[5_000, 500, 500]; 2]),
        ]);
        let width = |analysis: &Analysis| {
            let difference = analysis.comparison(1, 0).unwrap().difference.unwrap();
            difference.upper - difference.lower
        };
        assert!(width(&both) < 0.94 * width(&plain), "{} and {}", width(&both), width(&plain));
    }

    #[test]
    fn a_split_is_wrong_against_its_own_epoch() {
        let mut epochs = drifting(0);
        epochs[1] = epoch(None, [1_000, 9_000], [[5_000, 1_000, 0], [5_000, 1_000, 0]]);
        let analysis = analyze(&epochs);
        assert!(matches!(analysis.verdict, Verdict::SampleRatioMismatch { .. }));
    }

    #[test]
    fn an_epoch_that_nobody_met_yet_changes_nothing() {
        let [first, second] = drifting(500);
        let third = epoch(None, [500, 9_500], [[0, 0, 0], [0, 0, 0]]);
        let with = analyze(&[first.clone(), second.clone(), third]);
        let without = analyze(&[first, second]);
        assert_eq!(with.comparisons[0].lift, without.comparisons[0].lift);
        let none = analyze(&[epoch(None, [5_000, 5_000], [[0; 3]; 2])]);
        assert!(matches!(none.verdict, Verdict::TooFew { .. }));
    }
}
