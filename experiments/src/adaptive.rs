//! What may be concluded when weights followed the results: plain means and t-tests are then biased, since arms that
//! begin badly are abandoned.

use self::scores::{Past, Scores, Slope, within};
use crate::covariate::Paired;
use crate::effect::Effect;
use crate::interval::{Alternative, Estimate};
use crate::sequence::Sequence;

mod narrowing;
mod noise;
mod scores;

pub use narrowing::{Narrowing, planned_half_width};
pub(crate) use noise::Noise;

/// Holds what the units of one batch did, all of them assigned with the same chances.
///
/// A unit counts once, in the batch of its first assignment. Units that were forced into an arm have no chances, and
/// do not count.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The chance of every arm that was in force, above 0 and summing to 1.
    pub chances: Vec<f64>,
    /// What every arm's units did, and had done before; of what is not known, nothing.
    pub arms: Vec<Paired>,
}

/// Names two of a batch's arms by their indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The arm that is compared with.
    pub control: usize,
    /// The arm that is compared.
    pub treatment: usize,
}

/// Returns the effect by batched least squares, for one look planned beforehand.
///
/// In each batch t = √(n₁n₀/n)·(ȳ₁ − ȳ₀ − Δ)/σ̂ with the pooled σ̂; their sum over √T is standard normal, also when
/// both arms are equally good. So Δ̂ = Σcd/Σc and SE = √T/Σc with c = √(n₁n₀/n)/σ̂ and d = ȳ₁ − ȳ₀. A level that
/// drifts from batch to batch does no harm. Source: Zhang, Janson and Murphy (2020), "Inference for Batched Bandits",
/// NeurIPS.
///
/// `None` without batches, or unless both arms have units, and any of them spread, in each.
pub fn batched_effect(batches: &[Batch], pair: Pair) -> Option<Effect> {
    let (mut weights, mut weighted, mut units, mut freedom) = (0.0, 0.0, 0_u64, 0.0);
    for batch in batches {
        let (a, b) = (&batch.arms.get(pair.control)?.outcome, &batch.arms.get(pair.treatment)?.outcome);
        let (n_a, n_b) = (a.units as f64, b.units as f64);
        let both = a.units.checked_add(b.units).filter(|both| *both > 2)?;
        let squares = (n_a - 1.0) * a.variance + (n_b - 1.0) * b.variance;
        let deviation = (squares / (both as f64 - 2.0)).sqrt();
        let weight = (n_a * n_b / both as f64).sqrt() / deviation;
        if !(deviation > 0.0 && weight > 0.0 && weight.is_finite()) {
            return None;
        }
        weights += weight;
        weighted += weight * (b.mean - a.mean);
        units = units.saturating_add(both);
        freedom += both as f64 - 2.0;
    }
    let (value, standard_error) = (weighted / weights, (batches.len() as f64).sqrt() / weights);
    let is_fit = value.is_finite() && standard_error.is_finite();
    is_fit.then_some(Effect { value, standard_error, units, degrees_of_freedom: freedom })
}

/// Returns the effect by adaptively weighted augmented inverse-probability scores, for one look planned beforehand.
///
/// Γ_t(w) = m̂_t(w) + 1{W_t = w}(Y_t − m̂_t(w))/e_t(w) with the chance e_t in force then and m̂_t the arm's mean over
/// earlier batches; Q(w) = Σh_tΓ_t/Σh_t with h_t = √e_t(w), V(w) = Σh_t²(Γ_t − Q)²/(Σh_t)². The difference of two
/// arms has variance V(1) + V(0). Chances must not fall faster than about 1/t: keep a floor. Arms weigh batches
/// differently, so that a level that drifts biases the difference: then [`batched_effect`] and [`anytime_effect`]
/// hold, this does not. Source: Hadad, Hirshberg, Zhan, Wager and Athey (2021), "Confidence Intervals for Policy
/// Evaluation in Adaptive Experiments", PNAS 118.
///
/// ```
/// use experiments::adaptive::{Batch, Pair, weighted_effect};
/// use experiments::statistic::Statistic;
/// let one = |mean| Statistic { units: 1, mean, variance: 0.0 }.into();
/// let first = Batch { chances: vec![0.5, 0.5], arms: vec![one(1.0), one(3.0)] };
/// let then = Batch { chances: vec![0.2, 0.8], arms: vec![one(2.0), one(5.0)] };
/// let effect = weighted_effect(&[first, then], Pair { control: 0, treatment: 1 }).expect("fit");
/// assert!((effect.value - 1.729537233).abs() < 1e-9);
/// assert!((effect.standard_error - 1.49151176).abs() < 1e-8);
/// ```
///
/// `None` without batches, units or spread, or when a batch's chances are not above 0.
pub fn weighted_effect(batches: &[Batch], pair: Pair) -> Option<Effect> {
    let (control, treatment) =
        (weighted_mean(batches, pair.control)?, weighted_mean(batches, pair.treatment)?);
    let units: u64 = batches.iter().map(Batch::units).sum();
    let standard_error = (control[1] + treatment[1]).sqrt();
    let value = treatment[0] - control[0];
    let is_fit = value.is_finite() && standard_error > 0.0 && standard_error.is_finite();
    let degrees_of_freedom = units as f64 - 2.0;
    (is_fit && units > 2).then_some(Effect { value, standard_error, units, degrees_of_freedom })
}

