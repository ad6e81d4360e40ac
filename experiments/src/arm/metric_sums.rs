//! What the units of an arm did on one metric, summed.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::ArmTextError;
use super::sizes::Sizes;
use crate::histogram::Histogram;
use crate::metric::{Measure, Metric, Tally};
use crate::statistic::{Statistic, StatisticError};
use crate::sums::Sums;

/// Columns of the sums: what a unit counts, what that is divided by, and what the unit counted before it was exposed.
const VALUE: usize = 0;
const WEIGHT: usize = 1;
const PAST: usize = 2;

/// Sums one metric over the units of an arm.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetricSums {
    /// Units that did anything.
    active: u64,
    pub(super) sums: Sums<3>,
    histogram: Histogram,
    /// Of a metric that is capped at a percentile: its units by size.
    pub(super) sizes: Sizes,
    /// The most that a unit counts, where that was a percentile.
    cap: Option<i64>,
    /// The bits of a quantile's value and variance, where the histogram itself was not kept.
    quantile: Option<[u64; 2]>,
}

impl MetricSums {
    pub(super) const fn nothing() -> Self {
        Self {
            active: 0,
            sums: Sums::nothing(),
            histogram: Histogram::nothing(),
            sizes: Sizes::nothing(),
            cap: None,
            quantile: None,
        }
    }

    /// Returns how many units are summed.
    pub fn units(&self) -> u64 {
        self.sums.units()
    }

    /// Returns the most that a unit counts, where that is a percentile.
    pub fn most(&self) -> Option<i64> {
        self.cap
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.active = self.active.saturating_add(other.active);
        // Sums that leave 128 bits stay as they are; no shop comes near.
        let _ = self.sums.merge(&other.sums);
        self.histogram.merge(&other.histogram);
        self.sizes.merge(&other.sizes);
    }

