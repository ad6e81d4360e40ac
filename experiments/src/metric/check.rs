//! What makes a metric one that can be counted.

use crate::definition::check::check_key;
use crate::metric::{Format, Measure, Metric, Selector, Written};

/// Most bytes of a metric's JSON.
pub const METRIC_BYTES_MAX: usize = 16 * 1024;
/// Most hours of a window: a year and a day.
pub const WINDOW_HOURS_MAX: u32 = 366 * 24;
/// Most days before exposure that a unit's past is looked at: a year and a day.
pub const LOOKBACK_DAYS_MAX: u32 = 366;
/// Days that are looked at where a metric says nothing.
pub const LOOKBACK_DAYS_DEFAULT: u32 = 90;
/// Most decimals that are kept of a property's number: millionths, of which 64 bits hold some billions.
pub const DECIMALS_MAX: u32 = 6;
/// Least percentile to cap at: below the median a metric would be another one.
const CAP_PERCENTILE_BP_MIN: u32 = 5_000;
/// Most days of a retention's span.
pub const RETENTION_DAYS_MAX: u32 = 366;
/// Most bytes of a name, a phrase or a description.
const TEXT_BYTES_MAX: usize = 500;
/// Most conditions of one selector.
const CONDITIONS_MAX: usize = 16;
/// Most bytes of the name of an event or the path of a property.
const PATH_BYTES_MAX: usize = 128;

/// Says why a text is no metric.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetricError {
    /// The text is longer than [`METRIC_BYTES_MAX`].
    #[error("metric has {bytes} bytes, the most is {METRIC_BYTES_MAX}: shorten it")]
    TooLong {
        /// Its bytes.
        bytes: usize,
    },
    /// It is not the JSON of a metric.
    #[error("metric cannot be read: {0}")]
    Unreadable(String),
    /// A field does not fit.
    #[error("{field} {problem}")]
    Field {
        /// The field's place in the JSON.
        field: &'static str,
        /// What is wrong and how to mend it.
        problem: String,
    },
}

fn wrong<T>(field: &'static str, problem: impl Into<String>) -> Result<T, MetricError> {
    Err(MetricError::Field { field, problem: problem.into() })
}

impl TryFrom<Written> for Metric {
    type Error = MetricError;

    fn try_from(written: Written) -> Result<Metric, MetricError> {
        if let Err(error) = check_key("key", &written.key) {
            return wrong("key", format!("is not one: {error}"));
        }
        for (field, text) in
            [("name", &written.name), ("phrase", &written.phrase), ("description", &written.description)]
        {
            if text.len() > TEXT_BYTES_MAX {
                return wrong(field, format!("has {} bytes, the most is {TEXT_BYTES_MAX}", text.len()));
            }
        }
        if written.window_hours.is_some_and(|hours| !(1..=WINDOW_HOURS_MAX).contains(&hours)) {
            return wrong("window_hours", format!("must be 1 to {WINDOW_HOURS_MAX}"));
        }
        check_measure(&written)?;
        let name = if written.name.trim().is_empty() { written.key.clone() } else { written.name };
        let phrase = if written.phrase.trim().is_empty() { lowered(&name) } else { written.phrase };
        let is_share = matches!(written.measure, Measure::Proportion { .. } | Measure::Retention { .. });
        let usual = match written.measure {
            _ if is_share => Format::Share,
            Measure::TimeTo { .. } => Format::Milliseconds,
            _ => Format::Number,
        };
        let metric = Metric {
            key: written.key,
            name,
            phrase,
            description: written.description,
            measure: written.measure,
            window_hours: written.window_hours,
            cap: written.cap,
            cap_percentile_bp: written.cap_percentile_bp,
            lookback_days: written.lookback_days,
            decimals: written.decimals,
            better: written.better,
            format: written.format.unwrap_or(usual),
        };
        for selector in metric.selectors() {
            check_selector(selector)?;
        }
        Ok(metric)
    }
}

