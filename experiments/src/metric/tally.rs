//! What one unit did, event by event, as far as one metric looks at it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::histogram::bucket_of;
use crate::metric::selector::number_at;
use crate::metric::{Measure, Metric};

const HOUR_MS: i64 = 3_600_000;
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;

/// Is one event, as far as metrics look at it.
#[derive(Debug, Clone, Copy)]
pub struct Occurrence<'a> {
    /// Its type.
    pub kind: &'a str,
    /// When it happened, Unix milliseconds UTC.
    pub at_ms: i64,
    /// Its data.
    pub data: &'a Value,
}

/// Holds what one unit did since it was exposed. All numbers are whole, so that sums over units are exact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum Tally {
    /// A number, and for ratios what it is divided by.
    Number([i64; 2]),
    /// How many events fell into each bucket ([`crate::histogram`]).
    Events(BTreeMap<u16, u32>),
}

/// A tally as it is written: two numbers, or a list of pairs.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Number([i64; 2]),
    Events(Vec<(u16, u32)>),
}

impl From<Written> for Tally {
    fn from(written: Written) -> Self {
        match written {
            Written::Number(numbers) => Tally::Number(numbers),
            Written::Events(events) => Tally::Events(events.into_iter().collect()),
        }
    }
}

impl From<Tally> for Written {
    fn from(tally: Tally) -> Self {
        match tally {
            Tally::Number(numbers) => Written::Number(numbers),
            Tally::Events(events) => Written::Events(events.into_iter().collect()),
        }
    }
}

impl Default for Tally {
    fn default() -> Self {
        Tally::Number([0, 0])
    }
}

impl Tally {
    /// Reports whether nothing has happened yet.
    pub fn is_nothing(&self) -> bool {
        match self {
            Tally::Number(numbers) => *numbers == [0, 0],
            Tally::Events(events) => events.is_empty(),
        }
    }
}

impl Metric {
    /// Returns the tally of a unit that has done nothing yet.
    pub fn nothing(&self) -> Tally {
        match self.measure() {
            Measure::Quantile { .. } => Tally::Events(BTreeMap::new()),
            _ => Tally::default(),
        }
    }

    /// Returns a unit's tally after an event; `None` where the event changes nothing.
    ///
    /// What happened before exposure or after the window does not count, nor what has no number where one is summed. An
    /// event is told by its own time, so events that arrive late count where they belong. Sums stay at the ends of 64
    /// bits rather than leave them.
    pub fn after(&self, tally: &Tally, exposed_at_ms: i64, event: Occurrence<'_>) -> Option<Tally> {
        let Occurrence { kind, at_ms, data } = event;
        let since_ms = at_ms.checked_sub(exposed_at_ms).filter(|since_ms| *since_ms >= 0)?;
        if self.window_hours().is_some_and(|hours| since_ms >= i64::from(hours) * HOUR_MS) {
            return None;
        }
        let next = match (self.measure(), tally) {
            (Measure::Quantile { event, property, .. }, Tally::Events(events)) if event.takes(kind, data) => {
                let bucket = bucket_of(number_at(data, property, self.decimals())?);
                let mut events = events.clone();
                let count = events.entry(bucket).or_default();
                *count = count.saturating_add(1);
                Tally::Events(events)
            }
            (measure, Tally::Number(numbers)) => {
                Tally::Number(numbers_after(measure, self.decimals(), *numbers, since_ms, kind, data)?)
            }
            _ => return None,
        };
        (next != *tally).then_some(next)
    }

    /// Returns the tally of one unit that was taken for two, such as a person on two devices.
    ///
    /// Counts, sums and events add up; a proportion is that of either; a time is the shorter one, each from the exposure
    /// on its own device.
    pub fn together(&self, one: &Tally, other: &Tally) -> Tally {
        let ([value, weight], [more, more_weight]) = match (one, other) {
            (Tally::Number(one), Tally::Number(other)) => (*one, *other),
            (Tally::Events(one), Tally::Events(other)) => {
                let mut events = one.clone();
                for (bucket, count) in other {
                    let total = events.entry(*bucket).or_default();
                    *total = total.saturating_add(*count);
                }
                return Tally::Events(events);
            }
            _ => return one.clone(),
        };
        Tally::Number(match self.measure() {
            Measure::Proportion { .. } | Measure::Retention { .. } => [value.max(more), 0],
            Measure::TimeTo { .. } => match (weight, more_weight) {
                (0, _) => [more, more_weight],
                (_, 0) => [value, weight],
                _ => [value.min(more), 1],
            },
            _ => [value.saturating_add(more), weight.saturating_add(more_weight)],
        })
    }

    /// Returns what a unit did before it was exposed, by which its number is adjusted: the same metric over the events of
    /// its look-back days before. 0 of ratios, quantiles, retentions and times, which are not adjusted.
    ///
    /// It must not depend on what came after exposure, so events at its very moment are left out.
    pub fn past<'a>(&self, history: impl IntoIterator<Item = Occurrence<'a>>, exposed_at_ms: i64) -> i64 {
        if !matches!(
            self.measure(),
            Measure::Proportion { .. } | Measure::Count { .. } | Measure::Mean { .. }
        ) {
            return 0;
        }
        let from_ms = exposed_at_ms.saturating_sub(i64::from(self.lookback_days()) * DAY_MS);
        let before = history.into_iter().filter(|event| (from_ms..exposed_at_ms).contains(&event.at_ms));
        let numbers = before.fold([0, 0], |numbers, event| {
            numbers_after(self.measure(), self.decimals(), numbers, 0, event.kind, event.data)
                .unwrap_or(numbers)
        });
        self.counted(&Tally::Number(numbers))[0]
    }

    /// Returns what the unit counts in the sums of its arm: its number, capped, and what that is divided by.
    pub fn counted(&self, tally: &Tally) -> [i64; 2] {
        match tally {
            Tally::Number([value, weight]) => {
                [self.cap_in_parts().map_or(*value, |cap| (*value).min(cap)), *weight]
            }
            Tally::Events(_) => [0, 0],
        }
    }
}

fn numbers_after(
    measure: &Measure,
    decimals: u32,
    [value, weight]: [i64; 2],
    since_ms: i64,
    kind: &str,
    data: &Value,
) -> Option<[i64; 2]> {
    match measure {
        Measure::Proportion { event } => event.takes(kind, data).then_some([1, weight]),
        Measure::Count { event } => event.takes(kind, data).then(|| [value.saturating_add(1), weight]),
        Measure::Mean { event, property } => {
            let more = event.takes(kind, data).then(|| number_at(data, property, decimals))??;
            Some([value.saturating_add(more), weight])
        }
        Measure::Ratio { numerator, denominator } => {
            let (above, below) = (numerator.of(kind, data, decimals), denominator.of(kind, data, decimals));
            (above.is_some() || below.is_some()).then(|| {
                [value.saturating_add(above.unwrap_or(0)), weight.saturating_add(below.unwrap_or(0))]
            })
        }
        Measure::Retention { event, from_days, to_days } => {
            let days = i64::from(*from_days) * DAY_MS..i64::from(*to_days) * DAY_MS;
            (days.contains(&since_ms) && event.takes(kind, data)).then_some([1, weight])
        }
        // An earlier event that arrives later is the first all the same.
        Measure::TimeTo { event } => event.takes(kind, data).then(|| match weight {
            0 => [since_ms, 1],
            _ => [value.min(since_ms), 1],
        }),
        Measure::Quantile { .. } => None,
    }
}
