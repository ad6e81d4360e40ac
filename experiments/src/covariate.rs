//! Regression adjustment by what units did before they were exposed (CUPED): the same effect, known better.
//!
//! Source: Deng, Xu, Kohavi and Walker (2013), "Improving the Sensitivity of Online Controlled Experiments by
//! Utilizing Pre-Experiment Data", WSDM, section 3. What happened before must be measured before, over a window that
//! is fixed before the unit's first exposure; a unit without a past counts as 0, in all arms alike.

use crate::effect::{Effect, EffectError, Scale, check_spread};
use crate::statistic::{Statistic, StatisticError};
use crate::sums::{Sums, SumsError};

/// Says how a column's variance is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Of zeros and ones: m(1 − m), as [`Statistic::proportion`].
    Proportion,
    /// Of any numbers, with n − 1.
    Mean,
}

/// Holds an outcome and what it is adjusted by, over the units of one arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paired {
    /// What units did.
    pub outcome: Statistic,
    /// What the same units had done before exposure.
    pub before: Statistic,
    /// How the two go together, from unit to unit.
    pub covariance: f64,
}

/// An outcome of which nothing before exposure is known.
impl From<Statistic> for Paired {
    fn from(outcome: Statistic) -> Self {
        let before = Statistic { mean: 0.0, variance: 0.0, ..outcome };
        Self { outcome, before, covariance: 0.0 }
    }
}

impl Paired {
    /// Returns the pair of sums whose columns are the outcome and the same unit's value before exposure.
    pub fn of_means(sums: &Sums<2>, measures: [Measure; 2]) -> Self {
        let statistic = |column: usize| match measures[column] {
            Measure::Mean => sums.statistic(column),
            Measure::Proportion => {
                let mean = sums.mean(column);
                Statistic { variance: mean * (1.0 - mean), ..sums.statistic(column) }
            }
        };
        Self { outcome: statistic(0), before: statistic(1), covariance: sums.covariance(0, 1) }
    }

    fn of_ratios(sums: &Sums<4>) -> Result<Self, StatisticError> {
        let (outcome, before) = (sums.ratio_of(0, 1)?, sums.ratio_of(2, 3)?);
        Ok(Self { outcome, before, covariance: sums.ratio_covariance((0, 1), (2, 3)) })
    }

    /// Returns the variance from unit to unit of g·outcome − θ·before.
    pub fn variance(&self, g: f64, theta: f64) -> f64 {
        let squares = g * g * self.outcome.variance + theta * theta * self.before.variance;
        (squares - 2.0 * g * theta * self.covariance).max(0.0)
    }

    fn adjusted(&self, theta: f64) -> Statistic {
        let mean = self.outcome.mean - theta * self.before.mean;
        Statistic { mean, variance: self.variance(1.0, theta), ..self.outcome }
    }
}

/// Holds two arms adjusted by one slope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adjustment {
    control: Paired,
    treatment: Paired,
    theta: f64,
}

impl Adjustment {
    /// Adjusts means or proportions; the columns are the outcome and the same unit's value before exposure.
    ///
    /// θ = cov(Y, X)/var(X) over both arms pooled as one sample. Without covariance or spread before exposure nothing
    /// is adjusted (θ = 0).
    ///
    /// ```
    /// use experiments::covariate::{Adjustment, Measure::Mean};
    /// use experiments::{effect::Scale, sums::Sums};
    /// let a = Sums::of(1000, [5000, 4800], [[45_000, 40_000], [0, 42_000]])?;
    /// let b = Sums::of(1100, [5830, 5390], [[54_000, 46_000], [0, 47_000]])?;
    /// let adjusted = Adjustment::of_means(&a, &b, [Mean, Mean])?;
    /// assert!((adjusted.theta() - 0.8456417288).abs() < 1e-10);
    /// let effect = adjusted.effect(Scale::Absolute)?;
    /// assert!((effect.value - 0.2154358271).abs() < 1e-10);
    /// assert!((effect.standard_error - 0.1157734734).abs() < 1e-10);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SumsError::TooLarge`] when the pooled sums leave their range.
    pub fn of_means(
        control: &Sums<2>,
        treatment: &Sums<2>,
        measures: [Measure; 2],
    ) -> Result<Self, SumsError> {
        let mut pooled = *control;
        pooled.merge(treatment)?;
        let pooled = Paired::of_means(&pooled, measures);
        let theta = slope(pooled.covariance, pooled.before.variance, pooled.outcome.variance);
        let of = |sums| Paired::of_means(sums, measures);
        Ok(Self { control: of(control), treatment: of(treatment), theta })
    }