fn check_measure(written: &Written) -> Result<(), MetricError> {
    match &written.measure {
        Measure::Mean { property, .. } => check_path("measure.property", property)?,
        Measure::Quantile { property, level_bp, .. } => {
            check_path("measure.property", property)?;
            if !(1..10_000).contains(level_bp) {
                return wrong(
                    "measure.level_bp",
                    "must be 1 to 9999 basis points, such as 9000 for the 90 % point",
                );
            }
        }
        Measure::Retention { from_days, to_days, .. } => {
            if *from_days < 1 || from_days >= to_days || *to_days > RETENTION_DAYS_MAX {
                return wrong(
                    "measure.from_days",
                    format!("and to_days must be days in order, 1 to {RETENTION_DAYS_MAX}, such as 7 and 14"),
                );
            }
            if written.window_hours.is_some() {
                return wrong(
                    "window_hours",
                    "has no meaning for a retention, whose days are its window: leave it out",
                );
            }
        }
        Measure::Ratio { numerator, denominator } => {
            for amount in [numerator, denominator] {
                amount.property.as_deref().map_or(Ok(()), |path| check_path("measure.property", path))?;
            }
        }
        Measure::Proportion { .. } | Measure::Count { .. } | Measure::TimeTo { .. } => {}
    }
    let can_be_capped =
        matches!(written.measure, Measure::Count { .. } | Measure::Mean { .. } | Measure::TimeTo { .. });
    match written.cap {
        Some(_) if !can_be_capped => {
            return wrong("cap", "has a meaning for counts, means and times only: leave it out");
        }
        Some(..=0) => return wrong("cap", "must be above 0"),
        _ => {}
    }
    let is_summed = matches!(written.measure, Measure::Count { .. } | Measure::Mean { .. });
    match written.cap_percentile_bp {
        Some(_) if !is_summed => {
            return wrong("cap_percentile_bp", "has a meaning for counts and means only: leave it out");
        }
        Some(_) if written.cap.is_some() => {
            return wrong("cap_percentile_bp", "and cap are two caps: leave one of them out");
        }
        Some(bp) if !(CAP_PERCENTILE_BP_MIN..10_000).contains(&bp) => {
            return wrong(
                "cap_percentile_bp",
                format!(
                    "must be {CAP_PERCENTILE_BP_MIN} to 9999 basis points, such as 9900 for the 99 % point"
                ),
            );
        }
        _ => {}
    }
    let has_property =
        matches!(written.measure, Measure::Mean { .. } | Measure::Ratio { .. } | Measure::Quantile { .. });
    match written.decimals {
        0 => {}
        _ if !has_property => {
            return wrong("decimals", "has a meaning for means, ratios and quantiles only: leave it out");
        }
        _ if matches!(written.format, Some(Format::Money | Format::Milliseconds)) => {
            return wrong(
                "decimals",
                "goes with plain numbers and shares: money and milliseconds are counted in their smallest unit",
            );
        }
        decimals if decimals > DECIMALS_MAX => {
            return wrong("decimals", format!("must be 0 to {DECIMALS_MAX}"));
        }
        _ => {}
    }
    let has_past = is_summed || matches!(written.measure, Measure::Proportion { .. });
    match written.lookback_days {
        Some(_) if !has_past => {
            wrong("lookback_days", "has a meaning for proportions, counts and means only: leave it out")
        }
        Some(days) if !(1..=LOOKBACK_DAYS_MAX).contains(&days) => {
            wrong("lookback_days", format!("must be 1 to {LOOKBACK_DAYS_MAX}"))
        }
        _ => Ok(()),
    }
}

fn check_selector(selector: &Selector) -> Result<(), MetricError> {
    check_path("event.type", selector.kind())?;
    if selector.conditions().len() > CONDITIONS_MAX {
        return wrong("event.where", format!("has more than {CONDITIONS_MAX} conditions"));
    }
    selector
        .conditions()
        .iter()
        .try_for_each(|condition| check_path("event.where.property", &condition.property))
}

fn check_path(field: &'static str, path: &str) -> Result<(), MetricError> {
    if path.is_empty() || path.len() > PATH_BYTES_MAX || path.split('.').any(str::is_empty) {
        return wrong(
            field,
            format!(
                "must be 1 to {PATH_BYTES_MAX} bytes, names with points between them, such as `step` or `properties.page`"
            ),
        );
    }
    Ok(())
}

/// A name inside a sentence: `Revenue per visitor` is `revenue per visitor`, but `SKU count` stays.
fn lowered(name: &str) -> String {
    let mut characters = name.chars();
    match (characters.next(), characters.clone().next()) {
        (Some(first), second) if !second.is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(characters).collect()
        }
        _ => name.to_owned(),
    }
}
