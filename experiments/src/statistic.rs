//! The mean and variance of a metric over the units of an arm.

use serde::Serialize;

use crate::sums::Sums;

/// Says why a metric has no mean or no variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatisticError {
    /// The denominator of a ratio is zero or below over all units together.
    #[error("the denominator's sum is not above zero")]
    NoDenominator,
    /// A quantile lies too near an end for so few events.
    #[error("too few events for a quantile so near an end")]
    TooFewEvents,
    /// A quantile's numbers are out of range or out of order.
    #[error("numbers of the quantile are out of range or out of order")]
    QuantileOutOfRange,
}

/// Holds the mean of a metric over the units of one arm and its variance from unit to unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Statistic {
    /// Units in the arm.
    pub units: u64,
    /// Mean over units; 0 without units.
    pub mean: f64,
    /// Variance of a single unit (not of the mean); 0 where it cannot be known.
    pub variance: f64,
}

impl Statistic {
    /// Returns the statistic of a proportion: mean m = x/n, variance m(1 − m), without n − 1.
    ///
    /// Source: gbstats 0.8.0, `models/statistics.py`, `ProportionStatistic`.
    ///
    /// ```
    /// use experiments::statistic::Statistic;
    /// let a = Statistic::proportion(1000, 100);
    /// assert_eq!((a.mean, a.variance), (0.1, 0.09));
    /// ```
    pub fn proportion(units: u64, conversions: u64) -> Statistic {
        if units == 0 {
            return Statistic { units, mean: 0.0, variance: 0.0 };
        }
        let (n, x) = (units as f64, conversions as f64);
        // x(n − x)/n² rather than m(1 − m): exactly 0 when all or none converted.
        let variance = x * units.saturating_sub(conversions) as f64 / (n * n);
        Statistic { units, mean: x / n, variance }
    }

    /// Returns the statistic of a mean: m = Σy/n, variance (Σy² − (Σy)²/n)/(n − 1).
    ///
    /// Source: gbstats 0.8.0, `models/statistics.py`, `SampleMeanStatistic`. In floating point this difference loses
    /// every digit when the mean is far above the spread; the sums being integers, it is taken exactly
    /// ([`Sums::covariance`]).
    ///
    /// ```
    /// use experiments::statistic::Statistic;
    /// let b = Statistic::mean(1000, 5000, 45_000);
    /// assert_eq!((b.mean, b.variance), (5.0, 20_000.0 / 999.0));
    /// // 10^9, 10^9 + 1, 10^9 + 2: a variance of 1, of which floating-point sums keep nothing.
    /// let far = Statistic::mean(3, 3_000_000_003, 3_000_000_006_000_000_005);
    /// assert_eq!((far.mean, far.variance), (1_000_000_001.0, 1.0));
    /// ```
    pub fn mean(units: u64, sum: i64, sum_squares: u128) -> Statistic {
        let mean = if units == 0 { 0.0 } else { sum as f64 / units as f64 };
        let squares = i128::try_from(sum_squares).ok();
        // Sums that no sample could have (Cauchy–Schwarz), or beyond all that is added up, count as no spread.
        let sums = squares.and_then(|squares| Sums::of(units, [sum.into()], [[squares]]).ok());
        sums.map_or(Statistic { units, mean, variance: 0.0 }, |sums| sums.statistic(0))
    }

    /// Returns the variance of the mean, s²/n; 0 without units.
    pub fn variance_of_mean(&self) -> f64 {
        if self.units == 0 { 0.0 } else { self.variance / self.units as f64 }
    }
}

/// What sums over units say: the mean and the variance of a column, or of a ratio of two.
impl<const D: usize> Sums<D> {
    /// Returns the mean and variance of a column, as a metric of its own.
    pub fn statistic(&self, column: usize) -> Statistic {
        Statistic { units: self.units(), mean: self.mean(column), variance: self.covariance(column, column) }
    }

    /// The ratio of two columns.
    pub(crate) fn ratio_of(&self, numerator: usize, denominator: usize) -> Result<Statistic, StatisticError> {
        if self.sum(denominator) <= 0 {
            return Err(StatisticError::NoDenominator);
        }
        let mean = self.sum(numerator) as f64 / self.sum(denominator) as f64;
        let variance = self.ratio_covariance((numerator, denominator), (numerator, denominator)).max(0.0);
        Ok(Statistic { units: self.units(), mean, variance })
    }
}

impl Sums<2> {
    /// Returns the ratio of the columns' sums, r = ΣM/ΣD, and its variance from unit to unit by the delta method.
    ///
    /// s² = s_M²/D̄² − 2·s_MD·M̄/D̄³ + s_D²·M̄²/D̄⁴, which is the variance of (M − r·D)/D̄. The unit is what was
    /// randomised: units without denominator stay in with D = 0. Source: Deng, Knoblich and Lu (2018), "Applying the
    /// Delta Method in Metric Analytics", KDD, section 3.1; as gbstats 0.8.0, `RatioStatistic`.
    ///
    /// ```
    /// use experiments::{effect::Effect, sums::Sums};
    /// let a = Sums::of(1000, [3000, 6000], [[15_000, 24_000], [0, 48_000]])?.ratio()?;
    /// let b = Sums::of(1100, [3500, 6600], [[17_500, 27_000], [0, 52_000]])?.ratio()?;
    /// let effect = Effect::absolute(&a, &b)?;
    /// assert!((effect.value - 0.0303030303).abs() < 1e-11);
    /// assert!((effect.standard_error - 0.0127884091).abs() < 1e-11);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`StatisticError::NoDenominator`] unless the denominator's sum is above zero.
    pub fn ratio(&self) -> Result<Statistic, StatisticError> {
        self.ratio_of(0, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_or_single_unit_has_no_spread_and_no_nan() {
        for statistic in [
            Statistic::proportion(0, 0),
            Statistic::mean(0, 0, 0),
            Statistic::mean(1, -7, 49),
            Statistic::proportion(9, 9),
            Statistic::proportion(9, 0),
        ] {
            assert_eq!(statistic.variance, 0.0);
            assert!(statistic.mean.is_finite());
        }
    }

    #[test]
    fn nothing_is_divided_by_nothing() {
        assert_eq!(Sums::<2>::default().ratio(), Err(StatisticError::NoDenominator));
    }

    #[test]
    fn sums_beyond_exact_arithmetic_stay_finite() {
        let huge = Statistic::mean(u64::MAX, i64::MAX, u128::MAX);
        assert!(huge.mean.is_finite() && huge.variance.is_finite() && huge.variance >= 0.0);
        let impossible = Statistic::mean(10, 1_000_000, 1);
        assert_eq!(impossible.variance, 0.0);
    }

    #[test]
    fn variance_matches_the_definition_on_a_small_sample() {
        let sample = [1250_i64, 0, 0, 4599, -300, 0, 1250];
        let squares = sample.iter().map(|y| u128::from(y.unsigned_abs()).pow(2)).sum();
        let statistic = Statistic::mean(7, sample.iter().sum(), squares);
        let n = sample.len() as f64;
        let mean = sample.iter().sum::<i64>() as f64 / n;
        let variance = sample.iter().map(|&y| (y as f64 - mean).powi(2)).sum::<f64>() / (n - 1.0);
        assert!((statistic.mean - mean).abs() < 1e-9);
        assert!((statistic.variance / variance - 1.0).abs() < 1e-14);
    }
}
