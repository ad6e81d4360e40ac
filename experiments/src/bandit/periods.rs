//! Means over periods in which the weights differed.

use crate::statistic::Statistic;
use crate::sums::Sums;

/// Says why means over periods cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Periods differ in their number of arms, or there are none.
    #[error("period {period} has {found} arms, the first has {expected}")]
    ArmsDiffer {
        /// The period's index.
        period: usize,
        /// Its arms.
        found: usize,
        /// The first period's arms.
        expected: usize,
    },
    /// An arm has fewer than two units in a period, so that its mean would be one over other periods than the others'.
    /// A floor on the weights, or longer periods, prevent it.
    #[error("arm {arm} has {units} units in period {period}, the fewest is 2")]
    TooFewUnits {
        /// The period's index.
        period: usize,
        /// The arm's index.
        arm: usize,
        /// Its units.
        units: u64,
    },
}

/// Returns each arm's mean over periods, every period weighing as many units as all arms had in it.
///
/// With ω_p = units of period p over all units: m = Σω_pȳ_p, and the variance of m is Σω_p²s_p²/n_p. Pooled means
/// would compare the good days of one arm with the bad days of another as soon as weights follow results (Simpson's
/// paradox). Source: growthbook, `bandit-statistics-fact-metric-cte.ts`.
///
/// ```
/// use experiments::{bandit::over_periods, sums::Sums};
/// let arm = |units, sum| Sums::of(units, [sum], [[sum]]);
/// let periods = [vec![arm(100, 10)?, arm(100, 14)?], vec![arm(50, 10)?, arm(250, 60)?]];
/// let arms = over_periods(&periods)?;
/// assert!((arms[0].mean - 0.16).abs() < 1e-12 && (arms[1].mean - 0.20).abs() < 1e-12);
/// assert!((arms[0].variance_of_mean() - 0.00132096475).abs() < 1e-12);
/// assert!((arms[1].variance_of_mean() - 0.000458296702).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`PeriodError`].
pub fn over_periods(periods: &[Vec<Sums<1>>]) -> Result<Vec<Statistic>, PeriodError> {
    let shares = shares(periods)?;
    let arms = periods.first().map_or(0, Vec::len);
    let of_arm = |arm: usize| combine(periods, &shares, arm, |sums| sums.statistic(0));
    Ok((0..arms).map(of_arm).collect())
}

/// Returns the same of outcomes adjusted by what units did before exposure; the columns are outcome and past.
///
/// One slope for all arms and periods: θ = Σω_p²cov_p/Σω_p²var_p.
///
/// # Errors
/// [`PeriodError`].
pub fn over_adjusted_periods(periods: &[Vec<Sums<2>>]) -> Result<Vec<Statistic>, PeriodError> {
    let shares = shares(periods)?;
    let arms = periods.first().map_or(0, Vec::len);
    let over = |one: usize, other: usize| -> f64 {
        let of_period = |(sums, share): (&Vec<Sums<2>>, &f64)| {
            share * share * sums.iter().map(|arm| arm.covariance(one, other)).sum::<f64>()
        };
        periods.iter().zip(&shares).map(of_period).sum()
    };
    let theta = if over(1, 1) > 0.0 { over(0, 1) / over(1, 1) } else { 0.0 };
    let adjusted = |sums: &Sums<2>| {
        let variance = sums.covariance(0, 0) + theta * theta * sums.covariance(1, 1)
            - 2.0 * theta * sums.covariance(0, 1);
        let mean = sums.mean(0) - theta * sums.mean(1);
        Statistic { units: sums.units(), mean, variance: variance.max(0.0) }
    };
    Ok((0..arms).map(|arm| combine(periods, &shares, arm, adjusted)).collect())
}

fn shares<const D: usize>(periods: &[Vec<Sums<D>>]) -> Result<Vec<f64>, PeriodError> {
    let expected = periods.first().map_or(0, Vec::len);
    for (period, arms) in periods.iter().enumerate() {
        if arms.len() != expected {
            return Err(PeriodError::ArmsDiffer { period, found: arms.len(), expected });
        }
        if let Some((arm, sums)) = arms.iter().enumerate().find(|(_, sums)| sums.units() < 2) {
            return Err(PeriodError::TooFewUnits { period, arm, units: sums.units() });
        }
    }
    let units: Vec<f64> =
        periods.iter().map(|arms| arms.iter().map(|sums| sums.units() as f64).sum()).collect();
    let all: f64 = units.iter().sum();
    Ok(units.into_iter().map(|units| units / all).collect())
}

fn combine<const D: usize>(
    periods: &[Vec<Sums<D>>],
    shares: &[f64],
    arm: usize,
    of: impl Fn(&Sums<D>) -> Statistic,
) -> Statistic {
    let mut found = Statistic { units: 0, mean: 0.0, variance: 0.0 };
    let mut variance_of_mean = 0.0;
    for (sums, share) in periods.iter().zip(shares) {
        let statistic = of(&sums[arm]);
        found.units = found.units.saturating_add(statistic.units);
        found.mean += share * statistic.mean;
        variance_of_mean += share * share * statistic.variance_of_mean();
    }
    Statistic { variance: variance_of_mean * found.units as f64, ..found }
}
