//! Quantiles, such as the 90 % point of page latency, and their variance from three order statistics.

use crate::statistic::{Statistic, StatisticError};
use crate::sums::Sums;

/// z at 97.5 %: the width at which the outer quantiles are read, whatever the interval's chance of error is.
const Z: f64 = 1.959_963_984_540_054;
/// Least variance of a quantile with [`FLOOR_FROM_EVENTS`] events or more: equal values must not look certain.
const VARIANCE_MIN: f64 = 1e-5;
const FLOOR_FROM_EVENTS: u64 = 100;
/// From so many events on, outer quantiles that are equal are believed.
const TIES_FROM_EVENTS: u64 = 1000;

/// Holds a sample quantile of the events of one arm with two more around it, from which its variance follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantile {
    /// Events.
    pub events: u64,
    /// Events at which the width of `lower` to `upper` was chosen, [`Quantile::grid_size`].
    pub grid_size: u64,
    /// Which quantile, above 0 and below 1.
    pub level: f64,
    /// The sample quantile at `level`.
    pub value: f64,
    /// The sample quantile at the lower of [`Quantile::outer_levels`].
    pub lower: f64,
    /// The sample quantile at the upper of them.
    pub upper: f64,
}

impl Quantile {
    /// Returns the largest of 100, 200, 400, … 100·2¹⁹ that is not above the events, or the events below 100.
    ///
    /// A query can then ask for a few fixed levels before it knows how many events there are.
    ///
    /// ```
    /// use experiments::quantile::Quantile;
    /// assert_eq!([7, 100, 2000, 2100, u64::MAX].map(Quantile::grid_size), [7, 100, 1600, 1600, 52_428_800]);
    /// ```
    pub fn grid_size(events: u64) -> u64 {
        if events < 100 {
            return events;
        }
        100 << (events / 100).ilog2().min(19)
    }

    /// Returns the levels at which the outer quantiles are read: ν ∓ z₀.₉₇₅·√(ν(1 − ν)/n*), within 0 to 1.
    ///
    /// ```
    /// let [lower, upper] = experiments::quantile::Quantile::outer_levels(0.9, 1600);
    /// assert!((lower - 0.8853).abs() < 1e-4 && (upper - 0.9147).abs() < 1e-4);
    /// ```
    pub fn outer_levels(level: f64, grid_size: u64) -> [f64; 2] {
        let half_width = Z * (level * (1.0 - level) / grid_size.max(1) as f64).sqrt();
        [(level - half_width).clamp(0.0, 1.0), (level + half_width).clamp(0.0, 1.0)]
    }

    /// Reads all three quantiles of values that are sorted, interpolating between neighbours.
    ///
    /// ```
    /// use experiments::quantile::Quantile;
    /// let latencies: Vec<i64> = (1..=1000).collect();
    /// let p90 = Quantile::of_sorted(&latencies, 0.9).expect("enough events");
    /// assert!((p90.value - 900.1).abs() < 1e-9);
    /// assert!(p90.lower < p90.value && p90.value < p90.upper);
    /// ```
    ///
    /// `None` without values or with a level that is not between 0 and 1.
    pub fn of_sorted(values: &[i64], level: f64) -> Option<Quantile> {
        let events = values.len() as u64;
        let is_level = level > 0.0 && level < 1.0;
        if values.is_empty() || !is_level {
            return None;
        }
        let grid_size = Quantile::grid_size(events);
        let [lower, upper] = Quantile::outer_levels(level, grid_size).map(|level| at(values, level));
        Some(Quantile { events, grid_size, level, value: at(values, level), lower, upper })
    }

    /// Returns the statistic of events that are independent, as where the event itself is randomised.
    ///
    /// s² = (n*/n)(n − 1)((U − L)/(2·z₀.₉₇₅))². Sources: Yao, Li and Lu (2024), "Modernizing Quantile Estimation in
    /// Experiments", algorithm 1; gbstats 0.8.0, `QuantileStatistic`.
    ///
    /// ```
    /// use experiments::quantile::Quantile;
    /// let a = Quantile { events: 2000, grid_size: 1600, level: 0.9, value: 10.0, lower: 9.6, upper: 10.5 };
    /// assert!((a.statistic()?.variance - 84.30078653).abs() < 1e-8);
    /// # Ok::<(), experiments::statistic::StatisticError>(())
    /// ```
    ///
    /// # Errors
    /// [`StatisticError::QuantileOutOfRange`] for levels outside 0 to 1, numbers that are none or a lower quantile
    /// above the upper; [`StatisticError::TooFewEvents`] when n ≤ z²ν/(1 − ν) or n ≤ z²(1 − ν)/ν, z² = 3.84.
    pub fn statistic(&self) -> Result<Statistic, StatisticError> {
        self.with_design_effect(1.0)
    }

    /// Returns the statistic where units are randomised that have several events each.
    ///
    /// The columns of `clusters` are, for each unit, its events at most at the quantile, S, and all its events, N. The
    /// variance of [`Quantile::statistic`] is multiplied by σ_c²/(ν(1 − ν)/n), with σ_c² = [s_S² − 2(S̄/N̄)s_SN +
    /// (S̄/N̄)²s_N²]/(K·N̄²) over K units. Sources: Deng, Knoblich and Lu (2018), section 4.3; gbstats 0.8.0,
    /// `QuantileClusteredStatistic`. (GrowthBook's documentation prints the ratio upside down.)
    ///
    /// ```
    /// use experiments::{quantile::Quantile, sums::Sums};
    /// let a = Quantile { events: 2000, grid_size: 1600, level: 0.9, value: 10.0, lower: 9.6, upper: 10.5 };
    /// let clusters = Sums::of(500, [1800, 2000], [[9400, 10_000], [0, 11_000]])?;
    /// assert!((a.clustered(&clusters)?.variance - 145.4756392).abs() < 1e-7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Quantile::statistic`], and [`StatisticError::NoDenominator`] when no unit has an event.
    pub fn clustered(&self, clusters: &Sums<2>) -> Result<Statistic, StatisticError> {
        let of_clusters = clusters.ratio()?.variance_of_mean();
        let of_events = self.level * (1.0 - self.level) / self.events as f64;
        self.with_design_effect(of_clusters / of_events)
    }

