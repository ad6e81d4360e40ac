//! What the units of one arm did, summed: everything the statistics of its metrics need.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::covariate::{self, Adjustment};
use crate::effect::{Effect, EffectError, Scale};
use crate::histogram::Histogram;
use crate::metric::{Measure, Metric, Tally};
use crate::statistic::{Statistic, StatisticError};
use crate::strata::Stratified;
use crate::sums::Sums;

mod sizes;

use sizes::Sizes;

/// Columns of the sums: what a unit counts, what that is divided by, and what the unit counted before it was exposed.
const VALUE: usize = 0;
const WEIGHT: usize = 1;
const PAST: usize = 2;

/// Holds what a unit did on every metric of an experiment, and what it had done before it was exposed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnitTallies {
    /// One tally for each metric.
    pub tallies: Vec<Tally>,
    /// One number for each metric.
    pub pasts: Vec<i64>,
}

impl UnitTallies {
    /// Begins the tallies of a unit that has done nothing yet.
    pub fn of(metrics: &[Metric], pasts: Vec<i64>) -> Self {
        Self { tallies: metrics.iter().map(Metric::nothing).collect(), pasts }
    }
}

/// Sums one metric over the units of an arm.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetricSums {
    /// Units that did anything.
    active: u64,
    sums: Sums<3>,
    histogram: Histogram,
    /// Of a metric that is capped at a percentile: its units by size.
    sizes: Sizes,
    /// The most that a unit counts, where that was a percentile.
    cap: Option<i64>,
    /// The bits of a quantile's value and variance, where the histogram itself was not kept.
    quantile: Option<[u64; 2]>,
}

/// Sums all metrics of an experiment over the units of an arm; the order of units does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArmSums {
    units: u64,
    metrics: Vec<MetricSums>,
}

/// Says why a stored text is no arm's sums.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} of an arm's sums cannot be read")]
pub struct ArmTextError {
    what: &'static str,
}

impl ArmSums {
    /// Begins the sums of an arm without units.
    pub fn new(metrics: usize) -> Self {
        Self { units: 0, metrics: vec![MetricSums::default(); metrics] }
    }

    /// Returns how many units there are.
    pub fn units(&self) -> u64 {
        self.units
    }

    /// Returns the sums of a metric, by its place.
    pub fn metric(&self, index: usize) -> &MetricSums {
        static NOTHING: MetricSums = MetricSums::nothing();
        self.metrics.get(index).unwrap_or(&NOTHING)
    }

    /// Returns how many metrics are summed.
    pub fn metrics(&self) -> usize {
        self.metrics.len()
    }

    /// Adds a unit.
    pub fn add(&mut self, metrics: &[Metric], unit: &UnitTallies) {
        self.units = self.units.saturating_add(1);
        self.each(metrics, unit, |sums, metric, tally, past| sums.turn(metric, None, Some(tally), past));
    }

    /// Takes a unit out that was added.
    pub fn remove(&mut self, metrics: &[Metric], unit: &UnitTallies) {
        self.units = self.units.saturating_sub(1);
        self.each(metrics, unit, |sums, metric, tally, past| sums.turn(metric, Some(tally), None, past));
    }

    fn each(
        &mut self,
        metrics: &[Metric],
        unit: &UnitTallies,
        act: impl Fn(&mut MetricSums, &Metric, &Tally, i64),
    ) {
        self.metrics.resize_with(metrics.len().max(self.metrics.len()), MetricSums::default);
        for (index, (metric, sums)) in metrics.iter().zip(&mut self.metrics).enumerate() {
            let past = unit.pasts.get(index).copied().unwrap_or(0);
            let nothing = metric.nothing();
            act(sums, metric, unit.tallies.get(index).unwrap_or(&nothing), past);
        }
    }

    /// Notes that a unit's tally of the metric at a place has changed.
    pub fn change(&mut self, index: usize, metric: &Metric, before: &Tally, after: &Tally, past: i64) {
        if let Some(sums) = self.metrics.get_mut(index) {
            sums.turn(metric, Some(before), Some(after), past);
        }
    }

