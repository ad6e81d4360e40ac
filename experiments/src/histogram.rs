//! Values of events in buckets, from which quantiles and their clustered variance are read: whole numbers only, so that any
//! order of events gives the same histogram.
//!
//! Values up to 127 have a bucket each; above there are 64 in every doubling, none wider than 1.6 % of its values. How
//! events of one unit go together is kept in coarser ranges, 8 in every doubling.

use std::collections::BTreeMap;

use crate::quantile::Quantile;
use crate::statistic::{Statistic, StatisticError};
use crate::sums::Sums;

/// Buckets of one value each.
const EXACT: i64 = 128;
/// Buckets in a doubling, as a power of two.
const FINE_BITS: u32 = 6;
/// Fine buckets that make one range.
const PER_RANGE: u16 = 8;

/// Returns the bucket of a value; what is not above zero falls into the first.
///
/// ```
/// use experiments::histogram::{bounds_of, bucket_of};
/// assert_eq!([-5, 0, 1, 127, 128, 129, 130].map(bucket_of), [0, 0, 1, 127, 128, 128, 129]);
/// assert_eq!(bounds_of(bucket_of(1_000)), [1000, 1008]);
/// ```
pub fn bucket_of(value: i64) -> u16 {
    if value < EXACT {
        return u16::try_from(value.max(0)).unwrap_or(0);
    }
    let doubling = value.ilog2();
    let within = (value >> (doubling - FINE_BITS)) - (1 << FINE_BITS);
    let first = EXACT + (i64::from(doubling) - 7) * (1 << FINE_BITS);
    u16::try_from(first + within).unwrap_or(u16::MAX)
}

/// Returns the least value of a bucket and the least of the next.
pub fn bounds_of(bucket: u16) -> [i64; 2] {
    let bucket = i64::from(bucket);
    if bucket < EXACT {
        return [bucket, bucket + 1];
    }
    let (doubling, within) = ((bucket - EXACT) / 64, (bucket - EXACT) % 64);
    let least = |within: i64| {
        (64 + within).checked_shl(u32::try_from(doubling + 1).unwrap_or(63)).unwrap_or(i64::MAX)
    };
    [least(within), least(within + 1)]
}

fn range_of(bucket: u16) -> u16 {
    if bucket < 16 { bucket } else { 16 + (bucket - 16) / PER_RANGE }
}

/// Holds the events of one arm's units.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Histogram {
    counts: BTreeMap<u16, u64>,
    /// Over units, the events in one range times those in another, the lower one first.
    pairs: BTreeMap<(u16, u16), i128>,
}

impl Histogram {
    pub(crate) const fn nothing() -> Self {
        Self { counts: BTreeMap::new(), pairs: BTreeMap::new() }
    }

    /// Adds the events of other units.
    pub fn merge(&mut self, other: &Self) {
        for (&bucket, &count) in &other.counts {
            let total = self.counts.entry(bucket).or_default();
            *total = total.saturating_add(count);
        }
        for (&ranges, &product) in &other.pairs {
            *self.pairs.entry(ranges).or_default() += product;
        }
    }

    /// Adds what a unit has now in place of what it had before.
    pub fn replace(&mut self, before: &BTreeMap<u16, u32>, after: &BTreeMap<u16, u32>) {
        self.count(before, -1);
        self.count(after, 1);
    }

    fn count(&mut self, events: &BTreeMap<u16, u32>, sign: i128) {
        let mut ranges: BTreeMap<u16, i128> = BTreeMap::new();
        for (&bucket, &count) in events {
            let total = self.counts.entry(bucket).or_default();
            *total = if sign > 0 {
                total.saturating_add(count.into())
            } else {
                total.saturating_sub(count.into())
            };
            *ranges.entry(range_of(bucket)).or_default() += i128::from(count);
        }
        for (&low, &one) in &ranges {
            for (&high, &other) in ranges.range(low..) {
                *self.pairs.entry((low, high)).or_default() += sign * one * other;
            }
        }
        self.counts.retain(|_, count| *count > 0);
        self.pairs.retain(|_, product| *product != 0);
    }

