//! The estimates in full, for statisticians.

use experiments::interval::Estimate;
use experiments::metric::Format;
use experiments::verdict::{Comparison, MetricSummary};
use experiments::{Analysis, definition::Method};
use serde::Serialize;

use crate::figure::{NONE, p_cell, p_value, signed_percent, signed_percent_to};
use crate::money::Currency;

#[derive(Serialize)]
pub(super) struct Row<'a> {
    name: &'a str,
    metric: &'a str,
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
    let metric = &analysis.metrics[comparison.metric];
    Row {
        name: analysis.arms.get(comparison.variation).map_or("", |arm| &arm.name),
        metric: &metric.name,
        lift: of(|lift| signed_percent(lift.value)),
        standard_error: of(|lift| signed_percent(lift.standard_error).trim_start_matches('+').to_owned()),
        p: comparison.adjusted_p.map_or_else(|| NONE.into(), p_cell),
        difference: comparison
            .difference
            .map_or_else(|| NONE.into(), |estimate| difference(metric, estimate.value, currency)),
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

/// An absolute difference: percentage points of a share, or the metric's own unit.
fn difference(metric: &MetricSummary, value: f64, currency: &Currency) -> String {
    match metric.format {
        Format::Share => signed_percent_to(value, 2).replace('%', "points"),
        format => {
            let text = currency.measured(format, value);
            if value > 0.0 { format!("+{text}") } else { text }
        }
    }
}

/// Says how results are read, for people who must not be fooled by it.
pub(super) fn told(analysis: &Analysis, level: &str, is_bandit: bool) -> String {
    let planned = crate::figure::count(analysis.planned_units);
    match analysis.method {
        Method::Sequential if is_bandit => format!(
            "The weights follow the results, so plain means would compare the good days of one variation with the bad days of \
             another, and ordinary intervals would be too narrow. Here every visitor counts by the chance that their variation had \
             when they came, and the {level} intervals are confidence sequences of these weighted differences: they hold at every \
             look, however the weights moved and whatever the days were like. Values above are plain; lifts are not their quotients."
        ),
        Method::Sequential => format!(
            "The {level} always-valid interval is an asymptotic confidence sequence: it covers the true lift at every look at \
             once, so you may look as often as you like and stop when you like. It is wider than the interval of a single \
             planned look, and that is the price of looking."
        ),
        Method::FixedHorizon => format!(
            "Results are read once, at {planned} units of two variations. Until then nothing is told, since who looks earlier \
             and stops at a good moment finds differences that are not there."
        ),
        Method::GroupSequential { looks } => format!(
            "Results are read at {looks} looks, evenly spaced up to {planned} units of two variations, which share the chance \
             of error. Between them the last one stands."
        ),
        Method::Mixture { .. } => format!(
            "The {level} interval belongs to the mixture sequential ratio test, tuned to the lift that was expected: it holds \
             at every look at once, so you may look as often as you like."
        ),
        Method::Bayesian { .. } => {
            "Intervals, chances and losses are what may be believed, given the prior. They do not bound how often a team that \
             looks again and again is wrong: under peeking, more than one experiment in twenty without any effect looks won."
                .to_owned()
        }
    }
}
