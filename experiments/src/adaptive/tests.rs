use super::*;
use crate::bandit::{Policy, over_periods, weights};
use crate::bayes::Better;
use crate::covariate::Measure;
use crate::dice::Dice;
use crate::statistic::Statistic;
use crate::sums::Sums;
use proptest::prelude::*;

const PAIR: Pair = Pair { control: 0, treatment: 1 };

fn arm(units: u64, mean: f64, variance: f64) -> Paired {
    Statistic { units, mean, variance }.into()
}

/// One batch of equal arms is the t-test with pooled variance, and about the plain difference by either scores.
#[test]
fn one_batch_is_a_plain_comparison() {
    let batch = Batch { chances: vec![0.5, 0.5], arms: vec![arm(500, 1.0, 4.0), arm(500, 1.5, 4.0)] };
    let effect = batched_effect(std::slice::from_ref(&batch), PAIR).unwrap();
    assert!((effect.value - 0.5).abs() < 1e-15);
    assert!((effect.standard_error - (8.0_f64 / 500.0).sqrt()).abs() < 1e-15);
    let many = vec![batch; 50];
    let weighted = weighted_effect(&many, PAIR).unwrap();
    assert!((weighted.value - 0.5).abs() < 1e-12, "{}", weighted.value);
    let plain = (8.0_f64 / 25_000.0).sqrt();
    assert!((weighted.standard_error / plain - 1.0).abs() < 0.05, "{}", weighted.standard_error / plain);
    let anytime = anytime_effect(&many, PAIR, 0.05, Alternative::TwoSided, 50_000.0 * 16.0).unwrap();
    assert!((anytime.value - 0.5).abs() < 1e-12 && anytime.lower < 0.5 && 0.5 < anytime.upper);
    assert!((anytime.standard_error / plain - 1.0).abs() < 0.05);
}

#[test]
fn batches_that_make_no_sense_are_none() {
    let batch = |chances: &[f64], arms: &[Paired]| Batch { chances: chances.to_vec(), arms: arms.to_vec() };
    let fine = [arm(50, 1.0, 4.0), arm(50, 1.0, 4.0)];
    let anytime =
        |batches: &[Batch], spread| anytime_effect(batches, PAIR, 0.05, Alternative::TwoSided, spread);
    assert!(anytime(&[batch(&[0.5, 0.5], &fine)], 100.0).is_some());
    assert!(anytime(&[batch(&[0.5, 0.5], &fine)], 0.0).is_none());
    for odd in [
        batch(&[0.0, 1.0], &fine),
        batch(&[f64::NAN, 0.5], &fine),
        batch(&[0.5], &fine),
        batch(&[0.5, 0.5], &[]),
    ] {
        assert!(weighted_effect(std::slice::from_ref(&odd), PAIR).is_none());
        assert!(anytime(&[odd], 100.0).is_none());
    }
    assert!(batched_effect(&[], PAIR).is_none() && weighted_effect(&[], PAIR).is_none());
    let empty = [arm(0, 0.0, 0.0), arm(50, 1.0, 4.0)];
    assert!(batched_effect(&[batch(&[0.5, 0.5], &empty)], PAIR).is_none());
    let still = [arm(50, 1.0, 0.0), arm(50, 1.0, 0.0)];
    assert!(batched_effect(&[batch(&[0.5, 0.5], &still)], PAIR).is_none());
}

proptest! {
    #[test]
    fn answers_are_numbers_or_none(
        batches in proptest::collection::vec(
            (0.0..=1.0_f64, 0_u64..50, -9.0..9.0_f64, 0.0..9.0_f64, 0_u64..50, -9.0..9.0_f64, 0.0..9.0_f64), 0..6,
        ),
    ) {
        let batches: Vec<Batch> = batches
            .into_iter()
            .map(|(e, n0, m0, v0, n1, m1, v1)| Batch {
                chances: vec![1.0 - e, e], arms: vec![arm(n0, m0, v0), arm(n1, m1, v1)],
            })
            .collect();
        let effects = [batched_effect(&batches, PAIR), weighted_effect(&batches, PAIR)];
        for effect in effects.into_iter().flatten() {
            prop_assert!(effect.value.is_finite() && effect.standard_error > 0.0);
        }
        if let Some(estimate) = anytime_effect(&batches, PAIR, 0.05, Alternative::TwoSided, 1000.0) {
            prop_assert!(estimate.lower.is_finite() && estimate.lower < estimate.upper);
        }
    }
}

