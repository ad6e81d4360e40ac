//! The estimates in full, for statisticians.

use experiments::interval::Estimate;
use experiments::verdict::Comparison;
use experiments::{Analysis, Metric};
use serde::Serialize;

use super::metric_title;
use crate::figure::{NONE, p_value, signed_percent, signed_percent_to};
use crate::money::Currency;

#[derive(Serialize)]
pub(super) struct Row<'a> {
    name: &'a str,
    metric: &'static str,
    lift: String,
    standard_error: String,
    p: String,
    difference: String,
    fixed: String,
}

pub(super) fn rows<'a>(analysis: &'a Analysis, currency: &Currency) -> Vec<Row<'a>> {
    analysis.comparisons.iter().map(|comparison| row(analysis, comparison, currency)).collect()
}

fn row<'a>(analysis: &'a Analysis, comparison: &Comparison, currency: &Currency) -> Row<'a> {
    let of = |write: fn(&Estimate) -> String| comparison.lift.as_ref().map_or_else(|| NONE.into(), write);
    let equals = |p: f64| p_value(p).trim_start_matches("=\u{a0}").to_owned();
    Row {
        name: analysis.arms.get(comparison.variation).map_or("", |arm| &arm.name),
        metric: metric_title(comparison.metric),
        lift: of(|lift| signed_percent(lift.value)),
        standard_error: of(|lift| signed_percent(lift.standard_error).trim_start_matches('+').to_owned()),
        p: comparison.lift.map_or_else(|| NONE.into(), |lift| equals(lift.p)),
        difference: comparison
            .difference
            .map_or_else(|| NONE.into(), |estimate| difference(comparison.metric, estimate.value, currency)),
        fixed: comparison.lift_at_fixed_horizon.map_or_else(
            || NONE.into(),
            |fixed| {
                format!(
                    "{} to {}, p {}",
                    signed_percent(fixed.lower),
                    signed_percent(fixed.upper),
                    p_value(fixed.p)
                )
            },
        ),
    }
}

/// An absolute difference: percentage points of conversion, or money.
fn difference(metric: Metric, value: f64, currency: &Currency) -> String {
    match metric {
        Metric::Conversion => signed_percent_to(value, 2).replace('%', "points"),
        Metric::RevenuePerUnit => {
            let text = currency.mean(value);
            if value > 0.0 { format!("+{text}") } else { text }
        }
    }
}