    pub(crate) fn with_design_effect(&self, design_effect: f64) -> Result<Statistic, StatisticError> {
        let odds = self.level / (1.0 - self.level);
        let is_fit = odds > 0.0 && odds.is_finite() && self.lower <= self.upper && self.value.is_finite();
        if !is_fit || self.grid_size == 0 {
            return Err(StatisticError::QuantileOutOfRange);
        }
        let n = self.events as f64;
        if self.events < 2 || n <= Z * Z * odds || n <= Z * Z / odds {
            return Err(StatisticError::TooFewEvents);
        }
        let spread = (self.upper - self.lower) / (2.0 * Z);
        let variance = self.grid_size as f64 / n * (n - 1.0) * spread * spread * design_effect;
        if !variance.is_finite() {
            return Err(StatisticError::QuantileOutOfRange);
        }
        let variance = match self.events {
            // Ties say that a sample is too coarse, unless it is a large one.
            events if variance <= 0.0 && events < TIES_FROM_EVENTS => 0.0,
            events if events >= FLOOR_FROM_EVENTS => variance.max(VARIANCE_MIN),
            _ => variance,
        };
        Ok(Statistic { units: self.events, mean: self.value, variance })
    }
}

/// The quantile of sorted values, interpolated linearly (Hyndman and Fan 1996, type 7).
fn at(sorted: &[i64], level: f64) -> f64 {
    let position = level * (sorted.len() - 1) as f64;
    let below = (position.floor() as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    let (low, high) = (sorted[below] as f64, sorted[above] as f64);
    low + (position - below as f64) * (high - low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::{Effect, EffectError};
    use proptest::prelude::*;

    fn example_e() -> [Quantile; 2] {
        let a = Quantile { events: 2000, grid_size: 1600, level: 0.9, value: 10.0, lower: 9.6, upper: 10.5 };
        [a, Quantile { events: 2100, value: 10.4, lower: 9.9, upper: 10.9, ..a }]
    }

    fn assert_digits(found: f64, printed: f64) {
        assert!((found - printed).abs() <= printed.abs() * 6e-10, "{found} is not {printed}");
    }

    /// Examples E and E′ of gbstats 0.8.0.
    #[test]
    fn effects_are_as_printed() {
        let [a, b] = example_e();
        let effect = Effect::absolute(&a.statistic().unwrap(), &b.statistic().unwrap()).unwrap();
        assert_digits(effect.value, 0.4);
        assert_digits(effect.standard_error, 0.3028384373);
        assert_digits(effect.degrees_of_freedom, 4084.998658);
        let of = |sums: [i128; 5], units| {
            Sums::of(units, [sums[0], sums[1]], [[sums[2], sums[4]], [0, sums[3]]]).unwrap()
        };
        let a = a.clustered(&of([1800, 2000, 9400, 11_000, 10_000], 500)).unwrap();
        let b = b.clustered(&of([1890, 2100, 9800, 11_400, 10_400], 520)).unwrap();
        assert_digits(b.variance, 173.2450293);
        let effect = Effect::absolute(&a, &b).unwrap();
        assert_digits(effect.standard_error, 0.3939993053);
        assert_digits(effect.degrees_of_freedom, 4091.940912);
    }

    #[test]
    fn quantiles_that_cannot_be_told_are_refused() {
        let [a, _] = example_e();
        let few = |events, level| Quantile { events, level, ..a }.statistic();
        assert_eq!(few(34, 0.9), Err(StatisticError::TooFewEvents));
        assert!(few(35, 0.9).is_ok());
        assert_eq!(few(34, 0.1), Err(StatisticError::TooFewEvents));
        assert_eq!(few(1, 0.5), Err(StatisticError::TooFewEvents));
        for level in [0.0, 1.0, -1.0, f64::NAN] {
            assert_eq!(few(2000, level), Err(StatisticError::QuantileOutOfRange));
        }
        assert!(Quantile { lower: f64::NAN, ..a }.statistic().is_err());
        assert!(Quantile { upper: f64::INFINITY, ..a }.statistic().is_err());
        let tied = |events| Quantile { events, lower: 10.0, upper: 10.0, ..a }.statistic().unwrap();
        assert_eq!(Effect::absolute(&tied(999), &tied(2000)), Err(EffectError::NoSpread));
        assert_eq!(tied(1000).variance, VARIANCE_MIN);
        assert!(Quantile::of_sorted(&[], 0.5).is_none() && Quantile::of_sorted(&[1], 1.0).is_none());
    }

    proptest! {
        #[test]
        fn sorted_values_give_quantiles_in_order(
            mut values in proptest::collection::vec(any::<i32>().prop_map(i64::from), 1..300), level in 0.01..0.99_f64,
        ) {
            values.sort_unstable();
            let quantile = Quantile::of_sorted(&values, level).unwrap();
            prop_assert!(quantile.lower <= quantile.value && quantile.value <= quantile.upper);
            if let Ok(statistic) = quantile.statistic() {
                prop_assert!(statistic.variance >= 0.0 && statistic.variance.is_finite());
            }
        }
    }
}
