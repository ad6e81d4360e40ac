//! The table of variations: what each did, and its lift over the control.

use experiments::verdict::{Comparison, UNITS_PER_ARM_MIN};
use experiments::{Analysis, Metric, Verdict};
use serde::Serialize;

use super::{ExperimentPage, metric_phrase, metric_title};
use crate::chart::{IntervalBar, widest};
use crate::figure::{count, counted, percent, short_percent, signed_percent};

#[derive(Serialize)]
pub(super) struct Column {
    name: &'static str,
    lift_name: String,
}

#[derive(Serialize)]
pub(super) struct ArmView<'a> {
    name: &'a str,
    key: &'a str,
    is_control: bool,
    units: String,
    share: String,
    cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    name: &'static str,
    value: String,
    note: String,
    lift_name: String,
    lift: Option<Lift>,
    without_lift: &'static str,
}

#[derive(Serialize)]
struct Lift {
    tone: &'static str,
    value: String,
    range: String,
    bar: IntervalBar,
    mark: Option<&'static str>,
    icon: Option<&'static str>,
}

/// The deciding metric comes first.
fn metrics(analysis: &Analysis) -> [Metric; 2] {
    let mut metrics = Metric::ALL;
    metrics.sort_by_key(|metric| *metric != analysis.primary_metric);
    metrics
}

fn lift_name(metric: Metric) -> String {
    format!("Lift in {}", metric_phrase(metric))
}

pub(super) fn columns(analysis: &Analysis) -> Vec<Column> {
    let column = |metric| Column { name: metric_title(metric), lift_name: lift_name(metric) };
    metrics(analysis).into_iter().map(column).collect()
}

pub(super) fn arms<'a>(page: &'a ExperimentPage<'_>) -> Vec<ArmView<'a>> {
    let analysis = page.analysis;
    let units: u64 = analysis.arms.iter().map(|arm| arm.units).sum();
    let arm = |(index, arm): (usize, &'a experiments::verdict::ArmSummary)| ArmView {
        name: &arm.name,
        key: &arm.key,
        is_control: index == 0,
        units: count(arm.units),
        share: if units == 0 {
            format!("{} planned", short_percent(arm.weight))
        } else {
            format!("{} of all", short_percent(arm.units as f64 / units as f64))
        },
        cells: metrics(analysis).into_iter().map(|metric| cell(page, index, metric)).collect(),
    };
    analysis.arms.iter().enumerate().map(arm).collect()
}

fn cell(page: &ExperimentPage<'_>, index: usize, metric: Metric) -> Cell {
    let arm = &page.analysis.arms[index];
    let (value, note) = match metric {
        Metric::Conversion => {
            let converted = format!("{} converted", count(arm.conversions));
            let note = match page.orders.get(index) {
                Some(&orders) => format!("{converted}, {}", counted(orders, "order")),
                None => converted,
            };
            (percent(arm.conversion), note)
        }
        Metric::RevenuePerUnit => (
            page.currency.mean(arm.revenue_per_unit),
            format!("{} in all", page.currency.amount(arm.revenue)),
        ),
    };
    Cell {
        name: metric_title(metric),
        value,
        note,
        lift_name: lift_name(metric),
        lift: lift(page, index, metric),
        without_lift: without_lift(page, index),
    }
}

fn without_lift(page: &ExperimentPage<'_>, index: usize) -> &'static str {
    match index {
        _ if page.is_mismatch() => "withheld",
        0 => "baseline",
        _ if has_too_few_units(page, index) => "too early",
        _ => "cannot be told yet",
    }
}

/// Whether the interval does not hold yet, not even roughly; the charts leave such looks out, too.
fn has_too_few_units(page: &ExperimentPage<'_>, index: usize) -> bool {
    let arms = &page.analysis.arms;
    arms[0].units.min(arms[index].units) < UNITS_PER_ARM_MIN
}

fn lift(page: &ExperimentPage<'_>, index: usize, metric: Metric) -> Option<Lift> {
    if index == 0 || page.is_mismatch() || has_too_few_units(page, index) {
        return None;
    }
    let analysis = page.analysis;
    let comparison = analysis.comparison(index, metric)?;
    let estimate = comparison.lift?;
    let on_metric = |other: &&Comparison| other.metric == metric;
    let reach = widest(analysis.comparisons.iter().filter(on_metric).filter_map(|other| other.lift.as_ref()));
    let (tone, icon, mark) = mark(analysis, comparison);
    Some(Lift {
        tone,
        value: signed_percent(estimate.value),
        range: format!("{} to {}", signed_percent(estimate.lower), signed_percent(estimate.upper)),
        bar: IntervalBar::draw(&estimate, reach, tone),
        mark,
        icon,
    })
}

/// How a lift is marked: only a proven one has a colour.
fn mark(
    analysis: &Analysis,
    comparison: &Comparison,
) -> (&'static str, Option<&'static str>, Option<&'static str>) {
    match comparison.lift {
        _ if matches!(analysis.verdict, Verdict::TooFew { .. }) => ("calm", None, Some("preliminary")),
        Some(lift) if comparison.is_significant && lift.value > 0.0 => ("good", Some("up"), Some("better")),
        Some(_) if comparison.is_significant => ("bad", Some("down"), Some("worse")),
        _ => ("calm", None, None),
    }
}
