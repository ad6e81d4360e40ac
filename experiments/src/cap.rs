//! Caps on what one unit may bring (winsorising), so that a single buyer does not decide an experiment.

/// Says how much of a unit's total counts at most.
///
/// A cap is applied to each unit's total, before any sums, and to what the unit did before exposure by a cap of its
/// own. It is never taken arm by arm, which would bias the comparison: a percentile is that of the totals of all arms
/// together. The effect is then one on the capped mean. Since a percentile moves with the data, looks of a sequential
/// test share one that was frozen. Caps do not suit proportions and quantiles. Source: GrowthBook,
/// `docs/app/metrics.mdx`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cap {
    /// At most so much.
    Absolute(i64),
    /// At most the quantile of unit totals at this level, pooled over all arms.
    Percentile {
        /// Which, above 0 and below 1.
        level: f64,
        /// Whether units with a total of 0 are left out when it is read.
        ignores_zeros: bool,
    },
}

impl Cap {
    /// Returns the most that a unit may count, given the totals of the units of all arms, sorted.
    ///
    /// A percentile is an order statistic, rank ⌈level·n⌉, so that it is a value that occurred and the sums stay
    /// integers. `None`, and so no cap, without totals or with a level outside 0 to 1.
    ///
    /// ```
    /// use experiments::cap::Cap;
    /// let totals = [0, 0, 0, 0, 0, 100, 200, 300, 400, 90_000];
    /// let most = |ignores_zeros| Cap::Percentile { level: 0.8, ignores_zeros }.limit(&totals);
    /// assert_eq!((most(false), most(true)), (Some(300), Some(400)));
    /// assert_eq!(Cap::Absolute(250).limit(&[]), Some(250));
    /// ```
    pub fn limit(self, sorted_totals: &[i64]) -> Option<i64> {
        match self {
            Cap::Absolute(most) => Some(most),
            Cap::Percentile { level, .. } if !(level > 0.0 && level < 1.0) => None,
            Cap::Percentile { level, ignores_zeros: false } => {
                ranked(level, sorted_totals.len(), |rank| sorted_totals.get(rank).copied())
            }
            Cap::Percentile { level, ignores_zeros: true } => {
                let first = sorted_totals.partition_point(|&total| total < 0);
                let after = sorted_totals.partition_point(|&total| total <= 0);
                ranked(level, sorted_totals.len() - (after - first), |rank| {
                    let index = if rank < first { rank } else { rank + after - first };
                    sorted_totals.get(index).copied()
                })
            }
        }
    }
}

fn ranked(level: f64, totals: usize, at: impl Fn(usize) -> Option<i64>) -> Option<i64> {
    // A hair less, so that 0.95 · 20 is rank 19 whatever its last bit.
    let rank = (level * totals as f64 * (1.0 - 1e-12)).ceil() as usize;
    at(rank.checked_sub(1)?)
}

/// Returns a unit's total as it counts under a limit.
///
/// ```
/// assert_eq!(experiments::cap::capped(90_000, Some(400)), 400);
/// assert_eq!(experiments::cap::capped(-20, Some(400)), -20);
/// ```
pub fn capped(total: i64, limit: Option<i64>) -> i64 {
    limit.map_or(total, |most| total.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn odd_caps_are_none() {
        let percentile = |level| Cap::Percentile { level, ignores_zeros: true };
        for level in [0.0, 1.0, -0.5, f64::NAN] {
            assert_eq!(percentile(level).limit(&[1, 2, 3]), None);
        }
        assert_eq!(percentile(0.5).limit(&[]), None);
        assert_eq!(percentile(0.5).limit(&[0, 0]), None);
        assert_eq!(capped(7, None), 7);
    }

    proptest! {
        #[test]
        fn about_the_level_stays_below(
            mut totals in proptest::collection::vec(-50_i64..1000, 1..200), level in 0.01..0.99_f64,
        ) {
            totals.sort_unstable();
            let limit = Cap::Percentile { level, ignores_zeros: false }.limit(&totals).unwrap();
            let at_most = totals.iter().filter(|&&total| total <= limit).count() as f64;
            let below = totals.iter().filter(|&&total| total < limit).count() as f64;
            let n = totals.len() as f64;
            prop_assert!(at_most >= level * n * (1.0 - 1e-9) && below <= level * n);
            let others: Vec<i64> = totals.iter().copied().filter(|&total| total != 0).collect();
            let without = Cap::Percentile { level, ignores_zeros: false }.limit(&others);
            let ignoring = Cap::Percentile { level, ignores_zeros: true }.limit(&totals);
            prop_assert_eq!(without, ignoring);
        }
    }
}