    /// Returns the number of events.
    pub fn events(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Returns the sample quantile at a level, interpolated between neighbours (Hyndman and Fan 1996, type 7), each of which
    /// stands where its rank has it in its bucket; `None` without events.
    pub fn quantile(&self, level: f64) -> Option<f64> {
        let last = self.events().checked_sub(1)?;
        let position = level.clamp(0.0, 1.0) * last as f64;
        let low = (position.floor() as u64).min(last);
        let (one, other) = (self.ranked(low)?, self.ranked((low + 1).min(last))?);
        Some(one + (position - low as f64) * (other - one))
    }

    /// The value of a rank from 0; the values of a bucket are taken to lie in it evenly.
    fn ranked(&self, rank: u64) -> Option<f64> {
        let mut below = 0_u64;
        for (&bucket, &count) in &self.counts {
            if rank < below + count {
                let [least, next] = bounds_of(bucket);
                // A bucket of one value says which it is.
                let width = if next - least == 1 { 0.0 } else { (next - least) as f64 };
                return Some(least as f64 + width * ((rank - below) as f64 + 0.5) / count as f64);
            }
            below += count;
        }
        None
    }

    /// Returns the statistic of a quantile, its variance that of units with several events each.
    ///
    /// As [`Quantile::clustered`], with the design effect read at the end of a range that is nearest to the quantile; it
    /// changes slowly from one to the next. It is told per unit, so that sizes that are planned in units fit. Where all events lie in one range, those of a unit are taken to be one.
    ///
    /// # Errors
    /// As [`Quantile::statistic`]; [`StatisticError::TooFewEvents`] without events.
    pub fn statistic(&self, units: u64, level: f64) -> Result<Statistic, StatisticError> {
        let events = self.events();
        let grid_size = Quantile::grid_size(events);
        let [lower, upper] = Quantile::outer_levels(level, grid_size);
        let at = |level| self.quantile(level).ok_or(StatisticError::TooFewEvents);
        let (lower, value, upper) = (at(lower)?, at(level)?, at(upper)?);
        let quantile = Quantile { events, grid_size, level, value, lower, upper };
        let of_events = quantile.with_design_effect(self.design_effect(units, level))?;
        let variance = of_events.variance_of_mean() * units as f64;
        Ok(Statistic { units, variance, ..of_events })
    }

    fn design_effect(&self, units: u64, level: f64) -> f64 {
        let events = self.events() as f64;
        let share_below = |end: u16| self.below(end) as f64 / events;
        let ends = self.pairs.keys().filter(|(low, high)| low == high).map(|(range, _)| *range);
        let inner = ends.map(|end| (end, share_below(end))).filter(|(_, share)| *share > 0.0 && *share < 1.0);
        let nearest = inner.min_by(|one, other| (one.1 - level).abs().total_cmp(&(other.1 - level).abs()));
        let squares = |filter: &dyn Fn(u16) -> bool, other: &dyn Fn(u16) -> bool| -> i128 {
            let of = |(&(low, high), &product): (&(u16, u16), &i128)| {
                let crossed = i128::from(filter(low) && other(high))
                    + i128::from(low != high && filter(high) && other(low));
                crossed * product
            };
            self.pairs.iter().map(of).sum()
        };
        let all = |_: u16| true;
        let Some((end, share)) = nearest else { return squares(&all, &all) as f64 / events };
        let below = |range: u16| range <= end;
        let products = [[squares(&below, &below), squares(&below, &all)], [0, squares(&all, &all)]];
        let sums = [self.below(end).into(), i128::from(self.events())];
        let clusters = Sums::of(units, sums, products).ok().and_then(|sums| sums.ratio().ok());
        let of_events = share * (1.0 - share) / events;
        clusters.map_or(1.0, |clusters| clusters.variance_of_mean() / of_events)
    }

    /// Events up to the end of a range.
    fn below(&self, end: u16) -> u64 {
        self.counts.iter().filter(|(bucket, _)| range_of(**bucket) <= end).map(|(_, count)| count).sum()
    }

    pub(crate) fn counts(&self) -> &BTreeMap<u16, u64> {
        &self.counts
    }

    pub(crate) fn pairs(&self) -> &BTreeMap<(u16, u16), i128> {
        &self.pairs
    }

    pub(crate) fn of_parts(counts: BTreeMap<u16, u64>, pairs: BTreeMap<(u16, u16), i128>) -> Self {
        Self { counts, pairs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(values: &[i64]) -> BTreeMap<u16, u32> {
        let mut events = BTreeMap::new();
        values.iter().for_each(|value| *events.entry(bucket_of(*value)).or_default() += 1);
        events
    }

    #[test]
    fn quantiles_are_those_of_the_values_to_a_bucket() {
        let mut histogram = Histogram::default();
        let values: Vec<i64> = (1..=1_000).map(|n| n * 7).collect();
        values.iter().for_each(|value| histogram.replace(&BTreeMap::new(), &events(&[*value])));
        let exact = Quantile::of_sorted(&values, 0.9).unwrap();
        let found = histogram.statistic(1_000, 0.9).unwrap();
        assert!((found.mean / exact.value - 1.0).abs() < 0.01, "{found:?} {exact:?}");
        let expected = exact.statistic().unwrap();
        assert!(
            (found.variance_of_mean() / expected.variance_of_mean() - 1.0).abs() < 0.1,
            "{found:?} {expected:?}"
        );
    }

    /// Four equal events a unit are one, so the variance of the quantile is four times as large.
    #[test]
    fn events_of_one_unit_that_go_together_count_once() {
        let (mut single, mut fourfold) = (Histogram::default(), Histogram::default());
        for n in 0..2_000_i64 {
            let value = 100 + n * 7 % 2_003;
            single.replace(&BTreeMap::new(), &events(&[value]));
            fourfold.replace(&BTreeMap::new(), &events(&[value; 4]));
        }
        let variance = |histogram: &Histogram| histogram.statistic(2_000, 0.75).unwrap().variance_of_mean();
        let ratio = variance(&fourfold) / variance(&single);
        assert!((ratio - 1.0).abs() < 0.2, "{ratio}");
        assert_eq!(Histogram::default().statistic(10, 0.5), Err(StatisticError::TooFewEvents));
    }

    proptest! {
        #[test]
        fn a_bucket_holds_its_values(value in 0_i64..i64::MAX / 2) {
            let [least, next] = bounds_of(bucket_of(value));
            prop_assert!(least <= value && value < next && (next - least) * 64 <= value.max(64));
        }

        #[test]
        fn what_is_taken_back_leaves_nothing(units in proptest::collection::vec(proptest::collection::vec(0_i64..5_000, 0..6), 1..12)) {
            let mut histogram = Histogram::default();
            units.iter().for_each(|values| histogram.replace(&BTreeMap::new(), &events(values)));
            let mut backwards = Histogram::default();
            for values in units.iter().rev() {
                // Event by event, as they arrive.
                for known in 0..values.len() {
                    backwards.replace(&events(&values[..known]), &events(&values[..=known]));
                }
            }
            prop_assert_eq!(&backwards, &histogram);
            units.iter().for_each(|values| histogram.replace(&events(values), &BTreeMap::new()));
            prop_assert_eq!(histogram, Histogram::default());
        }
    }
}
