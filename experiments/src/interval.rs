//! An estimate with its interval, and the t-test's, which is valid for one look that was planned.

use serde::{Deserialize, Serialize};

use crate::distribution::student;
use crate::effect::Effect;

/// Says which effects a test looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alternative {
    /// Any effect; the interval has two ends.
    #[default]
    TwoSided,
    /// An effect above zero; the interval has a lower end only.
    Greater,
    /// An effect below zero; the interval has an upper end only.
    Less,
}

/// Holds an estimated effect with an interval and a p-value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The estimated effect.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Lower end of the interval; minus infinity where only an upper one was asked for.
    pub lower: f64,
    /// Upper end of the interval; infinity where only a lower one was asked for.
    pub upper: f64,
    /// p-value of no effect.
    pub p: f64,
}

impl Estimate {
    /// Returns whether the interval leaves out zero.
    pub fn excludes_zero(&self) -> bool {
        self.lower > 0.0 || self.upper < 0.0
    }

    /// The estimate with an interval of so many standard errors. An infinite width is one: nothing is known yet.
    pub(crate) fn around(
        effect: &Effect,
        alternative: Alternative,
        width_in_errors: f64,
        p: f64,
    ) -> Option<Estimate> {
        let Effect { value, standard_error, .. } = *effect;
        let width = width_in_errors * standard_error;
        let (lower, upper) = match alternative {
            Alternative::TwoSided => (value - width, value + width),
            Alternative::Greater => (value - width, f64::INFINITY),
            Alternative::Less => (f64::NEG_INFINITY, value + width),
        };
        let is_number = value.is_finite() && standard_error.is_finite();
        let is_told = is_number && !width.is_nan() && !p.is_nan();
        is_told.then_some(Estimate { value, standard_error, lower, upper, p: p.clamp(0.0, 1.0) })
    }
}

impl Effect {
    /// Returns the t-test's interval and p-value, valid for one look that was planned beforehand.
    ///
    /// t = Δ/SE, p = 2(1 − F(|t|)), Δ ± t(1 − α/2)·SE with Welch's degrees of freedom (Welch 1947). `None`
    /// when numbers leave the range of floating point.
    ///
    /// ```
    /// use experiments::{effect::Effect, statistic::Statistic};
    /// let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
    /// let test = Effect::absolute(&a, &b)?.at_fixed_horizon(0.05).expect("finite");
    /// assert!((test.lower + 0.007428203192).abs() < 1e-12 && (test.upper - 0.04742820319).abs() < 1e-11);
    /// assert!((test.p - 0.1528653561).abs() < 1e-10);
    /// # Ok::<(), experiments::effect::EffectError>(())
    /// ```
    pub fn at_fixed_horizon(&self, alpha: f64) -> Option<Estimate> {
        self.t_test(alpha, Alternative::TwoSided)
    }

    /// Returns the t-test's interval and p-value for an effect on either side or on one.
    ///
    /// One-sided, the interval ends t(1 − α)·SE below the effect (greater) or above it (less). (In gbstats 0.8.0 the
    /// upper end of "less" lies below the estimate, a slip.) `None` unless 0 < alpha < 1 and numbers stay in range.
    ///
    /// ```
    /// use experiments::{effect::Effect, interval::Alternative, statistic::Statistic};
    /// let (a, b) = (Statistic::proportion(1000, 100), Statistic::proportion(1000, 120));
    /// let test = Effect::absolute(&a, &b)?.t_test(0.025, Alternative::Less).expect("finite");
    /// assert!((test.upper - 0.04742820319).abs() < 1e-11 && test.lower == f64::NEG_INFINITY);
    /// assert!((test.p - (1.0 - 0.1528653561 / 2.0)).abs() < 1e-10);
    /// # Ok::<(), experiments::effect::EffectError>(())
    /// ```
    pub fn t_test(&self, alpha: f64, alternative: Alternative) -> Option<Estimate> {
        if !(alpha > 0.0 && alpha < 1.0) {
            return None;
        }
        let (t, df) = (self.z(), self.degrees_of_freedom);
        let (p, width) = match alternative {
            Alternative::TwoSided => (student::two_tails(t, df), student::critical(alpha, df)),
            Alternative::Greater => (student::upper_tail(t, df), student::critical_above(alpha, df)),
            Alternative::Less => (student::upper_tail(-t, df), student::critical_above(alpha, df)),
        };
        Estimate::around(self, alternative, width, p)
    }
}

#[cfg(test)]
mod tests;