    pub(super) fn without<'a>(&self, parts: impl Iterator<Item = &'a Self>) -> Self {
        let (mut sums, mut active) = (Ok(self.sums), self.active);
        for part in parts {
            sums = sums.and_then(|sums| sums.without(&part.sums));
            active = active.saturating_sub(part.active);
        }
        Self { active, sums: sums.unwrap_or_default(), cap: self.cap, ..Self::nothing() }
    }

    pub(super) fn cap_at(&mut self, cap: i64) {
        let [units, y, yy, yp, p] = self.sizes.above(cap);
        let (s, most) = (&self.sums, i128::from(cap));
        let sums = [s.sum(VALUE) - y + most * units, s.sum(WEIGHT), s.sum(PAST)];
        let (value, with_weight, with_past) = (
            s.product(VALUE, VALUE) - yy + most * most * units,
            s.product(VALUE, WEIGHT),
            s.product(VALUE, PAST) - yp + most * p,
        );
        let products = [
            [value, with_weight, with_past],
            [with_weight, s.product(WEIGHT, WEIGHT), s.product(WEIGHT, PAST)],
            [with_past, s.product(WEIGHT, PAST), s.product(PAST, PAST)],
        ];
        if let Ok(sums) = Sums::of(s.units(), sums, products) {
            self.sums = sums;
            self.cap = Some(cap);
        }
    }

    /// Returns how many units did anything.
    pub fn active(&self) -> u64 {
        self.active
    }

    /// Returns the sum of what units count.
    pub fn total(&self) -> i128 {
        self.sums.sum(VALUE)
    }

    /// Returns the sum of what is divided by: events of a ratio's lower line, units that have an event.
    pub fn weight(&self) -> i128 {
        self.sums.sum(WEIGHT)
    }

    pub(super) fn turn(&mut self, metric: &Metric, before: Option<&Tally>, after: Option<&Tally>, past: i64) {
        static NONE: BTreeMap<u16, u32> = BTreeMap::new();
        let events = |tally: Option<&Tally>| match tally {
            Some(Tally::Events(events)) => events.clone(),
            _ => NONE.clone(),
        };
        if matches!(metric.measure(), Measure::Quantile { .. }) {
            self.histogram.replace(&events(before), &events(after));
        }
        // Sums that would leave 128 bits are left as they are: 2⁶⁴ units of the largest number do not reach them.
        for (tally, is_added) in [(before, false), (after, true)] {
            let Some(tally) = tally else { continue };
            let [value, weight] = metric.counted(tally);
            if metric.cap_percentile_bp().is_some() {
                self.sizes.add(value, past, if is_added { 1 } else { -1 });
            }
            let row = [value, weight, past];
            let is_active = u64::from(!tally.is_nothing());
            if is_added {
                let _ = self.sums.add(row);
                self.active = self.active.saturating_add(is_active);
            } else {
                let _ = self.sums.remove(row);
                self.active = self.active.saturating_sub(is_active);
            }
        }
    }

    /// Returns the metric's mean and variance over the arm's units.
    ///
    /// # Errors
    /// [`StatisticError`], of ratios and quantiles only.
    pub fn statistic(&self, metric: &Metric) -> Result<Statistic, StatisticError> {
        match metric.measure() {
            Measure::Proportion { .. } | Measure::Retention { .. } => {
                Ok(Statistic::proportion(self.sums.units(), u64::try_from(self.total()).unwrap_or(0)))
            }
            Measure::Count { .. } | Measure::Mean { .. } => Ok(self.sums.statistic(VALUE)),
            Measure::Ratio { .. } | Measure::TimeTo { .. } => self.sums.ratio_of(VALUE, WEIGHT),
            Measure::Quantile { .. } if self.quantile.is_some() => {
                let [mean, variance] = self.quantile.unwrap_or_default().map(f64::from_bits);
                Ok(Statistic { units: self.sums.units(), mean, variance })
            }
            Measure::Quantile { level_bp, .. } => {
                self.histogram.statistic(self.sums.units(), f64::from(*level_bp) / 10_000.0)
            }
        }
    }

    /// Returns the sums of what units count, of a metric that is a mean, a count or a proportion over units.
    pub fn numbers(&self, metric: &Metric) -> Option<Sums<1>> {
        match metric.measure() {
            Measure::Proportion { .. } | Measure::Count { .. } | Measure::Mean { .. } => {
                let (sum, square) = (self.sums.sum(VALUE), self.sums.product(VALUE, VALUE));
                Sums::of(self.sums.units(), [sum], [[square]]).ok()
            }
            Measure::Ratio { .. }
            | Measure::Quantile { .. }
            | Measure::Retention { .. }
            | Measure::TimeTo { .. } => None,
        }
    }

    /// Returns the metric's value, also where there is too little for a variance: a mean, a ratio or a quantile.
    pub fn value(&self, metric: &Metric) -> Option<f64> {
        match (metric.measure(), self.quantile) {
            (Measure::Quantile { level_bp, .. }, None) => {
                self.histogram.quantile(f64::from(*level_bp) / 10_000.0)
            }
            _ if self.sums.units() == 0 => None,
            _ => self.statistic(metric).ok().map(|statistic| statistic.mean),
        }
    }

    /// Returns the sums of what units count and of what they had counted before, of a metric as in [`MetricSums::numbers`].
    pub fn pairs(&self, metric: &Metric) -> Option<Sums<2>> {
        self.numbers(metric).and_then(|_| self.with_past())
    }

    pub(super) fn with_past(&self) -> Option<Sums<2>> {
        let of = |one: usize, other: usize| self.sums.product(one, other);
        let products = [[of(VALUE, VALUE), of(VALUE, PAST)], [0, of(PAST, PAST)]];
        Sums::of(self.sums.units(), [self.sums.sum(VALUE), self.sums.sum(PAST)], products).ok()
    }

    /// Reports whether units differ in what they did before they were exposed.
    pub(super) fn has_past(&self) -> bool {
        self.sums.covariance(PAST, PAST) > 0.0
    }

    /// Returns the sums as they stand at a look: a histogram, which is long, as the quantile that it says.
    pub(super) fn at_a_look(&self, metric: &Metric) -> Self {
        let is_quantile = matches!(metric.measure(), Measure::Quantile { .. });
        let statistic = self.statistic(metric).ok().filter(|_| is_quantile);
        let bits = |of: Statistic| [of.mean.to_bits(), of.variance.to_bits()];
        let quantile = statistic.map(bits).or(self.quantile);
        Self { histogram: Histogram::nothing(), sizes: Sizes::nothing(), quantile, ..self.clone() }
    }

    pub(super) fn write(&self, text: &mut String) {
        let s = &self.sums;
        let (sums, product) = ([VALUE, WEIGHT, PAST].map(|c| s.sum(c)), |i, j| s.product(i, j));
        let products =
            [product(0, 0), product(0, 1), product(0, 2), product(1, 1), product(1, 2), product(2, 2)];
        let _ = write!(text, "{} {}", s.units(), self.active);
        for number in sums.iter().chain(&products) {
            let _ = write!(text, " {number}");
        }
        if let Some([mean, variance]) = self.quantile {
            let _ = write!(text, "={mean} {variance}");
        }
        let (counts, pairs) = (self.histogram.counts(), self.histogram.pairs());
        if !counts.is_empty() {
            text.push('|');
            counts.iter().for_each(|(bucket, count)| _ = write!(text, "{bucket}:{count} "));
            text.push('|');
            pairs.iter().for_each(|((low, high), product)| _ = write!(text, "{low}:{high}:{product} "));
        }
        self.sizes.write(text);
    }

    pub(super) fn parse(text: &str) -> Result<Self, ArmTextError> {
        let (text, sizes) = text.split_once('^').unwrap_or((text, ""));
        let sizes = Sizes::parse(sizes).ok_or(ArmTextError { what: "the sizes" })?;
        let (text, quantile) = match text.split_once('=') {
            None => (text, None),
            Some((text, bits)) => {
                let bits =
                    bits.split_once(' ').and_then(|(one, two)| Some([one.parse().ok()?, two.parse().ok()?]));
                (text, Some(bits.ok_or(ArmTextError { what: "the quantile" })?))
            }
        };
        let mut parts = text.split('|');
        let what = "the numbers";
        let numbers: Vec<i128> = parts
            .next()
            .unwrap_or_default()
            .split_ascii_whitespace()
            .map(|number| number.parse().map_err(|_| ArmTextError { what }))
            .collect::<Result<_, _>>()?;
        let [units, active, x, y, c, xx, xy, xc, yy, yc, cc] = numbers[..] else {
            return Err(ArmTextError { what });
        };
        let natural = |number: i128| u64::try_from(number).map_err(|_| ArmTextError { what });
        let sums = Sums::of(natural(units)?, [x, y, c], [[xx, xy, xc], [xy, yy, yc], [xc, yc, cc]]);
        let (counts, pairs) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let bad = ArmTextError { what: "the histogram" };
        let count = |word: &str| {
            let (bucket, count) = word.split_once(':')?;
            Some((bucket.parse().ok()?, count.parse().ok()?))
        };
        let pair = |word: &str| {
            let (ranges, product) = word.rsplit_once(':')?;
            let (low, high) = ranges.split_once(':')?;
            Some(((low.parse().ok()?, high.parse().ok()?), product.parse().ok()?))
        };
        let counts =
            counts.split_ascii_whitespace().map(count).collect::<Option<_>>().ok_or_else(|| bad.clone())?;
        let pairs = pairs.split_ascii_whitespace().map(pair).collect::<Option<_>>().ok_or(bad)?;
        Ok(Self {
            active: natural(active)?,
            sums: sums.map_err(|_| ArmTextError { what })?,
            histogram: Histogram::of_parts(counts, pairs),
            sizes,
            cap: None,
            quantile,
        })
    }
}
