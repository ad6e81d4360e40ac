//! Metrics: what is counted of a unit's events, and how it becomes one number a unit.
//!
//! A metric is data. It names events by their type and by properties of their data, so this crate needs to know neither
//! carts nor pages; whoever has the events folds them into a [`Tally`] for each unit.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bayes::Better;

mod check;
mod selector;
mod tally;

pub use check::{
    DECIMALS_MAX, LOOKBACK_DAYS_DEFAULT, LOOKBACK_DAYS_MAX, METRIC_BYTES_MAX, MetricError,
    RETENTION_DAYS_MAX, WINDOW_HOURS_MAX,
};
pub use selector::{Amount, Condition, Selector, Test};
use tally::DAY_MS;
pub use tally::{Occurrence, Tally};

/// Says how a unit's events become its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Measure {
    /// 1 once the event has happened, else 0.
    Proportion {
        /// The event.
        event: Selector,
    },
    /// How often it happened.
    Count {
        /// The event.
        event: Selector,
    },
    /// The sum of a property over the unit's events.
    Mean {
        /// The event.
        event: Selector,
        /// Where its number stands.
        property: String,
    },
    /// One sum over all units divided by another one, such as errors by pages; its variance by the delta method.
    Ratio {
        /// Above the line.
        numerator: Amount,
        /// Below it.
        denominator: Amount,
    },
    /// A quantile of a property over all events of all units, which are its clusters.
    Quantile {
        /// The event.
        event: Selector,
        /// Where its number stands.
        property: String,
        /// Which quantile, in basis points: 9,000 for the 90 % point.
        level_bp: u32,
    },
    /// 1 once the event has happened within a span of days after exposure, else 0.
    Retention {
        /// The event.
        event: Selector,
        /// The first day that counts, from 1.
        from_days: u32,
        /// The day before which it must happen.
        to_days: u32,
    },
    /// Milliseconds from exposure to the first event, over the units that have one.
    TimeTo {
        /// The event.
        event: Selector,
    },
}

/// Says how a metric's numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// As they are.
    #[default]
    Number,
    /// A share, in percent.
    Share,
    /// The smallest unit of the shop's currency.
    Money,
    /// Milliseconds.
    Milliseconds,
}

/// Holds one checked metric.
///
/// ```
/// use experiments::metric::Metric;
/// let metric = Metric::parse(r#"{
///     "key": "mugs", "name": "Mugs per visitor",
///     "measure": {"kind": "mean", "event": {"type": "line_added", "where": [{"property": "sku", "is": "MUG"}]},
///                 "property": "quantity"},
///     "window_hours": 168, "cap": 20
/// }"#)?;
/// assert_eq!(metric.phrase(), "mugs per visitor");
/// let error = Metric::parse(r#"{"key": "m", "measure": {"kind": "median"}}"#).unwrap_err();
/// assert!(error.to_string().contains("unknown variant `median`"));
/// # Ok::<(), experiments::metric::MetricError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Metric {
    key: String,
    name: String,
    phrase: String,
    description: String,
    measure: Measure,
    window_hours: Option<u32>,
    cap: Option<i64>,
    cap_percentile_bp: Option<u32>,
    lookback_days: Option<u32>,
    decimals: u32,
    better: Better,
    format: Format,
}

/// The metric as it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    key: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    phrase: String,
    #[serde(default)]
    description: String,
    measure: Measure,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    window_hours: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cap: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cap_percentile_bp: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lookback_days: Option<u32>,
    #[serde(default, skip_serializing_if = "is_whole")]
    decimals: u32,
    #[serde(default)]
    better: Better,
    #[serde(default)]
    format: Option<Format>,
}

fn is_whole(decimals: &u32) -> bool {
    *decimals == 0
}

impl From<Metric> for Written {
    fn from(metric: Metric) -> Written {
        Written {
            key: metric.key,
            name: metric.name,
            phrase: metric.phrase,
            description: metric.description,
            measure: metric.measure,
            window_hours: metric.window_hours,
            cap: metric.cap,
            cap_percentile_bp: metric.cap_percentile_bp,
            lookback_days: metric.lookback_days,
            decimals: metric.decimals,
            better: metric.better,
            format: Some(metric.format),
        }
    }
}

