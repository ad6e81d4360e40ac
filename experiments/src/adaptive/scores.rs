//! Inverse-probability scores, whose differences from the truth are a martingale.

use super::{Batch, Pair};
use crate::covariate::Paired;
use crate::effect::Effect;

/// Fewest units of earlier batches by which a batch is adjusted: a slope of few units follows the largest of them.
const SLOPE_UNITS_MIN: f64 = 200.0;

/// Σ(v − v̄)² over an arm's units, of v = g·outcome − θ·before.
pub(super) fn within(arm: &Paired, g: f64, theta: f64) -> f64 {
    arm.variance(g, theta) * arm.outcome.units.saturating_sub(1) as f64
}

/// An arm's means over the batches so far; 0 before the first.
#[derive(Default, Clone, Copy)]
pub(super) struct Past {
    units: f64,
    outcome: f64,
    before: f64,
}

impl Past {
    pub fn mean(&self) -> f64 {
        self.outcome
    }

    pub fn add(&mut self, arm: &Paired) {
        let units = arm.outcome.units as f64;
        if units > 0.0 {
            self.units += units;
            self.outcome += (arm.outcome.mean - self.outcome) * units / self.units;
            self.before += (arm.before.mean - self.before) * units / self.units;
        }
    }
}

/// How outcomes go with what was before, over all arms of the batches so far, within each arm of each batch.
#[derive(Default)]
pub(super) struct Slope {
    all: Past,
    products: f64,
    squares: f64,
}

impl Slope {
    /// The slope after some batches.
    pub fn after(batches: &[Batch]) -> Self {
        let mut slope = Self::default();
        batches.iter().for_each(|batch| slope.add(batch));
        slope
    }

    pub fn add(&mut self, batch: &Batch) {
        for arm in &batch.arms {
            let freedom = arm.outcome.units.saturating_sub(1) as f64;
            self.products += freedom * arm.covariance;
            self.squares += freedom * arm.before.variance;
            self.all.add(arm);
        }
    }

    /// θ = Σ(x − x̄)(y − ȳ)/Σ(x − x̄)²; 0 while too little is known.
    pub fn theta(&self) -> f64 {
        let is_known = self.all.units >= SLOPE_UNITS_MIN && self.squares > 0.0;
        if is_known { self.products / self.squares } else { 0.0 }
    }
}

/// Count, mean and squares around the mean of scores, added group by group (Chan, Golub and LeVeque 1983).
#[derive(Default)]
pub(super) struct Scores {
    pub units: f64,
    mean: f64,
    pub squares: f64,
}

impl Scores {
    /// The scores of treatment − ratio·control over all batches, adjusted by what units did before.
    pub fn of(batches: &[Batch], pair: Pair, ratio: f64) -> Option<Self> {
        Self::with(batches, pair, ratio, Slope::theta)
    }

    /// The same without adjustment.
    pub fn unadjusted(batches: &[Batch], pair: Pair, ratio: f64) -> Option<Self> {
        Self::with(batches, pair, ratio, |_| 0.0)
    }

    fn with(batches: &[Batch], pair: Pair, ratio: f64, theta: fn(&Slope) -> f64) -> Option<Self> {
        let mut scores = Self::default();
        let (mut past_control, mut past_treatment, mut slope) =
            (Past::default(), Past::default(), Slope::default());
        for batch in batches {
            let (theta, centre) = (theta(&slope), slope.all.before);
            let guess = |past: &Past| past.outcome - theta * (past.before - centre);
            let (m_a, m_b) = (guess(&past_control), guess(&past_treatment));
            let (a, e_a) = batch.arm(pair.control)?;
            let (b, e_b) = batch.arm(pair.treatment)?;
            let level = m_b - ratio * m_a;
            for (index, arm) in batch.arms.iter().enumerate() {
                // D = level + k(Y − m) + θ(1 − ratio − k)(X − centre).
                let (k, guess) = match index {
                    _ if index == pair.treatment => (1.0 / e_b, m_b),
                    _ if index == pair.control => (-ratio / e_a, m_a),
                    _ => (0.0, 0.0),
                };
                let by_past = theta * (k - (1.0 - ratio));
                let mean = level + k * (arm.outcome.mean - guess) - by_past * (arm.before.mean - centre);
                scores.add(arm.outcome.units as f64, mean, within(arm, k, by_past));
            }
            past_control.add(a);
            past_treatment.add(b);
            slope.add(batch);
        }
        Some(scores)
    }

    pub fn effect(&self) -> Option<Effect> {
        let Self { units, mean: value, squares } = *self;
        let standard_error = squares.sqrt() / units;
        let is_fit = value.is_finite() && squares > 0.0 && squares.is_finite();
        is_fit.then_some(Effect {
            value,
            standard_error,
            units: units as u64,
            degrees_of_freedom: units - 1.0,
        })
    }

    fn add(&mut self, units: f64, mean: f64, within: f64) {
        if units > 0.0 {
            let apart = mean - self.mean;
            let all = self.units + units;
            self.squares += within + apart * apart * self.units * units / all;
            self.mean += apart * units / all;
            self.units = all;
        }
    }
}