    /// Adds the units of other sums of the same metrics.
    pub fn merge(&mut self, other: &Self) {
        self.units = self.units.saturating_add(other.units);
        self.metrics.resize_with(other.metrics.len().max(self.metrics.len()), MetricSums::default);
        self.metrics.iter_mut().zip(&other.metrics).for_each(|(mine, theirs)| mine.merge(theirs));
    }

    /// Returns what is left of the units without those of some parts: whole numbers of them, sums and their products, and of no
    /// metric a histogram. Parts that are no parts leave nothing.
    pub fn without<'a>(&self, parts: impl Iterator<Item = &'a ArmSums> + Clone) -> Self {
        let units = parts.clone().fold(self.units, |units, part| units.saturating_sub(part.units));
        let rest = |(index, whole): (usize, &MetricSums)| {
            let mut sums = Ok(whole.sums);
            let mut active = whole.active;
            for part in parts.clone().map(|part| part.metric(index)) {
                sums = sums.and_then(|sums| sums.without(&part.sums));
                active = active.saturating_sub(part.active);
            }
            MetricSums { active, sums: sums.unwrap_or_default(), cap: whole.cap, ..MetricSums::nothing() }
        };
        Self { units, metrics: self.metrics.iter().enumerate().map(rest).collect() }
    }

    /// Caps what units count, metric by metric, at what [`caps`] returned for all arms together.
    pub fn cap(&mut self, caps: &[Option<i64>]) {
        for (sums, cap) in self.metrics.iter_mut().zip(caps) {
            if let Some(cap) = cap {
                sums.cap_at(*cap);
            }
        }
    }

    /// Leaves units out of the metrics that look at days after exposure until those days are over, so that late units do not
    /// seem to stay away. `days` are the sums of the units that were exposed on each day, with the moment when it ended.
    pub fn complete<'a>(
        &mut self,
        metrics: &[impl Borrow<Metric>],
        days: impl Iterator<Item = (i64, &'a ArmSums)> + Clone,
        now_ms: i64,
    ) {
        for (index, (metric, sums)) in metrics.iter().zip(&mut self.metrics).enumerate() {
            let Some(complete_ms) = metric.borrow().complete_after_ms() else { continue };
            *sums = MetricSums::default();
            let is_over =
                |(ended_at_ms, _): &(i64, &ArmSums)| ended_at_ms.saturating_add(complete_ms) <= now_ms;
            days.clone().filter(is_over).for_each(|(_, day)| sums.merge(day.metric(index)));
        }
    }

    /// Writes the sums as a text that [`ArmSums::parse`] reads.
    pub fn to_text(&self) -> String {
        let mut text = self.units.to_string();
        for metric in &self.metrics {
            text.push(';');
            metric.write(&mut text);
        }
        text
    }

    /// Writes the sums as they stand at a look, which nothing is added to: histograms, which are long, as the quantiles that
    /// they say.
    pub fn to_look_text(&self, metrics: &[Metric]) -> String {
        let without = |sums: &MetricSums| MetricSums {
            histogram: Histogram::nothing(),
            sizes: Sizes::nothing(),
            ..sums.clone()
        };
        let mut text = self.units.to_string();
        for (metric, sums) in metrics.iter().zip(&self.metrics) {
            text.push(';');
            let is_quantile = matches!(metric.measure(), Measure::Quantile { .. });
            match sums.statistic(metric).ok().filter(|_| is_quantile) {
                None => without(sums).write(&mut text),
                Some(Statistic { mean, variance, .. }) => {
                    let quantile = Some([mean.to_bits(), variance.to_bits()]);
                    MetricSums { quantile, ..without(sums) }.write(&mut text);
                }
            }
        }
        text
    }

    /// Reads what [`ArmSums::to_text`] or [`ArmSums::to_look_text`] wrote.
    ///
    /// ```
    /// use experiments::arm::ArmSums;
    /// let sums = ArmSums::new(2);
    /// assert_eq!(ArmSums::parse(&sums.to_text()), Ok(sums));
    /// assert!(ArmSums::parse("many").is_err());
    /// ```
    ///
    /// # Errors
    /// [`ArmTextError`], for anything else.
    pub fn parse(text: &str) -> Result<Self, ArmTextError> {
        let mut parts = text.split(';');
        let units =
            parts.next().and_then(|units| units.parse().ok()).ok_or(ArmTextError { what: "the units" })?;
        Ok(Self { units, metrics: parts.map(MetricSums::parse).collect::<Result<_, _>>()? })
    }
}