/// A unit: its arm, what it did, and what it had done before.
type Unit = (usize, i64, i64);

fn batch_of(chances: &[f64], units: &[Unit]) -> Batch {
    let mut arms = vec![Sums::<2>::default(); chances.len()];
    units.iter().for_each(|&(arm, y, x)| arms[arm].add([y, x]).unwrap());
    let paired = |sums: &Sums<2>| Paired::of_means(sums, [Measure::Mean; 2]);
    Batch { chances: chances.to_vec(), arms: arms.iter().map(paired).collect() }
}

/// Units whose outcomes go with what they had done before, correlated by `rho`; thousandths.
fn units(dice: &mut Dice, count: usize, chances: &[f64], level: &[f64], rho: f64, before: f64) -> Vec<Unit> {
    let thousandths = |value: f64| (1_000.0 * value).round() as i64;
    let unit = |_| {
        let mut roll = dice.roll();
        let arm = chances.iter().position(|chance| {
            roll -= chance;
            roll < 0.0
        });
        let arm = arm.unwrap_or(chances.len() - 1);
        let (x, noise) = (dice.normal(), dice.normal());
        let y = level[arm] + rho * x + (1.0 - rho * rho).sqrt() * noise;
        (arm, thousandths(y), thousandths(before + x))
    };
    (0..count).map(unit).collect()
}

/// Γ(1) − ratio·Γ(0) of every unit, one by one, as the definition has it; returns their mean and sum of squares.
fn by_definition(batches: &[(Vec<f64>, Vec<Unit>)], ratio: f64) -> [f64; 2] {
    let mean = |of: &[f64]| if of.is_empty() { 0.0 } else { of.iter().sum::<f64>() / of.len() as f64 };
    let mut scores = vec![];
    for (at, (chances, units)) in batches.iter().enumerate() {
        let before: Vec<&Unit> = batches[..at].iter().flat_map(|(_, units)| units).collect();
        let (mut products, mut squares) = (0.0, 0.0);
        for (_, units) in &batches[..at] {
            for arm in 0..chances.len() {
                let own: Vec<&Unit> = units.iter().filter(|unit| unit.0 == arm).collect();
                let x_mean = mean(&own.iter().map(|unit| unit.2 as f64).collect::<Vec<_>>());
                let y_mean = mean(&own.iter().map(|unit| unit.1 as f64).collect::<Vec<_>>());
                for (_, y, x) in own {
                    products += (*x as f64 - x_mean) * (*y as f64 - y_mean);
                    squares += (*x as f64 - x_mean).powi(2);
                }
            }
        }
        let theta = if before.is_empty() { 0.0 } else { products / squares };
        let centre = mean(&before.iter().map(|unit| unit.2 as f64).collect::<Vec<_>>());
        let guess = |arm: usize, x: f64| {
            let own: Vec<f64> = (before.iter().filter(|unit| unit.0 == arm))
                .map(|unit| unit.1 as f64 - theta * (unit.2 as f64 - centre))
                .collect();
            mean(&own) + theta * (x - centre)
        };
        let guesses: Vec<f64> = (0..2).map(|arm| guess(arm, centre)).collect();
        for &(arm, y, x) in units {
            let gamma = |of: usize| {
                let guess = guesses[of] + theta * (x as f64 - centre);
                guess + if arm == of { (y as f64 - guess) / chances[of] } else { 0.0 }
            };
            scores.push(gamma(1) - ratio * gamma(0));
        }
    }
    let middle = mean(&scores);
    [middle, scores.iter().map(|score| (score - middle).powi(2)).sum()]
}