impl Metric {
    /// Reads a metric from JSON and checks it.
    ///
    /// # Errors
    /// [`MetricError`], in words that say how to mend it.
    pub fn parse(text: &str) -> Result<Metric, MetricError> {
        if text.len() > METRIC_BYTES_MAX {
            return Err(MetricError::TooLong { bytes: text.len() });
        }
        let written: Written =
            serde_json::from_str(text).map_err(|error| MetricError::Unreadable(error.to_string()))?;
        written.try_into()
    }

    /// Returns the metric as JSON, every default filled in.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("a metric holds only texts, integers and JSON")
    }

    /// Returns the key, unique among metrics.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the name, for headings.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name inside a sentence: `revenue per visitor`.
    pub fn phrase(&self) -> &str {
        &self.phrase
    }

    /// Returns what it measures, for people; may be empty.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns how events become numbers.
    pub fn measure(&self) -> &Measure {
        &self.measure
    }

    /// Returns how long after exposure events count; `None` for ever.
    pub fn window_hours(&self) -> Option<u32> {
        self.window_hours
    }

    /// Returns the most that one unit counts.
    pub fn cap(&self) -> Option<i64> {
        self.cap
    }

    /// Returns the most that one unit counts, in the parts that are summed.
    pub fn cap_in_parts(&self) -> Option<i64> {
        Some(self.cap()?.saturating_mul(10_i64.pow(self.decimals)))
    }

    /// Returns how many decimals of a property's number are kept: sums are of whole parts, tenths with 1, thousandths with 3.
    pub fn decimals(&self) -> u32 {
        self.decimals
    }

    /// Returns the decimals of the parts in which its value is told; none of a ratio, whose parts cancel.
    pub fn decimals_of_value(&self) -> u32 {
        if matches!(self.measure, Measure::Ratio { .. }) { 0 } else { self.decimals }
    }

    /// Returns the percentile, in basis points, of the units that count more than nothing, above which no unit counts
    /// ([`crate::arm::caps`]).
    pub fn cap_percentile_bp(&self) -> Option<u32> {
        self.cap_percentile_bp
    }

    /// Returns how many days before exposure a unit's past is looked at, by which its number is adjusted.
    pub fn lookback_days(&self) -> u32 {
        self.lookback_days.unwrap_or(LOOKBACK_DAYS_DEFAULT)
    }

    /// Returns how long after its exposure a unit is complete, in milliseconds, where it does not count before.
    pub fn complete_after_ms(&self) -> Option<i64> {
        match &self.measure {
            Measure::Retention { to_days, .. } => Some(i64::from(*to_days) * DAY_MS),
            _ => None,
        }
    }

    /// Returns the direction in which it is good.
    pub fn better(&self) -> Better {
        self.better
    }

    /// Returns how its numbers are written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Returns whether it is a number of each unit, so that what units did before exposure, and strata, can take noise out of it: ratios,
    /// quantiles, retentions and times are not.
    pub fn is_number_of_units(&self) -> bool {
        matches!(self.measure, Measure::Proportion { .. } | Measure::Count { .. } | Measure::Mean { .. })
    }

    /// Returns whether events of a type may change it.
    pub fn listens_to(&self, kind: &str) -> bool {
        self.selectors().any(|selector| selector.kind() == kind)
    }

    /// Returns the events it counts.
    pub fn selectors(&self) -> impl Iterator<Item = &Selector> {
        let (first, second) = match &self.measure {
            Measure::Ratio { numerator, denominator } => (&numerator.event, Some(&denominator.event)),
            Measure::Proportion { event }
            | Measure::Count { event }
            | Measure::Mean { event, .. }
            | Measure::Quantile { event, .. }
            | Measure::Retention { event, .. }
            | Measure::TimeTo { event } => (event, None),
        };
        std::iter::once(first).chain(second)
    }

    /// Returns whether the metric is a share of units: zeros and ones.
    pub fn is_proportion(&self) -> bool {
        matches!(self.measure, Measure::Proportion { .. } | Measure::Retention { .. })
    }
}

#[cfg(test)]
mod tests;
