//! Which variation a unit gets by hash.

use crate::definition::{Experiment, Status, WHOLE_BP};
use crate::hash::{BucketRange, HashVersion, bucket, bucket_ranges, choose_variation};

/// Says where an experiment placed a unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assignment {
    /// Index of the variation; the control (0) for a unit that is not in the experiment.
    pub variation: usize,
    /// Whether the unit takes part, and so gets the variation's value.
    pub in_experiment: bool,
    /// Whether the hash decided. Only then may the unit be exposed and counted: a forced one was not
    /// randomised.
    pub hash_used: bool,
    /// Where the unit's hash falls, at or above 0 and below 1; `None` where it was not needed.
    pub bucket: Option<f64>,
}

impl Assignment {
    const fn out(bucket: Option<f64>) -> Assignment {
        Assignment { variation: 0, in_experiment: false, hash_used: false, bucket }
    }
}

/// Places a unit by hash: a pure function of the definition and the unit, the same on every node and in every
/// SDK.
///
/// Only a running experiment assigns: drafts, paused and stopped ones leave the flag as it would be without them.
/// Units outside its part of a layer are left out. What else may leave a unit out (its condition, prerequisites, a holdout) depends on
/// more than the unit, and is asked where the definition is evaluated ([`crate::growthbook::export`]); it never changes the variation.
/// Nor is an empty unit assigned, which GrowthBook takes for a missing one. The hash is GrowthBook's version 2 under the experiment's seed.
///
/// ```
/// # use experiments::Experiment;
/// let running = Experiment::parse(r#"{
///   "schema_version": 1, "key": "checkout", "name": "Checkout", "flag": "checkout_workflow", "status": "running",
///   "variations": [
///     {"key": "classic", "weight_bp": 6000, "value": "classic"}, {"key": "express", "weight_bp": 4000, "value": "express"}
///   ]
/// }"#)?;
/// let placed = experiments::assign(&running, "user-1");
/// assert_eq!((placed.bucket, placed.variation, placed.hash_used), (Some(0.7893), 1, true));
/// assert_eq!(experiments::assign(&running, "user-2").variation, 0); // at 0.5609, below 0.6
/// # Ok::<(), experiments::DefinitionError>(())
/// ```
pub fn assign(experiment: &Experiment, unit: &str) -> Assignment {
    if experiment.status() != Status::Running || unit.is_empty() {
        return Assignment::out(None);
    }
    if experiment.targeting().layer.as_ref().is_some_and(|layer| !layer.holds(unit)) {
        return Assignment::out(None);
    }
    let place = bucket(experiment.seed(), unit, HashVersion::V2);
    match choose_variation(place, &ranges(experiment)) {
        Some(variation) => {
            Assignment { variation, in_experiment: true, hash_used: true, bucket: Some(place) }
        }
        None => Assignment::out(Some(place)),
    }
}

/// Places a unit where somebody asked to see it, for a look at an experiment that is not over; never to be counted.
///
/// `None` when the experiment is over or has no such variation.
pub fn force(experiment: &Experiment, variation: usize) -> Option<Assignment> {
    let may_be_seen = !experiment.status().is_over();
    (may_be_seen && variation < experiment.variations().len()).then_some(Assignment {
        variation,
        in_experiment: true,
        hash_used: false,
        bucket: None,
    })
}

/// Returns the range of buckets of each variation.
pub fn ranges(experiment: &Experiment) -> Vec<BucketRange> {
    ranges_in(experiment, usize::MAX)
}

/// The same in an epoch of a bandit, under the present coverage.
fn ranges_in(experiment: &Experiment, epoch: usize) -> Vec<BucketRange> {
    let share = |bp: u32| f64::from(bp) / f64::from(WHOLE_BP);
    let weights: Vec<f64> = experiment.weights_bp(epoch).into_iter().map(share).collect();
    bucket_ranges(weights.len(), share(experiment.coverage_bp()), Some(&weights))
}

/// Holds the draw of a bandit's weights that gave a unit its variation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn {
    /// The epoch, from 0.
    pub epoch: usize,
    /// The chance that the variation had in it, in basis points.
    pub chance_bp: u32,
}

