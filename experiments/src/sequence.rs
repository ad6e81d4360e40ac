//! Intervals that hold however often they are looked at: the asymptotic confidence sequence.

use crate::effect::Effect;
use crate::interval::{Alternative, Estimate};

/// Holds an asymptotic confidence sequence: intervals that, all together, hold the truth with chance 1 − α
/// however many looks are taken and whenever one stops.
///
/// Both settings are fixed before the start; changing them on the way breaks the promise. Source:
/// Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2021/2024), "Time-uniform central limit theory and
/// asymptotic confidence sequences", <https://arxiv.org/abs/2103.06476>; as gbstats 0.8.0,
/// `SequentialTwoSidedTTest`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sequence {
    alpha: f64,
    alternative: Alternative,
    rho_squared: f64,
}

impl Sequence {
    /// Makes the two-sided sequence that errs with chance `alpha` and is tightest at `planned_units` (N*, of both
    /// arms together).
    ///
    /// ρ² = (−2 ln α + ln(1 − 2 ln α))/N*. `None` unless 0 < alpha < 1 and `planned_units` > 0.
    ///
    /// ```
    /// let sequence = experiments::sequence::Sequence::new(0.05, 5000).expect("in range");
    /// assert!((sequence.rho_squared().sqrt() - 0.03984006677).abs() < 1e-11);
    /// ```
    pub fn new(alpha: f64, planned_units: u64) -> Option<Sequence> {
        Sequence::of(alpha, Alternative::TwoSided, planned_units)
    }

    /// Makes the sequence for effects on either side or on one.
    ///
    /// One-sided it is tuned with 2α in the place of α. `None` unless 0 < alpha < 1 (one-sided: < 0.5) and
    /// `planned_units` > 0.
    pub fn of(alpha: f64, alternative: Alternative, planned_units: u64) -> Option<Sequence> {
        Sequence::tuned(alpha, alternative, planned_units as f64)
    }

    /// The sequence that is tightest at any amount of information, such as a sum of squares.
    pub(crate) fn tuned(alpha: f64, alternative: Alternative, planned: f64) -> Option<Sequence> {
        let tuning = if alternative == Alternative::TwoSided { alpha } else { 2.0 * alpha };
        if !(tuning > 0.0 && tuning < 1.0 && planned > 0.0 && planned.is_finite()) {
            return None;
        }
        let twice_log = -2.0 * tuning.ln();
        let rho_squared = (twice_log + twice_log.ln_1p()) / planned;
        Some(Sequence { alpha, alternative, rho_squared })
    }

    /// Returns ρ², the variance of the mixing distribution.
    pub fn rho_squared(&self) -> f64 {
        self.rho_squared
    }

    /// Returns u(N), the interval's half-width in standard errors after `units` of both arms; infinite without units.
    ///
    /// With I = Nρ²: u = √[2(I + 1)/I · ln(√(I + 1)/α)], one-sided √[2(I + 1)/I · ln(1 + √(I + 1)/(2α))] (Waudby-Smith
    /// et al., equations 9 and 134 of the seventh version).
    ///
    /// ```
    /// use experiments::{interval::Alternative, sequence::Sequence};
    /// let sequence = Sequence::new(0.05, 5000).expect("in range");
    /// assert!((sequence.half_width_in_errors(2000) - 3.123779092).abs() < 1e-9);
    /// assert!((sequence.half_width_in_errors(5000) - 3.03520899).abs() < 1e-8);
    /// assert!((sequence.half_width_in_errors(20_000) - 3.127114144).abs() < 1e-9);
    /// let above = Sequence::of(0.05, Alternative::Greater, 5000).expect("in range");
    /// assert!((0.02 - above.half_width_in_errors(2000) * 0.01398570699 + 0.02036294563).abs() < 1e-10);
    /// ```
    pub fn half_width_in_errors(&self, units: u64) -> f64 {
        self.half_width_at(units as f64)
    }

    pub(crate) fn half_width_at(&self, units: f64) -> f64 {
        let information = units * self.rho_squared;
        let log = match self.alternative {
            Alternative::TwoSided => 0.5 * information.ln_1p() - self.alpha.ln(),
            _ => ((information + 1.0).sqrt() / (2.0 * self.alpha)).ln_1p(),
        };
        // As 1 + 1/I, which stays a number however large I is.
        (2.0 * (1.0 + 1.0 / information) * log).sqrt()
    }

    /// Returns the p-value of this look. It is at most α just when the interval leaves out zero; the lowest over all
    /// looks is a valid p-value, too.
    ///
    /// min(1, √(I + 1)·exp(−L)) with L = I·t²/(2(I + 1)); one-sided min(1, √(I + 1)/(2(exp(L) − 1))), and 1 on the
    /// other side.
    pub fn p(&self, effect: &Effect) -> f64 {
        self.p_at(effect, effect.units as f64)
    }

    fn p_at(&self, effect: &Effect, units: f64) -> f64 {
        let information = units * self.rho_squared;
        let t = effect.z();
        let log = t * t / (2.0 * (1.0 + 1.0 / information));
        let p = match self.alternative {
            Alternative::TwoSided => (0.5 * information.ln_1p() - log).exp(),
            Alternative::Greater if t <= 0.0 => 1.0,
            Alternative::Less if t >= 0.0 => 1.0,
            _ => (information + 1.0).sqrt() / (2.0 * log.exp_m1()),
        };
        p.min(1.0)
    }

    /// Returns the e-value of the two-sided test, exp(L)/√(I + 1): 1/p before it is cut off at 1. Its expectation
    /// without effect is at most 1 at any stopping time, whatever happens to other metrics.
    ///
    /// ```
    /// use experiments::{effect::Effect, statistic::Statistic, sequence::Sequence};
    /// let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
    /// let sequence = Sequence::new(0.05, 5000).expect("in range");
    /// assert!((sequence.e_value(&Effect::absolute(&a, &b)?) - 1.0 / 0.938885604).abs() < 1e-9);
    /// # Ok::<(), experiments::effect::EffectError>(())
    /// ```
    pub fn e_value(&self, effect: &Effect) -> f64 {
        let information = effect.units as f64 * self.rho_squared;
        let z = effect.z();
        // What is no number is no evidence.
        (z * z / (2.0 * (1.0 + 1.0 / information)) - 0.5 * information.ln_1p()).exp().max(0.0)
    }

    /// Returns the interval and p-value after the effect's units. `None` when numbers leave the range of
    /// floating point.
    ///
    /// ```
    /// use experiments::{effect::Effect, statistic::Statistic, sequence::Sequence};
    /// let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
    /// let sequence = Sequence::new(0.05, 5000).expect("in range");
    /// let estimate = sequence.estimate(&Effect::absolute(&a, &b)?).expect("finite");
    /// assert!((estimate.lower + 0.02368825908).abs() < 1e-11 && (estimate.upper - 0.06368825908).abs() < 1e-11);
    /// assert!((estimate.p - 0.938885604).abs() < 1e-9);
    /// # Ok::<(), experiments::effect::EffectError>(())
    /// ```
    pub fn estimate(&self, effect: &Effect) -> Option<Estimate> {
        self.estimate_at(effect, effect.units as f64)
    }

    /// The same at any amount of information.
    pub(crate) fn estimate_at(&self, effect: &Effect, information: f64) -> Option<Estimate> {
        let width = self.half_width_at(information);
        Estimate::around(effect, self.alternative, width, self.p_at(effect, information))
    }
}
