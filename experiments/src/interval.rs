//! The effect of a treatment, and two intervals around it: one that stays valid however often it is looked
//! at, and the t-test's as a reference.

use serde::Serialize;

use crate::metric::Statistic;

mod student;

use student::{t_critical, t_p_two_sided};

/// Holds an estimated effect with an interval and a p-value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The estimated effect.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Two-sided p-value of no effect.
    pub p: f64,
}

impl Estimate {
    /// Returns whether the interval leaves out zero.
    pub fn excludes_zero(&self) -> bool {
        self.lower > 0.0 || self.upper < 0.0
    }

    fn around(effect: &Effect, half_width: f64, p: f64) -> Option<Estimate> {
        let estimate = Estimate {
            value: effect.value,
            standard_error: effect.standard_error,
            lower: effect.value - half_width,
            upper: effect.value + half_width,
            p: p.clamp(0.0, 1.0),
        };
        (estimate.lower.is_finite() && estimate.upper.is_finite() && !p.is_nan()).then_some(estimate)
    }
}

/// Holds a difference between two arms, before any interval is drawn around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// The estimated effect; the treatment's minus the control's.
    pub value: f64,
    /// Its standard error, above zero.
    pub standard_error: f64,
    /// Units of both arms together.
    pub units: u64,
    /// Welch's degrees of freedom, always of the absolute difference.
    pub degrees_of_freedom: f64,
}

/// Says why two arms cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EffectError {
    /// An arm has fewer than two units.
    #[error("an arm has fewer than two units")]
    TooFewUnits,
    /// An arm's units are all alike.
    #[error("an arm has no spread: all its units did the same")]
    NoSpread,
    /// The control's mean is not above zero, so no relative change can be told.
    #[error("the control's mean is not above zero")]
    ControlNotPositive,
}

impl Effect {
    /// Returns the absolute difference: Δ = m_b − m_a, variance s_b²/n_b + s_a²/n_a.
    ///
    /// Degrees of freedom are Welch's (1947). Source: gbstats 0.8.0, `frequentist/tests.py`.
    ///
    /// ```
    /// use experiments::{interval::Effect, metric::Statistic};
    /// let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
    /// let effect = Effect::absolute(&a, &b)?;
    /// assert!((effect.value - 0.02).abs() < 1e-15);
    /// assert!((effect.standard_error - 0.01398570699).abs() < 1e-11);
    /// assert!((effect.degrees_of_freedom - 1985.371456).abs() < 1e-6);
    /// # Ok::<(), experiments::interval::EffectError>(())
    /// ```
    ///
    /// # Errors
    /// [`EffectError::TooFewUnits`] and [`EffectError::NoSpread`].
    pub fn absolute(control: &Statistic, treatment: &Statistic) -> Result<Effect, EffectError> {
        let (a, b) = (control.variance_of_mean(), treatment.variance_of_mean());
        check_spread(control, treatment)?;
        let degrees_of_freedom =
            (a + b).powi(2) / (b * b / (treatment.units - 1) as f64 + a * a / (control.units - 1) as f64);
        Ok(Effect {
            value: treatment.mean - control.mean,
            standard_error: (a + b).sqrt(),
            units: control.units.saturating_add(treatment.units),
            degrees_of_freedom,
        })
    }

    /// Returns the relative lift: δ = (m_b − m_a)/m_a, variance s_b²/(m_a²n_b) + s_a²m_b²/(m_a⁴n_a) by the
    /// delta method.
    ///
    /// A good approximation only where the control's mean is known well. Sources: Deng, Knoblich and Lu
    /// (2018), "Applying the Delta Method in Metric Analytics"; gbstats 0.8.0, `frequentist/tests.py`.
    ///
    /// ```
    /// use experiments::{interval::Effect, metric::Statistic};
    /// let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
    /// let lift = Effect::relative(&a, &b)?;
    /// assert!((lift.value - 0.2).abs() < 1e-14);
    /// assert!((lift.standard_error - 0.1533623161).abs() < 1e-10);
    /// # Ok::<(), experiments::interval::EffectError>(())
    /// ```
    ///
    /// # Errors
    /// [`EffectError`]: as [`Effect::absolute`], and when the control's mean is zero or below.
    pub fn relative(control: &Statistic, treatment: &Statistic) -> Result<Effect, EffectError> {
        let absolute = Effect::absolute(control, treatment)?;
        if control.mean <= 0.0 {
            return Err(EffectError::ControlNotPositive);
        }
        let ratio = treatment.mean / control.mean;
        let variance = (treatment.variance_of_mean() + control.variance_of_mean() * ratio * ratio)
            / (control.mean * control.mean);
        Ok(Effect { value: absolute.value / control.mean, standard_error: variance.sqrt(), ..absolute })
    }