impl MetricSums {
    const fn nothing() -> Self {
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

    fn merge(&mut self, other: &Self) {
        self.active = self.active.saturating_add(other.active);
        // Sums that leave 128 bits stay as they are; no shop comes near.
        let _ = self.sums.merge(&other.sums);
        self.histogram.merge(&other.histogram);
        self.sizes.merge(&other.sizes);
    }

    fn cap_at(&mut self, cap: i64) {
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

    fn turn(&mut self, metric: &Metric, before: Option<&Tally>, after: Option<&Tally>, past: i64) {
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

    fn with_past(&self) -> Option<Sums<2>> {
        let of = |one: usize, other: usize| self.sums.product(one, other);
        let products = [[of(VALUE, VALUE), of(VALUE, PAST)], [0, of(PAST, PAST)]];
        Sums::of(self.sums.units(), [self.sums.sum(VALUE), self.sums.sum(PAST)], products).ok()
    }

    fn write(&self, text: &mut String) {
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

    fn parse(text: &str) -> Result<Self, ArmTextError> {
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

/// Returns the most that a unit counts on each metric: of those that are capped at a percentile, that of the units of all arms
/// together which count more than nothing, or up to 6.3 % above it. One value for all arms, which a percentile of each would
/// bias; it moves with the units that come, so that each look is capped at its own.
///
/// ```
/// use experiments::arm::{ArmSums, UnitTallies, caps};
/// use experiments::metric::{Metric, Tally};
/// let metric = Metric::parse(
///     r#"{"key": "m", "measure": {"kind": "count", "event": {"type": "page"}}, "cap_percentile_bp": 9000}"#,
/// )?;
/// let mut sums = ArmSums::new(1);
/// for pages in [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 90] {
///     sums.add(std::slice::from_ref(&metric), &UnitTallies { tallies: vec![Tally::Number([pages, 0])], pasts: vec![0] });
/// }
/// let most = caps(std::slice::from_ref(&metric), std::slice::from_ref(&sums));
/// assert_eq!(most, [Some(5)]);
/// sums.cap(&most);
/// assert_eq!(sums.metric(0).total(), 30);
/// # Ok::<(), experiments::metric::MetricError>(())
/// ```
pub fn caps<'a>(
    metrics: &[impl Borrow<Metric>],
    arms: impl IntoIterator<Item = &'a ArmSums>,
) -> Vec<Option<i64>> {
    let mut pooled = vec![Sizes::default(); metrics.len()];
    for arm in arms {
        pooled.iter_mut().enumerate().for_each(|(index, sizes)| sizes.merge(&arm.metric(index).sizes));
    }
    let cap = |(metric, sizes): (&Metric, Sizes)| sizes.percentile(metric.cap_percentile_bp()?);
    metrics.iter().map(Borrow::borrow).zip(pooled).map(cap).collect()
}

/// Says why two arms cannot be compared on a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// The arms' numbers allow no effect.
    #[error(transparent)]
    Effect(#[from] EffectError),
    /// An arm has no statistic.
    #[error(transparent)]
    Statistic(#[from] StatisticError),
}

/// Holds an effect on a metric, adjusted by what units did before exposure where that helps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// The effect.
    pub effect: Effect,
    /// The share of the variance that was left after the adjustment; `None` where nothing was adjusted.
    pub variance_left: Option<f64>,
    /// By what it was adjusted.
    pub adjusted_by: Adjusted,
}

/// Says by what a comparison was adjusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Adjusted {
    /// By what units did before exposure.
    pub past: bool,
    /// By comparing within strata.
    pub strata: bool,
}

/// Compares two arms on the metric at a place.
///
/// Means, counts and proportions are adjusted by the same metric before exposure ([`Adjustment`]) where units of both arms
/// have a past that goes together with what they do; the adjustment is never kept where it gains nothing.
///
/// # Errors
/// [`CompareError`].
pub fn compare(
    metric: &Metric,
    control: &MetricSums,
    treatment: &MetricSums,
    scale: Scale,
) -> Result<Compared, CompareError> {
    let raw = Effect::on(scale, &control.statistic(metric)?, &treatment.statistic(metric)?)?;
    Ok(adjusted(metric, control, treatment, scale).unwrap_or(Compared {
        effect: raw,
        variance_left: None,
        adjusted_by: Adjusted::default(),
    }))
}

/// Compares two arms within strata, each the control's and the treatment's sums, which together hold all units of both.
///
/// Means, counts and proportions are post-stratified ([`Stratified`]), and adjusted in each stratum by the same metric before
/// exposure where [`compare`] would do so. Strata were named before the start, so that they are kept whether or not they gain
/// anything. Metrics that are no number of each unit are compared as by [`compare`].
///
/// # Errors
/// [`CompareError`], of the arms as a whole.
pub fn compare_within(
    metric: &Metric,
    [control, treatment]: [&MetricSums; 2],
    strata: &[[&MetricSums; 2]],
    scale: Scale,
) -> Result<Compared, CompareError> {
    let plain = compare(metric, control, treatment, scale)?;
    let variances =
        [control.statistic(metric)?, treatment.statistic(metric)?].map(|arm| arm.variance_of_mean());
    let within = || {
        let stratified = stratified(metric, strata, &plain)?;
        let of_difference = stratified.effect(Scale::Absolute).ok()?.variance();
        Some(Compared {
            effect: stratified.effect(scale).ok()?,
            variance_left: Some(of_difference / variances.iter().sum::<f64>()),
            adjusted_by: Adjusted { strata: true, ..plain.adjusted_by },
        })
    };
    Ok(within().unwrap_or(plain))
}

fn stratified(metric: &Metric, strata: &[[&MetricSums; 2]], plain: &Compared) -> Option<Stratified> {
    let of_arms = |[a, b]: &[&MetricSums; 2]| Some([a.numbers(metric)?, b.numbers(metric)?]);
    let numbers: Vec<[Sums<1>; 2]> = strata.iter().map(of_arms).collect::<Option<_>>()?;
    let whole: u64 = numbers.iter().flatten().map(Sums::units).sum();
    // Strata of which some are not known are none.
    if numbers.len() < 2 || whole != plain.effect.units {
        return None;
    }
    let found = match plain.adjusted_by.past {
        true => {
            let of_arms = |[a, b]: &[&MetricSums; 2]| Some([a.with_past()?, b.with_past()?]);
            let paired: Vec<[Sums<2>; 2]> = strata.iter().map(of_arms).collect::<Option<_>>()?;
            Stratified::of_adjusted_means(&paired)
        }
        false => Stratified::of_means(&numbers, measure_of(metric)?),
    };
    found.ok()
}

/// How a metric's variance is taken, where it is a number of each unit.
fn measure_of(metric: &Metric) -> Option<covariate::Measure> {
    match metric.measure() {
        Measure::Count { .. } | Measure::Mean { .. } => Some(covariate::Measure::Mean),
        Measure::Proportion { .. } => Some(covariate::Measure::Proportion),
        Measure::Ratio { .. }
        | Measure::Quantile { .. }
        | Measure::Retention { .. }
        | Measure::TimeTo { .. } => None,
    }
}

fn adjusted(metric: &Metric, control: &MetricSums, treatment: &MetricSums, scale: Scale) -> Option<Compared> {
    let measure = measure_of(metric)?;
    let has_past = |sums: &MetricSums| sums.sums.covariance(PAST, PAST) > 0.0;
    if !has_past(control) || !has_past(treatment) {
        return None;
    }
    let adjustment =
        Adjustment::of_means(&control.with_past()?, &treatment.with_past()?, [measure; 2]).ok()?;
    let variance_left = adjustment.variance_left().filter(|left| *left < 1.0)?;
    let effect = adjustment.effect(scale).ok()?;
    let adjusted_by = Adjusted { past: true, strata: false };
    Some(Compared { effect, variance_left: Some(variance_left), adjusted_by })
}

#[cfg(test)]
mod tests;