/// Returns under which weights of a running bandit a unit gets a variation: those of the epoch that is named, or else of the
/// newest that gives it. `None` of what is no bandit, and where none gives it.
pub fn drawn(experiment: &Experiment, unit: &str, variation: usize, epoch: Option<usize>) -> Option<Drawn> {
    let newest = experiment.draws().filter(|_| experiment.status() == Status::Running)?.epoch();
    let place = bucket(experiment.seed(), unit, HashVersion::V2);
    let gives = |epoch: &usize| choose_variation(place, &ranges_in(experiment, *epoch)) == Some(variation);
    let mut epochs = (0..=newest).rev().filter(|at| epoch.is_none_or(|named| named == *at));
    let epoch = epochs.find(gives).filter(|_| !unit.is_empty())?;
    Some(Drawn { epoch, chance_bp: *experiment.weights_bp(epoch).get(variation)? })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::growthbook::{Evaluator, Payload, User, export};
    use crate::json::Json;
    use crate::lifecycle::Move;
    use serde_json::{Value, json};

    /// What a flag answers to a unit of which nothing else is known, and the experiment and variation that count it.
    pub(crate) fn answered(
        experiments: &[Experiment],
        flag: &str,
        unit: &str,
    ) -> Option<(Value, Option<(String, usize)>)> {
        let payload = Payload::compile(export::payload(experiments, "").into()).unwrap();
        let attributes = Json::try_from(&json!({"id": unit})).unwrap();
        let answer = Evaluator::new(&payload, User::new(&attributes)).evaluate(flag);
        let counted =
            answer.experiment.map(|(view, result)| (view.experiment.key().to_owned(), result.variation));
        Some((answer.value.to_value(), counted)).filter(|(value, _)| !value.is_null())
    }

    fn experiment(key: &str, coverage_bp: u32, weights_bp: &[u32]) -> Experiment {
        let variations: Vec<_> = weights_bp
            .iter()
            .enumerate()
            .map(|(i, weight)| json!({"key": format!("v{i}"), "weight_bp": weight, "value": format!("{key}:{i}")}))
            .collect();
        Experiment::parse_value(&json!({
            "schema_version": 1, "key": key, "name": key, "flag": "f", "status": "running",
            "coverage_bp": coverage_bp, "variations": variations,
        }))
        .unwrap()
    }

    fn units() -> impl Iterator<Item = String> {
        (0..20_000).map(|i| format!("visitor-{i}"))
    }

    #[test]
    fn shares_follow_weights_and_coverage() {
        let experiment = experiment("shares", 5_000, &[2_000, 3_000, 5_000]);
        let mut counts = [0_u32; 3];
        let mut out = 0_u32;
        for unit in units() {
            let placed = assign(&experiment, &unit);
            if placed.in_experiment { counts[placed.variation] += 1 } else { out += 1 }
        }
        // 4 standard deviations of a binomial of 20,000 are at most 283.
        for (count, expected) in counts.into_iter().chain([out]).zip([2_000_u32, 3_000, 5_000, 10_000]) {
            assert!(count.abs_diff(expected) < 283, "{counts:?} {out}");
        }
    }

    #[test]
    fn raising_coverage_moves_nobody() {
        let (narrow, wide) =
            (experiment("c", 1_000, &[5_000, 5_000]), experiment("c", 9_000, &[5_000, 5_000]));
        let mut moved = units().filter(|unit| {
            let before = assign(&narrow, unit);
            before.in_experiment && before != assign(&wide, unit)
        });
        assert_eq!(moved.next(), None);
    }

    #[test]
    fn experiments_with_other_seeds_split_independently() {
        let (one, two) =
            (experiment("one", 10_000, &[5_000, 5_000]), experiment("two", 10_000, &[5_000, 5_000]));
        let both =
            units().filter(|u| assign(&one, u).variation == 1 && assign(&two, u).variation == 1).count();
        assert!(both.abs_diff(5_000) < 245, "{both} of 20,000 in both treatments"); // 4 standard deviations
    }

    #[test]
    fn only_running_experiments_assign() {
        let running = experiment("e", 10_000, &[5_000, 5_000]);
        let paused = running.clone().moved(Move::Pause).unwrap();
        let stopped = running.clone().moved(Move::Stop).unwrap();
        let archived = stopped.clone().moved(Move::Archive).unwrap();
        let mut draft = running.to_value();
        draft["status"] = json!("draft");
        let draft = Experiment::parse_value(&draft).unwrap();
        for (experiment, unit) in
            [(&draft, "u"), (&paused, "u"), (&stopped, "u"), (&archived, "u"), (&running, "")]
        {
            assert_eq!(assign(experiment, unit), Assignment::out(None));
        }
        let resumed = paused.clone().moved(Move::Resume).unwrap();
        assert_eq!(assign(&resumed, "u"), assign(&running, "u"), "who comes back meets the same variation");
        assert!(assign(&running, "u").hash_used);
        assert!(force(&draft, 1).is_some_and(|a| a.in_experiment && !a.hash_used && a.variation == 1));
        assert!(force(&paused, 1).is_some());
        assert_eq!((force(&stopped, 1), force(&archived, 1)), (None, None));
        assert_eq!(force(&running, 2), None);
    }

    #[test]
    fn a_flag_is_answered_by_the_first_experiment_that_includes_the_unit() {
        let narrow = experiment("narrow", 1_000, &[5_000, 5_000]);
        let rest = experiment("rest", 10_000, &[5_000, 5_000]);
        let list = [narrow.clone(), rest];
        let mut by_narrow = 0;
        for unit in units() {
            let (_, counted) = answered(&list, "f", &unit).unwrap();
            let is_in_narrow = assign(&narrow, &unit).in_experiment;
            assert_eq!(counted.unwrap().0 == "narrow", is_in_narrow);
            by_narrow += usize::from(is_in_narrow);
        }
        assert!(by_narrow.abs_diff(2_000) < 170);
        assert_eq!(answered(&list, "other", "u"), None);
    }
}
