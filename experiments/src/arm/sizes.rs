//! What units count, by size: enough to cap all of them later at a percentile of all arms, and exactly.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::histogram::{bounds_of, bucket_of};

/// Buckets of one value each; above, four buckets of a histogram make one size, so that there are 16 in every doubling and none
/// is wider than 6.3 % of its values.
const EXACT: u16 = 128;
const PER_SIZE: u16 = 4;

/// What is summed of the units of a size: their number, Σy, Σy², Σy·past and Σpast.
pub(super) type Row = [i128; 5];

/// Holds the units that count more than nothing, by size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sizes(BTreeMap<u16, Row>);

fn size_of(value: i64) -> u16 {
    match bucket_of(value) {
        bucket if bucket < EXACT => bucket,
        bucket => EXACT + (bucket - EXACT) / PER_SIZE,
    }
}

/// The largest value of a size.
fn largest_of(size: u16) -> i64 {
    let last = if size < EXACT { size } else { EXACT + (size - EXACT) * PER_SIZE + PER_SIZE - 1 };
    bounds_of(last)[1].saturating_sub(1)
}

impl Sizes {
    pub(super) const fn nothing() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a unit, or with −1 takes it out.
    pub(super) fn add(&mut self, value: i64, past: i64, sign: i128) {
        if value <= 0 {
            return;
        }
        let (size, y, p) = (size_of(value), i128::from(value), i128::from(past));
        let row = self.0.entry(size).or_default();
        for (sum, more) in row.iter_mut().zip([1, y, y * y, y * p, p]) {
            *sum = sum.saturating_add(sign * more);
        }
        if row[0] == 0 {
            self.0.remove(&size);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (size, row) in &other.0 {
            let sums = self.0.entry(*size).or_default();
            sums.iter_mut().zip(row).for_each(|(sum, more)| *sum = sum.saturating_add(*more));
        }
    }

    /// Returns the largest value of the size in which the percentile lies, in basis points, of the units that count more than
    /// nothing; `None` without any.
    pub(super) fn percentile(&self, level_bp: u32) -> Option<i64> {
        let units: i128 = self.0.values().map(|row| row[0]).sum();
        let rank = (i128::from(level_bp) * units).checked_add(9_999)? / 10_000;
        let mut below = 0;
        self.0.iter().find_map(|(size, row)| {
            below += row[0];
            (below >= rank.max(1)).then(|| largest_of(*size))
        })
    }

    /// Sums the units that count more than a value which is the largest of its size.
    pub(super) fn above(&self, cap: i64) -> Row {
        let mut sums = [0; 5];
        for row in self.0.range(size_of(cap) + 1..).map(|(_, row)| row) {
            sums.iter_mut().zip(row).for_each(|(sum, more)| *sum = i128::saturating_add(*sum, *more));
        }
        sums
    }

    pub(super) fn write(&self, text: &mut String) {
        if self.0.is_empty() {
            return;
        }
        text.push('^');
        for (size, [units, y, yy, yp, p]) in &self.0 {
            let _ = write!(text, "{size}:{units}:{y}:{yy}:{yp}:{p} ");
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let row = |word: &str| {
            let (size, sums) = word.split_once(':')?;
            let sums: Vec<i128> = sums.split(':').map(|sum| sum.parse().ok()).collect::<Option<_>>()?;
            Some((size.parse().ok()?, sums.try_into().ok()?))
        };
        text.split_ascii_whitespace().map(row).collect::<Option<_>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_percentile_is_the_largest_value_of_its_size() {
        let mut sizes = Sizes::default();
        assert_eq!(sizes.percentile(9_900), None);
        (1..=100).for_each(|value| sizes.add(value, 0, 1));
        assert_eq!((sizes.percentile(9_900), sizes.percentile(5_000)), (Some(99), Some(50)));
        sizes.add(0, 7, 1);
        sizes.add(-4, 7, 1);
        assert_eq!(sizes.percentile(9_900), Some(99), "who counts nothing does not count");
        let mut large = Sizes::default();
        large.add(1_000, 0, 1);
        assert_eq!(large.percentile(9_900), Some(1_023), "at most 6.3 % above");
    }

    proptest! {
        #[test]
        fn what_lies_above_a_percentile_is_what_is_larger(
            units in proptest::collection::vec((-9_i64..1_000_000_000, -99_i64..99), 1..60), level in 5_000_u32..9_999,
        ) {
            let mut sizes = Sizes::default();
            units.iter().for_each(|(value, past)| sizes.add(*value, *past, 1));
            let mut text = String::new();
            sizes.write(&mut text);
            prop_assert_eq!(Sizes::parse(text.trim_start_matches('^')), Some(sizes.clone()));
            if let Some(cap) = sizes.percentile(level) {
                let larger = units.iter().filter(|(value, _)| *value > cap);
                let sum = |of: fn(i128, i128) -> i128| larger.clone().map(|(y, p)| of((*y).into(), (*p).into())).sum::<i128>();
                let expected = [sum(|_, _| 1), sum(|y, _| y), sum(|y, _| y * y), sum(|y, p| y * p), sum(|_, p| p)];
                prop_assert_eq!(sizes.above(cap), expected);
            }
            units.iter().for_each(|(value, past)| sizes.add(*value, *past, -1));
            prop_assert_eq!(sizes, Sizes::default());
        }
    }
}