/// Returns the effect with an interval that holds at any look, however the chances followed the results.
///
/// D_t = Γ_t(1) − Γ_t(0) differs from Δ by a martingale difference; with Ŝ = Σ(D − D̄)² the interval is D̄ ±
/// (1/t)√[2(Ŝρ² + 1)/ρ²·ln(√(Ŝρ² + 1)/α)], tightest where Ŝ reaches `planned_spread`: planned units times the variance
/// of D, which is about s²/e of the treatment plus that of the control. Sources: Waudby-Smith et al. (2021/2024),
/// Lyapunov form; Ham, Bojinov, Lindon and Tingley (2022), "Design-Based Confidence Sequences".
///
/// Where it is known what units did before exposure, X, the guess is m̂_t(w) + θ_t(X − x̄) in the place of m̂_t(w): a unit's X is settled
/// before its arm is drawn, so that E[Γ_t(w) | the past, X] = m̂ + θ_t(X − x̄) + e_t(w)·(E[Y(w) | X] − m̂ − θ_t(X − x̄))/e_t(w) = E[Y(w) | X]
/// whatever m̂, θ_t and x̄ are, as long as they follow from earlier batches alone: the martingale stays one, for any drift and any draw of the
/// chances. θ_t is the slope of outcomes on X within the arms of all earlier batches, one for all arms; it is 0 in the first
/// batch, and until there are 200 units. The variance of D falls from about Σs²/e to Σs²(1 − ρ²)/e. It is adjusted whether or not that
/// gains anything: a choice between the two that followed from the results would be one look more. Sources: Deng, Xu, Kohavi
/// and Walker (2013) for the slope; Hadad et al. (2021), Ham et al. (2022) for guesses that follow from the past.
///
/// `None` as [`weighted_effect`], and for an α or a planned spread out of range.
pub fn anytime_effect(
    batches: &[Batch],
    pair: Pair,
    alpha: f64,
    alternative: Alternative,
    planned_spread: f64,
) -> Option<Estimate> {
    contrast(batches, pair, 1.0, alpha, alternative, planned_spread)
}

/// Returns the same of treatment − ratio·control, whose expectation is 0 where the treatment's mean is so many times the
/// control's: a test of any lift, without a division by what is only estimated (Fieller 1954, "Some Problems in Interval
/// Estimation", JRSS B 16).
///
/// `None` as [`anytime_effect`].
pub fn contrast(
    batches: &[Batch],
    pair: Pair,
    ratio: f64,
    alpha: f64,
    alternative: Alternative,
    planned_spread: f64,
) -> Option<Estimate> {
    let sequence = Sequence::tuned(alpha, alternative, planned_spread)?;
    let scores = Scores::of(batches, pair, ratio)?;
    let effect = scores.effect()?;
    sequence.estimate_at(&effect, scores.squares)
}

