//! How fast an interval that holds at any look narrows, and when it will be as narrow as was planned.

use super::{Batch, Noise, Pair, Scores};
use crate::interval::Alternative;
use crate::sequence::Sequence;

/// The most units that are looked ahead.
const UNITS_AHEAD_MAX: f64 = 1e12;

/// Holds how far the interval of [`super::anytime_effect`] has come, and what each unit more adds to it.
///
/// A unit that is assigned with the chances e adds v = s_b²/e_b + s_a²/e_a to the sum of squares Ŝ, on the average, where s² is an
/// arm's present variance, by [`Noise`]. So m units more, over all arms, make the half-width w(m) = √(Ŝ + mv)/(n + m)·u(Ŝ + mv), with
/// u of [`Sequence`]. This supposes that the chances stay, that units vary as they have lately, and that the level drifts so slowly
/// that an arm's earlier mean is a good guess of its present one. It does not lean on the effect so far.
#[derive(Debug, Clone, Copy)]
pub struct Narrowing {
    units: f64,
    squares: f64,
    a_unit: f64,
    sequence: Sequence,
}

impl Narrowing {
    /// Returns how the interval narrows at the chances of the last batch.
    ///
    /// ```
    /// use experiments::adaptive::{Batch, Narrowing, Pair};
    /// use experiments::statistic::Statistic;
    /// let arm = |units| Statistic { units, mean: 0.0, variance: 1.0 }.into();
    /// let batch = |chances: [f64; 2], units: [u64; 2]| Batch { chances: chances.into(), arms: units.map(arm).into() };
    /// let batches = [batch([0.5, 0.5], [501, 501]), batch([0.2, 0.8], [0, 0])];
    /// let found = Narrowing::of(&batches, Pair { control: 0, treatment: 1 }, 0.05, 40_000.0).expect("fit");
    /// // v = 1/0.8 + 1/0.2; Ŝ = 2·500/0.5² = 4,000 of 1,002 units, u(4,000) = √(2·(1 + 1/0.7936)·ln(√1.7936/0.05)) = 3.85505.
    /// assert_eq!(found.a_unit(), 6.25);
    /// assert!((found.half_width(0.0) - 4_000.0_f64.sqrt() / 1_002.0 * 3.85505).abs() < 1e-5);
    /// // 5,760 units more make Ŝ = 40,000: √40,000/6,762·3.03521.
    /// assert!((found.half_width(5_760.0) - 0.0897725).abs() < 1e-6);
    /// assert_eq!(found.units_until(0.089_772_53), Some(5_760));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// `None` as [`super::anytime_effect`], and where an arm shows no spread.
    pub fn of(batches: &[Batch], pair: Pair, alpha: f64, planned_spread: f64) -> Option<Self> {
        let sequence = Sequence::tuned(alpha, Alternative::TwoSided, planned_spread)?;
        let Scores { units, squares, .. } = Scores::of(batches, pair, 1.0)?;
        let a_unit = Noise::of(batches).of_a_unit(pair, batches.last()?)?;
        (squares > 0.0).then_some(Self { units, squares, a_unit, sequence })
    }

    /// Returns v, what each unit adds to the sum of squares.
    pub fn a_unit(&self) -> f64 {
        self.a_unit
    }

    /// Returns the half-width of the interval after so many units more, over all arms.
    pub fn half_width(&self, more: f64) -> f64 {
        self.standard_error(more) * self.in_errors(more)
    }

    /// Returns the standard error after so many units more.
    pub fn standard_error(&self, more: f64) -> f64 {
        (self.squares + more * self.a_unit).sqrt() / (self.units + more)
    }

    /// Returns u, the half-width in standard errors, after so many units more.
    pub fn in_errors(&self, more: f64) -> f64 {
        self.sequence.half_width_at(self.squares + more * self.a_unit)
    }

    /// Returns how many units more, over all arms, make the interval no wider than so; 0 where it is so narrow already.
    ///
    /// `None` where no number of units does.
    pub fn units_until(&self, half_width: f64) -> Option<u64> {
        let suffices = |more: f64| self.half_width(more) <= half_width;
        if suffices(0.0) {
            return Some(0);
        }
        // It may widen first, where units of rare arms weigh much, but once it narrows it goes on.
        let (mut low, mut high) = (0.0, 1.0);
        while !suffices(high) {
            (low, high) = (high, 2.0 * high);
            if high > UNITS_AHEAD_MAX {
                return None;
            }
        }
        while high - low > 1.0 {
            let middle = (0.5 * (low + high)).floor();
            if suffices(middle) { high = middle } else { low = middle }
        }
        Some(high as u64)
    }
}

/// Returns the half-width at the planned units over all arms, where [`Narrowing`] would have come to the planned spread.
pub fn planned_half_width(alpha: f64, planned_spread: f64, planned_units: f64) -> Option<f64> {
    let sequence = Sequence::tuned(alpha, Alternative::TwoSided, planned_spread)?;
    let width = planned_spread.sqrt() / planned_units * sequence.half_width_at(planned_spread);
    (width > 0.0 && width.is_finite()).then_some(width)
}