    /// Adjusts ratios; the columns are numerator and denominator, and both again before exposure.
    ///
    /// Each ratio is linearised, (M − r·D)/D̄; θ is the sum over the arms of the covariances of the two, over the sum
    /// of the variances before. With denominators of one a unit it is the adjustment of means, but for θ. Source:
    /// growthbook, `gbstats/models/statistics.py`, `RegressionAdjustedRatioStatistic`; Deng, Knoblich and Lu (2018).
    ///
    /// # Errors
    /// [`StatisticError::NoDenominator`] unless all four denominators are above zero.
    pub fn of_ratios(control: &Sums<4>, treatment: &Sums<4>) -> Result<Self, StatisticError> {
        let (control, treatment) = (Paired::of_ratios(control)?, Paired::of_ratios(treatment)?);
        let sum = |of: fn(&Paired) -> f64| of(&control) + of(&treatment);
        let theta = slope(sum(|arm| arm.covariance), sum(|arm| arm.before.variance), 1.0);
        // So small a slope is the rounding of none.
        let theta = if theta.abs() < 1e-8 { 0.0 } else { theta };
        Ok(Self { control, treatment, theta })
    }

    /// Returns the slope θ; 0 where nothing is adjusted.
    pub fn theta(&self) -> f64 {
        self.theta
    }

    /// Returns the adjusted arms, the control first. Their means m − θx̄ mean something in differences only.
    pub fn arms(&self) -> [Statistic; 2] {
        [self.control.adjusted(self.theta), self.treatment.adjusted(self.theta)]
    }

    /// Returns the share of the variance of the difference that is left after the adjustment: about 1 − ρ² with
    /// correlation ρ, 1 where nothing was gained. `None` without variance before it.
    pub fn variance_left(&self) -> Option<f64> {
        let [a, b] = self.arms().map(|arm| arm.variance_of_mean());
        let raw = self.control.outcome.variance_of_mean() + self.treatment.outcome.variance_of_mean();
        Some((a + b) / raw).filter(|left| left.is_finite())
    }

    /// Returns the adjusted effect.
    ///
    /// The absolute one is that of the adjusted arms. The lift is the adjusted difference over the control's own
    /// mean Ȳ_a, and its variance the whole delta method's, g = −(Ȳ_b − θX̄_b + θX̄_a)/Ȳ_a: V = s′_b²/(n_bȲ_a²) +
    /// (g²s_Y² + 2θg·s_XY + θ²s_X²)_a/(n_aȲ_a²). gbstats 0.8.0 puts the adjusted variances and the raw means into the
    /// formula of unadjusted lifts, which leaves out how the control's mean and its past vary together.
    ///
    /// # Errors
    /// [`EffectError`], as [`Effect::absolute`] and [`Effect::relative`].
    pub fn effect(&self, scale: Scale) -> Result<Effect, EffectError> {
        let [a, b] = self.arms();
        if scale == Scale::Absolute {
            return Effect::absolute(&a, &b);
        }
        check_spread(&self.control.outcome, &self.treatment.outcome)?;
        let base = self.control.outcome.mean;
        if base <= 0.0 {
            return Err(EffectError::ControlNotPositive);
        }
        let value = (b.mean - a.mean) / base;
        let g = -(1.0 + value);
        let of_control = self.control.variance(g, -self.theta) / self.control.outcome.units as f64;
        let variance = (b.variance_of_mean() + of_control) / (base * base);
        Effect::of(value, variance, &a, &b)
    }
}

fn slope(covariance: f64, variance_before: f64, variance_after: f64) -> f64 {
    if variance_before > 0.0 && variance_after > 0.0 { covariance / variance_before } else { 0.0 }
}

#[cfg(test)]
mod tests;