/// Returns the relative lift with the interval of all lifts that [`contrast`] does not refute, two-sided and valid at any look.
///
/// Nothing falls by more than all of it, so an interval ends at −1 where none is refuted above. `None` where no end is found on
/// the other side, because the control's mean may be 0, and as [`anytime_effect`].
pub fn anytime_lift(batches: &[Batch], pair: Pair, alpha: f64, planned_spread: f64) -> Option<Estimate> {
    let at = |ratio: f64| contrast(batches, pair, ratio, alpha, Alternative::TwoSided, planned_spread);
    let (treatment, none) = (at(0.0)?, at(1.0)?);
    // The contrast is a line in the ratio.
    let control = treatment.value - none.value;
    let ratio = treatment.value / control;
    let standard_error = at(ratio)?.standard_error / control;
    let is_refuted = |ratio: f64| at(ratio).is_some_and(|estimate| estimate.excludes_zero());
    let is_fit = control > 0.0 && ratio.is_finite() && standard_error > 0.0 && standard_error.is_finite();
    if !is_fit {
        return None;
    }
    let end = |sign: f64| {
        let beyond = |steps: i32| ratio + sign * standard_error * 2.0_f64.powi(steps);
        let (mut outside, mut inside) =
            ((1..=STEPS_OUT).map(beyond).find(|ratio| is_refuted(*ratio))?, ratio);
        for _ in 0..STEPS_IN {
            let middle = 0.5 * (inside + outside);
            if is_refuted(middle) { outside = middle } else { inside = middle }
        }
        Some(outside - 1.0)
    };
    let lower = end(-1.0).unwrap_or(-1.0).max(-1.0);
    Some(Estimate { value: ratio - 1.0, standard_error, lower, upper: end(1.0)?, p: none.p })
}

/// Returns the slope by which the next batch is adjusted; 0 where none is.
pub(crate) fn slope(batches: &[Batch]) -> f64 {
    Slope::after(batches).theta()
}

/// Returns the share of Ŝ that the adjustment of [`anytime_effect`] left. `None` where nothing was adjusted.
pub fn variance_left(batches: &[Batch], pair: Pair) -> Option<f64> {
    let is_adjusted = (1..batches.len()).any(|at| slope(&batches[..at]) != 0.0);
    let left = Scores::of(batches, pair, 1.0)?.squares / Scores::unadjusted(batches, pair, 1.0)?.squares;
    (is_adjusted && left.is_finite()).then_some(left)
}

/// How often a step outwards doubles before a lift's interval counts as endless.
const STEPS_OUT: i32 = 8;
/// How often the end of a lift's interval is halved.
const STEPS_IN: usize = 40;

impl Batch {
    fn units(&self) -> u64 {
        self.arms.iter().fold(0, |units, arm| units.saturating_add(arm.outcome.units))
    }

    fn arm(&self, index: usize) -> Option<(&Paired, f64)> {
        let chance = *self.chances.get(index)?;
        let is_chance = chance > 0.0 && chance <= 1.0;
        is_chance.then_some((self.arms.get(index)?, chance))
    }
}

/// An arm's mean and its variance.
fn weighted_mean(batches: &[Batch], arm: usize) -> Option<[f64; 2]> {
    let (mut weights, mut weighted) = (0.0, 0.0);
    let mut past = Past::default();
    let mut scores = Vec::with_capacity(batches.len());
    for batch in batches {
        let (paired, chance) = batch.arm(arm)?;
        let statistic = &paired.outcome;
        let (guess, weight, all) = (past.mean(), chance.sqrt(), batch.units() as f64);
        let n = statistic.units as f64;
        // The scores of the arm's own units, and those of all others, which are the guess.
        let own = guess + if n > 0.0 { (statistic.mean - guess) / chance } else { 0.0 };
        weights += weight * all;
        weighted += weight * (n * own + (all - n) * guess);
        scores.push((chance, n, own, within(paired, 1.0, 0.0) / (chance * chance), all - n, guess));
        past.add(paired);
    }
    let mean = weighted / weights;
    // h² is the chance.
    let squares = |&(chance, n, own, within, others, guess): &(f64, f64, f64, f64, f64, f64)| {
        chance * (within + n * (own - mean).powi(2) + others * (guess - mean).powi(2))
    };
    let variance = scores.iter().map(squares).sum::<f64>() / (weights * weights);
    (mean.is_finite() && variance.is_finite()).then_some([mean, variance])
}

#[cfg(test)]
mod tests;
