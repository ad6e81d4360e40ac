//! The beat of a bandit: epochs in which weights stand, and the draw that ends one.

use crate::arm::ArmSums;
use crate::bandit::{self, BanditError, PeriodError, over_periods};
use crate::definition::{EPOCHS_MAX, Experiment, Status, WHOLE_BP};
use crate::guardrail::Standing;
use crate::metric::{Measure, Metric};
use crate::sums::Sums;
use crate::verdict::{Analysis, Comparison};

/// Fewest units of every arm in an epoch before it ends: its mean is a part of every mean from then on.
pub const EPOCH_UNITS_MIN: u64 = 30;
const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Holds what the units did that were assigned in one epoch of a bandit.
#[derive(Debug, Clone, PartialEq)]
pub struct Epoch {
    /// When it ended, Unix milliseconds UTC; `None` of the present one.
    pub until_ms: Option<i64>,
    /// The weight of each variation, in basis points.
    pub weights_bp: Vec<u32>,
    /// The sums of each variation.
    pub arms: Vec<ArmSums>,
}

/// Says why weights stay as they are.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Stay {
    /// It does not run, or is no bandit.
    #[error("experiment is no running bandit")]
    NoBandit,
    /// The deciding metric is not a number of each unit.
    #[error("metric `{metric}` is no mean over units: a bandit is judged by a proportion, a mean or a count")]
    Metric {
        /// Its key.
        metric: String,
    },
    /// The split is wrong, so that nothing that weights would follow can be trusted.
    #[error("the split is not as planned, so that the numbers cannot be trusted")]
    WrongSplit,
    /// A variation harms a guardrail, whose visitors would become more.
    #[error("{name} harms {metric}, which was not to get worse")]
    Harms {
        /// The variation's name.
        name: String,
        /// The guardrail's metric, as it stands in sentences.
        metric: String,
    },
    /// There are too many epochs.
    #[error("there have been {EPOCHS_MAX} epochs, the most: the weights stay until the end")]
    TooManyEpochs,
    /// An arm has too few units in the present epoch.
    #[error("{name} has {units} units since the last draw, the fewest is {EPOCH_UNITS_MIN}")]
    ShortEpoch {
        /// The variation's name.
        name: String,
        /// Its units.
        units: u64,
    },
    /// The epochs cannot be put together.
    #[error(transparent)]
    Periods(#[from] PeriodError),
    /// The arms allow no weights.
    #[error(transparent)]
    Bandit(#[from] BanditError),
}

impl Experiment {
    /// Returns when weights are drawn again, of a running bandit whose present epoch began at a moment, Unix milliseconds UTC.
    pub fn draw_due_at_ms(&self, since_ms: i64) -> Option<i64> {
        let draws = self.draws().filter(|draws| draws.epoch() + 1 < EPOCHS_MAX)?;
        let is_running = self.status() == Status::Running;
        is_running.then(|| since_ms.saturating_add(i64::from(draws.every_hours) * HOUR_MS))
    }

    /// Returns the experiment in its next epoch, with the weights that the epochs so far earn; the last of them is the present
    /// one.
    ///
    /// Each arm's mean is taken over epochs that weigh alike for all arms ([`over_periods`]).
    ///
    /// # Errors
    /// [`Stay`]; the weights then stay, and the epoch goes on.
    pub fn redrawn(&self, metric: &Metric, epochs: &[Epoch], now_ms: i64) -> Result<Experiment, Stay> {
        let draws = self.draws().filter(|_| self.status() == Status::Running).ok_or(Stay::NoBandit)?;
        if draws.epoch() + 1 >= EPOCHS_MAX {
            return Err(Stay::TooManyEpochs);
        }
        let present = epochs.last().ok_or(Stay::NoBandit)?;
        let mut arms = present.arms.iter().zip(self.variations());
        if let Some((arm, variation)) = arms.find(|(arm, _)| arm.units() < EPOCH_UNITS_MIN) {
            return Err(Stay::ShortEpoch { name: variation.name().to_owned(), units: arm.units() });
        }
        let numbers = |epoch: &Epoch| -> Option<Vec<Sums<1>>> {
            epoch.arms.iter().map(|arm| arm.metric(0).numbers(metric)).collect()
        };
        let periods: Option<Vec<Vec<Sums<1>>>> = epochs.iter().map(numbers).collect();
        let periods = periods.ok_or_else(|| Stay::Metric { metric: metric.key().to_owned() })?;
        let means = over_periods(&periods)?;
        let floor = f64::from(draws.floor_bp) / f64::from(WHOLE_BP);
        let weights = bandit::weights(&means, draws.policy, floor, metric.better())?;
        Ok(self.clone().with_next_epoch(&in_basis_points(&weights, draws.floor_bp), now_ms))
    }
}

/// Returns why weights stay whatever the numbers earn: where these cannot be trusted, or a variation does harm.
///
/// A bandit sends visitors to what the deciding metric likes. It must not do so by numbers of a wrong split, nor while a
/// variation breaks what was not to get worse: then somebody has to look, and stop it or mend it.
pub fn halted(analysis: &Analysis) -> Option<Stay> {
    if analysis.sample_ratio.is_mismatch {
        return Some(Stay::WrongSplit);
    }
    let is_harmed =
        |one: &&Comparison| one.guardrail.is_some_and(|reading| reading.standing == Standing::Harmed);
    let harmed = analysis.comparisons.iter().find(is_harmed)?;
    let (arm, metric) = (analysis.arms.get(harmed.variation)?, analysis.metrics.get(harmed.metric)?);
    Some(Stay::Harms { name: arm.name.clone(), metric: metric.phrase.clone() })
}

/// Reports whether a bandit may be judged by a metric: one that is a number of each unit, complete once it is counted.
pub fn may_decide(metric: &Metric) -> bool {
    matches!(metric.measure(), Measure::Proportion { .. } | Measure::Count { .. } | Measure::Mean { .. })
}

/// Rounds weights that sum to 1 so that they sum to the whole, none below the floor: what is left goes to those that lose most.
fn in_basis_points(weights: &[f64], floor_bp: u32) -> Vec<u32> {
    let exact = |weight: &f64| weight * f64::from(WHOLE_BP);
    let mut rounded: Vec<u32> =
        weights.iter().map(|weight| (exact(weight).floor() as u32).max(floor_bp)).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|one, other| {
        let lost = |arm: usize| exact(&weights[arm]) - f64::from(rounded[arm]);
        lost(*other).total_cmp(&lost(*one))
    });
    let sum: u32 = rounded.iter().sum();
    let count = rounded.len().max(1);
    for step in 0..WHOLE_BP.saturating_sub(sum) as usize {
        rounded[order[step % count]] += 1;
    }
    // A floor that floating point missed by a hair is taken from the largest.
    for _ in 0..sum.saturating_sub(WHOLE_BP) {
        if let Some(largest) = rounded.iter_mut().max() {
            *largest -= 1;
        }
    }
    rounded
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::assign::{assign, drawn};
    use crate::lifecycle::ChangeError;

    fn written(draws: Value) -> Value {
        json!({
            "schema_version": 1, "key": "e", "name": "E", "flag": "f", "status": "running", "hypothesis": "More.",
            "owner": "ann", "planned_days": 14, "bandit": draws,
            "variations": [
                {"key": "a", "weight_bp": 3334, "value": 0}, {"key": "b", "weight_bp": 3333, "value": 1},
                {"key": "c", "weight_bp": 3333, "value": 2},
            ],
        })
    }

    fn bandit() -> Experiment {
        Experiment::parse_value(&written(json!({"every_hours": 24, "floor_bp": 500}))).unwrap()
    }

    fn metric() -> Metric {
        Metric::parse(r#"{"key": "orders", "measure": {"kind": "proportion", "event": {"type": "orders"}}}"#)
            .unwrap()
    }

    fn epoch(weights_bp: Vec<u32>, arms: &[(u64, u64)]) -> Epoch {
        let arm = |&(units, orders): &(u64, u64)| {
            ArmSums::parse(&format!("{units};{units} {orders} {orders} 0 0 {orders} 0 0 0 0 0")).unwrap()
        };
        Epoch { until_ms: None, weights_bp, arms: arms.iter().map(arm).collect() }
    }

    #[test]
    fn weights_follow_the_results_and_keep_the_floor() {
        let first = epoch(bandit().weights_bp(0), &[(1000, 100), (1000, 160), (1000, 110)]);
        let next = bandit().redrawn(&metric(), std::slice::from_ref(&first), 7).unwrap();
        let weights = next.weights_bp(1);
        assert_eq!(weights.iter().sum::<u32>(), WHOLE_BP);
        assert!(weights[1] > 8_900 && weights[0] >= 500 && weights[2] >= 500, "{weights:?}");
        assert_eq!((next.weights_bp(0), next.draws().unwrap().epoch()), (bandit().weights_bp(0), 1));
        assert_eq!(
            Experiment::parse_value(&next.to_value()).as_ref(),
            Ok(&next),
            "it is kept as it is written"
        );

        // A better day of all, on which the favourite was shown most: no arm is thought better for it.
        let even = epoch(bandit().weights_bp(0), &[(1000, 100), (1000, 100), (1000, 100)]);
        let rich = epoch(weights, &[(500, 100), (9_000, 1_800), (500, 100)]);
        let after = next.redrawn(&metric(), &[even, rich], 8).unwrap().weights_bp(2);
        assert!(after.iter().all(|weight| (2_000..4_700).contains(weight)), "{after:?}");
    }

    #[test]
    fn weights_stay_where_too_little_is_known() {
        let of = |arms: &[(u64, u64)]| {
            let epoch = epoch(bandit().weights_bp(0), arms);
            bandit().redrawn(&metric(), &[epoch], 7).map(|_| ()).unwrap_err().to_string()
        };
        assert_eq!(
            of(&[(200, 20), (29, 2), (200, 20)]),
            "b has 29 units since the last draw, the fewest is 30"
        );
        assert_eq!(of(&[(200, 20), (99, 2), (200, 20)]), "arm 1 has 99 units, the fewest is 100");
        assert_eq!(of(&[(200, 20), (200, 0), (200, 20)]), "arm 1 has no spread");
        let paused = bandit().moved(crate::lifecycle::Move::Pause).unwrap();
        let known = epoch(bandit().weights_bp(0), &[(200, 20); 3]);
        assert_eq!(paused.redrawn(&metric(), std::slice::from_ref(&known), 7), Err(Stay::NoBandit));
        assert_eq!((bandit().draw_due_at_ms(5), paused.draw_due_at_ms(5)), (Some(24 * HOUR_MS + 5), None));
        let quantile = r#"{"key": "t", "measure": {"kind": "quantile", "event": {"type": "t"}, "property": "v", "level_bp": 9000}}"#;
        let quantile = Metric::parse(quantile).unwrap();
        assert!(!may_decide(&quantile) && may_decide(&metric()));
        assert!(matches!(bandit().redrawn(&quantile, &[known], 7), Err(Stay::Metric { .. })));
    }

    #[test]
    fn shares_are_rounded_to_the_whole_and_the_floor() {
        for (weights, floor_bp) in [
            (vec![1.0 / 3.0; 3], 500),
            (vec![0.05, 0.05, 0.9], 500),
            (vec![0.049_999_999, 0.049_999_999, 0.900_000_002], 500),
            (vec![0.1; 10], 1_000),
            (vec![0.123_456, 0.876_544], 100),
        ] {
            let rounded = in_basis_points(&weights, floor_bp);
            assert_eq!(rounded.iter().sum::<u32>(), WHOLE_BP, "{weights:?}");
            assert!(rounded.iter().all(|weight| *weight >= floor_bp), "{rounded:?}");
            let near = |(weight, bp): (&f64, &u32)| (weight * 10_000.0 - f64::from(*bp)).abs() <= 1.01;
            assert!(weights.iter().zip(&rounded).all(near), "{rounded:?}");
        }
    }

    #[test]
    fn a_unit_is_known_by_the_draw_that_placed_it() {
        let known = epoch(bandit().weights_bp(0), &[(1000, 100), (1000, 160), (1000, 110)]);
        let next = bandit().redrawn(&metric(), &[known], 7).unwrap();
        let (mut moved, mut stayed) = (0, 0);
        for unit in (0..2_000).map(|n| format!("u{n}")) {
            let (before, after) = (assign(&bandit(), &unit).variation, assign(&next, &unit).variation);
            let now = drawn(&next, &unit, after, None).unwrap();
            assert_eq!((now.epoch, now.chance_bp), (1, next.weights_bp(1)[after]));
            let then = drawn(&next, &unit, before, Some(0)).unwrap();
            assert_eq!((then.epoch, then.chance_bp), (0, bandit().weights_bp(0)[before]));
            if before == after {
                stayed += 1;
            } else {
                moved += 1;
                assert_eq!(drawn(&next, &unit, before, None).map(|drawn| drawn.epoch), Some(0));
                assert_eq!(drawn(&next, &unit, before, Some(1)), None);
            }
        }
        assert!(moved > 300 && stayed > 300);
        assert_eq!(drawn(&bandit(), "", 0, None), None);
        let plain = Experiment::parse_value(&{
            let mut value = written(Value::Null);
            value.as_object_mut().unwrap().remove("bandit");
            value
        });
        assert_eq!(drawn(&plain.unwrap(), "u", 0, None), None);
    }

    #[test]
    fn settings_that_do_not_fit_are_refused() {
        for (draws, why) in [
            (
                json!({"every_hours": 0, "floor_bp": 500}),
                "bandit draws weights again every 0 hours: choose from 1 to 168",
            ),
            (
                json!({"every_hours": 1, "floor_bp": 99}),
                "bandit keeps 99 basis points for each variation: choose from 100 to 3333",
            ),
            (
                json!({"every_hours": 1, "floor_bp": 3_334}),
                "bandit keeps 3334 basis points for each variation: choose from 100",
            ),
            (
                json!({"every_hours": 1, "floor_bp": 500, "past": [{"until_ms": 1, "weights_bp": [5_000, 5_000]}]}),
                "bandit has in epoch 0 weights that are not one above 0 for each variation",
            ),
        ] {
            let error = Experiment::parse_value(&written(draws)).unwrap_err().to_string();
            assert!(error.starts_with(why), "{error}");
        }
        let mut fixed = written(json!({"every_hours": 1, "floor_bp": 500}));
        fixed["method"] = json!({"kind": "fixed_horizon"});
        let error = Experiment::parse_value(&fixed).unwrap_err().to_string();
        assert!(error.starts_with("bandit is read at any time"), "{error}");
    }

    #[test]
    fn a_form_of_before_a_draw_changes_no_weights() {
        let known = epoch(bandit().weights_bp(0), &[(1000, 100), (1000, 160), (1000, 110)]);
        let next = bandit().redrawn(&metric(), &[known], 7).unwrap();
        let mut form = bandit().to_value();
        form["name"] = json!("Renamed");
        let saved = next.clone().revised(Experiment::parse_value(&form).unwrap()).unwrap();
        assert_eq!(
            (saved.name(), saved.weights_bp(9), saved.draws()),
            ("Renamed", next.weights_bp(9), next.draws())
        );
        form["bandit"]["policy"] = json!("top_two");
        let refused = next.revised(Experiment::parse_value(&form).unwrap());
        assert_eq!(refused, Err(ChangeError::Frozen { field: "bandit" }));
    }
}
