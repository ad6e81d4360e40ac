//! What the units of one arm did, summed: everything the statistics of its metrics need.

mod compare;
mod metric_sums;
mod sizes;

use std::borrow::Borrow;

use crate::metric::{Metric, Tally};

pub use compare::{Adjusted, CompareError, Compared, compare, compare_within};
pub use metric_sums::MetricSums;
use sizes::Sizes;

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

    /// Returns the sums with those of other metrics after their own, of the same units; `metrics` are how many they have.
    #[must_use]
    pub fn beside(mut self, metrics: usize, other: Self) -> Self {
        self.metrics.resize_with(metrics, MetricSums::default);
        self.metrics.extend(other.metrics);
        self
    }

    /// Returns what is left of the units without those of some parts: whole numbers of them, sums and their products, and of no
    /// metric a histogram. Parts that are no parts leave nothing.
    pub fn without<'a>(&self, parts: impl Iterator<Item = &'a ArmSums> + Clone) -> Self {
        let units = parts.clone().fold(self.units, |units, part| units.saturating_sub(part.units));
        let rest = |(index, whole): (usize, &MetricSums)| {
            whole.without(parts.clone().map(|part| part.metric(index)))
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
        let mut text = self.units.to_string();
        for (metric, sums) in metrics.iter().zip(&self.metrics) {
            text.push(';');
            sums.at_a_look(metric).write(&mut text);
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

#[cfg(test)]
mod tests;