    /// Returns the t-test's interval and p-value, valid for one look that was planned beforehand.
    ///
    /// t = Δ/SE, p = 2(1 − F(|t|)), Δ ± t(1 − α/2)·SE with Welch's degrees of freedom (Welch 1947). `None`
    /// when numbers leave the range of floating point.
    ///
    /// ```
    /// use experiments::{interval::Effect, metric::Statistic};
    /// let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
    /// let test = Effect::absolute(&a, &b)?.at_fixed_horizon(0.05).expect("finite");
    /// assert!((test.lower + 0.007428203192).abs() < 1e-12 && (test.upper - 0.04742820319).abs() < 1e-11);
    /// assert!((test.p - 0.1528653561).abs() < 1e-10);
    /// # Ok::<(), experiments::interval::EffectError>(())
    /// ```
    pub fn at_fixed_horizon(&self, alpha: f64) -> Option<Estimate> {
        let p = t_p_two_sided(self.value / self.standard_error, self.degrees_of_freedom);
        let half_width = t_critical(alpha, self.degrees_of_freedom) * self.standard_error;
        Estimate::around(self, half_width, p)
    }
}

fn check_spread(control: &Statistic, treatment: &Statistic) -> Result<(), EffectError> {
    if control.units < 2 || treatment.units < 2 {
        return Err(EffectError::TooFewUnits);
    }
    let has_spread = |arm: &Statistic| arm.variance > 0.0 && arm.variance.is_finite();
    if has_spread(control) && has_spread(treatment) { Ok(()) } else { Err(EffectError::NoSpread) }
}

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
    rho_squared: f64,
}

impl Sequence {
    /// Makes the sequence that errs with chance `alpha` and is tightest at `planned_units` (N*, of both arms
    /// together).
    ///
    /// ρ² = (−2 ln α + ln(1 − 2 ln α))/N*. `None` unless 0 < alpha < 1 and `planned_units` > 0.
    ///
    /// ```
    /// let sequence = experiments::interval::Sequence::new(0.05, 5000).expect("in range");
    /// assert!((sequence.rho_squared().sqrt() - 0.03984006677).abs() < 1e-11);
    /// ```
    pub fn new(alpha: f64, planned_units: u64) -> Option<Sequence> {
        if !(alpha > 0.0 && alpha < 1.0) || planned_units == 0 {
            return None;
        }
        let twice_log = -2.0 * alpha.ln();
        let rho_squared = (twice_log + (1.0 + twice_log).ln()) / planned_units as f64;
        Some(Sequence { alpha, rho_squared })
    }

    /// Returns ρ², the variance of the mixing distribution.
    pub fn rho_squared(&self) -> f64 {
        self.rho_squared
    }

    /// Returns u(N), the interval's half-width in standard errors after `units` of both arms.
    ///
    /// u(N) = √[2(Nρ² + 1)/(Nρ²) · ln(√(Nρ² + 1)/α)]; infinite without units.
    ///
    /// ```
    /// let sequence = experiments::interval::Sequence::new(0.05, 5000).expect("in range");
    /// assert!((sequence.half_width_in_errors(2000) - 3.123779092).abs() < 1e-9);
    /// assert!((sequence.half_width_in_errors(5000) - 3.03520899).abs() < 1e-8);
    /// assert!((sequence.half_width_in_errors(20_000) - 3.127114144).abs() < 1e-9);
    /// ```
    pub fn half_width_in_errors(&self, units: u64) -> f64 {
        let information = units as f64 * self.rho_squared;
        let log = 0.5 * information.ln_1p() - self.alpha.ln();
        (2.0 * (information + 1.0) / information * log).sqrt()
    }

    /// Returns the p-value min(1, √(Nρ² + 1)·exp(−ρ²Nt²/(2(Nρ² + 1)))); it is at most α just when the
    /// interval leaves out zero.
    pub fn p(&self, effect: &Effect) -> f64 {
        let information = effect.units as f64 * self.rho_squared;
        let t = effect.value / effect.standard_error;
        let exponent = 0.5 * information.ln_1p() - information * t * t / (2.0 * (information + 1.0));
        exponent.exp().min(1.0)
    }

    /// Returns the interval and p-value after the effect's units. `None` when numbers leave the range of
    /// floating point.
    ///
    /// ```
    /// use experiments::{interval::{Effect, Sequence}, metric::Statistic};
    /// let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
    /// let sequence = Sequence::new(0.05, 5000).expect("in range");
    /// let estimate = sequence.estimate(&Effect::absolute(&a, &b)?).expect("finite");
    /// assert!((estimate.lower + 0.02368825908).abs() < 1e-11 && (estimate.upper - 0.06368825908).abs() < 1e-11);
    /// assert!((estimate.p - 0.938885604).abs() < 1e-9);
    /// # Ok::<(), experiments::interval::EffectError>(())
    /// ```
    pub fn estimate(&self, effect: &Effect) -> Option<Estimate> {
        let half_width = self.half_width_in_errors(effect.units) * effect.standard_error;
        Estimate::around(effect, half_width, self.p(effect))
    }
}

#[cfg(test)]
mod tests;
