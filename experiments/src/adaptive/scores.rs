//! Inverse-probability scores, whose differences from the truth are a martingale.

use super::{Batch, Pair};
use crate::effect::Effect;
use crate::statistic::Statistic;

/// Σ(y − ȳ)² of an arm.
pub(super) fn within(statistic: &Statistic) -> f64 {
    statistic.variance * (statistic.units.max(1) - 1) as f64
}

/// An arm's mean over the batches so far; 0 before the first.
#[derive(Default)]
pub(super) struct Past {
    units: f64,
    mean: f64,
}

impl Past {
    pub fn mean(&self) -> f64 {
        self.mean
    }

    pub fn add(&mut self, statistic: &Statistic) {
        let units = statistic.units as f64;
        if units > 0.0 {
            self.units += units;
            self.mean += (statistic.mean - self.mean) * units / self.units;
        }
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
    /// The scores of treatment − ratio·control over all batches.
    pub fn of(batches: &[Batch], pair: Pair, ratio: f64) -> Option<Self> {
        let mut scores = Self::default();
        let (mut past_control, mut past_treatment) = (Past::default(), Past::default());
        for batch in batches {
            let (m_a, m_b) = (past_control.mean(), past_treatment.mean());
            let (a, e_a) = batch.arm(pair.control)?;
            let (b, e_b) = batch.arm(pair.treatment)?;
            let level = m_b - ratio * m_a;
            scores.add(b.units as f64, level + (b.mean - m_b) / e_b, within(b) / (e_b * e_b));
            let scale = ratio / e_a;
            scores.add(a.units as f64, level - scale * (a.mean - m_a), scale * scale * within(a));
            let others = batch.units().checked_sub(a.units)?.checked_sub(b.units)?;
            scores.add(others as f64, level, 0.0);
            past_control.add(a);
            past_treatment.add(b);
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