#[test]
fn an_adjusted_sum_is_that_of_every_unit() {
    let mut dice = Dice::new(7);
    let weights = [[0.4, 0.3, 0.3], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1]];
    let batch =
        |chances: &[f64; 3]| (chances.to_vec(), units(&mut dice, 300, chances, &[1.0, 1.3, 0.9], 0.8, 2.0));
    let raw: Vec<(Vec<f64>, Vec<Unit>)> = weights.iter().map(batch).collect();
    let batches: Vec<Batch> = raw.iter().map(|(chances, units)| batch_of(chances, units)).collect();
    for ratio in [1.0, 0.0, 1.2] {
        let [mean, squares] = by_definition(&raw, ratio);
        let found = contrast(&batches, PAIR, ratio, 0.05, Alternative::TwoSided, 1e9).unwrap();
        assert!((found.value / mean - 1.0).abs() < 1e-9, "{} is not {mean}", found.value);
        assert!((found.standard_error / (squares.sqrt() / 900.0) - 1.0).abs() < 1e-9);
    }
    assert_eq!(variance_left(&batches[..1], PAIR), None, "the first batch follows nothing");
    assert!(variance_left(&batches, PAIR).unwrap() < 0.8);
    let few = batch_of(
        &[0.5, 0.5],
        &raw[0].1[..99].iter().map(|unit| (unit.0 % 2, unit.1, unit.2)).collect::<Vec<_>>(),
    );
    assert_eq!(slope(&[few]), 0.0, "a slope of few units follows the largest of them");
}

const BATCHES: usize = 20;
const UNITS_A_BATCH: usize = 400;

/// What a run of a bandit came to.
struct Course {
    holds: bool,
    left: f64,
    /// Squares of the errors at the end, adjusted and not.
    errors: [f64; 2],
}

const PAIR_OF_BEST: Pair = Pair { control: 0, treatment: 2 };
/// The true difference, in thousandths.
const EFFECT: f64 = 100.0;

/// Lets a bandit of three arms run while the level, and what visitors had done before, drift, and looks at it after every batch.
fn run(seed: u64, rho: f64) -> Course {
    let mut dice = Dice::new(seed);
    let (mut chances, mut periods, mut batches) = (vec![1.0 / 3.0; 3], vec![], vec![]);
    let (mut holds, spread) = (true, (BATCHES * UNITS_A_BATCH) as f64 * 6.0 * 1e6 * (1.0 - rho * rho));
    let found = |batches: &[Batch]| {
        anytime_effect(batches, PAIR_OF_BEST, 0.05, Alternative::TwoSided, spread).unwrap()
    };
    for batch in 0..BATCHES {
        let drift = 0.5 * batch as f64 / BATCHES as f64;
        let levels = [0.5, 0.5, 0.5 + EFFECT / 1_000.0].map(|level| level + drift);
        let units = units(&mut dice, UNITS_A_BATCH, &chances, &levels, rho, 2.0 * drift);
        let mut arms = vec![Sums::<1>::default(); 3];
        units.iter().for_each(|&(arm, y, _)| arms[arm].add([y]).unwrap());
        batches.push(batch_of(&chances, &units));
        periods.push(arms);
        let found = found(&batches);
        holds &= found.lower <= EFFECT && EFFECT <= found.upper;
        if let Ok(means) = over_periods(&periods)
            && let Ok(drawn) = weights(&means, Policy::Thompson, 0.05, Better::Higher)
        {
            chances = drawn;
        }
    }
    let mut plain = batches.clone();
    plain.iter_mut().flat_map(|batch| &mut batch.arms).for_each(|arm| *arm = arm.outcome.into());
    let errors = [&batches, &plain].map(|batches| (found(batches).value - EFFECT).powi(2));
    Course { holds, left: variance_left(&batches, PAIR_OF_BEST).unwrap(), errors }
}

/// While the level and what was before drift, adjusted intervals hold at all looks together, and the variance falls by about ρ²: in what is
/// told of it, and in how far estimates are off.
#[test]
fn adjusted_intervals_hold_at_every_look_and_are_narrower() {
    let runs = 300;
    for rho in [0.0_f64, 0.7] {
        let found: Vec<Course> = (1..=runs).map(|seed| run(seed, rho)).collect();
        let share = |sum: f64| sum / runs as f64;
        let held = share(found.iter().filter(|course| course.holds).count() as f64);
        let left = share(found.iter().map(|course| course.left).sum());
        let [adjusted, plain] = [0, 1].map(|of| found.iter().map(|course| course.errors[of]).sum::<f64>());
        let due = 1.0 - rho * rho;
        assert!(held >= 0.95, "{held} of runs hold at ρ = {rho}");
        assert!((left - due).abs() < 0.04, "{left} of the variance is left, {due} was due");
        assert!(
            (adjusted / plain / due - 1.0).abs() < 0.25,
            "{} of the squares of errors are left",
            adjusted / plain
        );
    }
}
