//! Each treatment against the control, metric by metric: numbers, and intervals on one scale (a forest plot).

use experiments::guardrail::{Ask, GuardrailReading, Standing, Unread};
use experiments::verdict::{Comparison, MetricSummary, UNITS_PER_ARM_MIN};
use experiments::{Analysis, Verdict};
use serde::Serialize;

use super::ExperimentPage;
use super::late::mark;
use crate::chart::{IntervalBar, widest};
use crate::figure::{NONE, counted, p_value, short_percent, signed_percent};

/// How many times wider than the deciding metric's interval the scale may be; what reaches beyond is cut off.
const REACH_MAX: f64 = 4.0;

/// Holds the comparison of one treatment with the control.
#[derive(Serialize)]
pub(super) struct Treatment<'a> {
    id: String,
    heading: String,
    control: &'a str,
    name: &'a str,
    rows: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    role: Option<&'static str>,
    rules: Vec<String>,
    control: String,
    treatment: String,
    lift: Option<Lift>,
    without_lift: &'static str,
    notes: Vec<String>,
    guardrail: Option<Pill>,
}

#[derive(Serialize)]
struct Pill {
    tone: &'static str,
    icon: &'static str,
    label: String,
    /// Why it cannot be read.
    why: Option<&'static str>,
}

/// Holds a lift as it is drawn.
#[derive(Serialize)]
pub(super) struct Lift {
    pub tone: &'static str,
    pub value: String,
    pub range: String,
    pub bar: IntervalBar,
    pub mark: Option<&'static str>,
    pub icon: Option<&'static str>,
}

pub(super) fn treatments<'a>(page: &'a ExperimentPage<'_>) -> Vec<Treatment<'a>> {
    let analysis = page.analysis;
    let treatment = |variation: usize| {
        let (control, name) = (&analysis.arms[0].name, &analysis.arms[variation].name);
        Treatment {
            id: format!("metrics-{variation}"),
            heading: format!("{name} against {control}"),
            control,
            name,
            rows: rows(page, variation),
        }
    };
    (1..analysis.arms.len()).map(treatment).collect()
}

fn rows<'a>(page: &'a ExperimentPage<'_>, variation: usize) -> Vec<Row<'a>> {
    let analysis = page.analysis;
    let of_treatment = |c: &&Comparison| c.variation == variation;
    let lifts = analysis.comparisons.iter().filter(of_treatment).filter_map(|c| c.lift.as_ref());
    let deciding = analysis.comparison(variation, 0).and_then(|c| c.lift.as_ref());
    let reach = match widest(deciding) {
        0.0 => widest(lifts),
        reach => widest(lifts).min(REACH_MAX * reach),
    };
    (analysis.metrics.iter().enumerate())
        .map(|(place, metric)| row(page, variation, place, metric, reach))
        .collect()
}

fn row<'a>(
    page: &'a ExperimentPage<'_>,
    variation: usize,
    place: usize,
    metric: &'a MetricSummary,
    reach: f64,
) -> Row<'a> {
    let analysis = page.analysis;
    let value = |arm: usize| {
        let value = analysis.arms[arm].values.get(place).and_then(|value| value.value);
        value.map_or_else(|| NONE.into(), |value| page.currency.measured(metric.format, value))
    };
    let comparison = analysis.comparison(variation, place);
    let is_shown = !page.is_mismatch() && !has_too_few_units(analysis, variation);
    let shown = comparison.filter(|_| is_shown);
    Row {
        name: &metric.name,
        role: match (metric.is_primary, metric.is_guardrail) {
            (true, _) => Some("decides"),
            (_, true) => Some("guardrail"),
            _ => None,
        },
        rules: rules(page, variation, place, metric),
        control: value(0),
        treatment: value(variation),
        lift: shown.and_then(|c| lift(analysis, c, metric, reach)),
        without_lift: match analysis.verdict {
            _ if page.is_mismatch() => "withheld",
            _ if has_too_few_units(analysis, variation) => "too early",
            Verdict::NotRead { .. } => "not read yet",
            _ if !page.epochs.is_empty() => "not told of a bandit, or not yet",
            _ if is_of_nothing(analysis, place) => "not told in percent of nothing",
            _ => "cannot be told yet",
        },
        notes: shown.map_or_else(Vec::new, |comparison| notes(comparison, page.experiment.strata())),
        guardrail: comparison
            .filter(|_| !page.is_mismatch())
            .and_then(|c| c.guardrail)
            .map(|reading| pill(metric, reading)),
    }
}

/// Whether the control has nothing that a change could be a part of.
fn is_of_nothing(analysis: &Analysis, place: usize) -> bool {
    let value = analysis.arms[0].values.get(place).and_then(|value| value.value);
    value.is_some_and(|value| value <= 0.0)
}

/// By what rule units are left out of a metric, or counted in part.
fn rules(page: &ExperimentPage<'_>, variation: usize, place: usize, metric: &MetricSummary) -> Vec<String> {
    let arm =
        |arm: usize| page.analysis.arms.get(arm).and_then(|arm| Some((arm.units, arm.values.get(place)?)));
    let mut rules: Vec<String> = metric.added_at_ms.map(mark).into_iter().collect();
    if let Some(most) = arm(variation).and_then(|(_, value)| value.most) {
        let most = page.currency.measured(metric.format, most as f64);
        let why = metric.cap_percentile_bp.map(|bp| {
            format!(", the {} point of those who count at all", short_percent(f64::from(bp) / 10_000.0))
        });
        rules.push(format!("a visitor counts at most {most}{}", why.unwrap_or_default()));
    }
    let open: u64 =
        [0, variation].into_iter().filter_map(arm).map(|(units, value)| units - value.units.min(units)).sum();
    if open > 0 {
        rules.push(format!("{} are left out until their days are over", counted(open, "visitor")));
    }
    rules
}

fn notes(comparison: &Comparison, strata: Option<&str>) -> Vec<String> {
    let mut notes = vec![];
    if let Some(belief) = comparison.belief {
        notes.push(format!(
            "chance to win {}",
            short_percent((belief.chance_to_win * 1_000.0).round() / 1_000.0)
        ));
        notes.push(format!(
            "expected loss if shipped {}",
            signed_percent(belief.risk_of_treatment).trim_start_matches('+')
        ));
    } else if let Some(p) = comparison.adjusted_p {
        notes.push(format!("p {}", p_value(p)));
    }
    let of_strata = strata.filter(|_| comparison.adjusted_by.strata).map(|name| name.replace('_', " "));
    let by_past = comparison.adjusted_by.past.then(|| "earlier orders".to_owned());
    let by: Vec<String> = of_strata.into_iter().chain(by_past).collect();
    let taken = comparison.variance_left.map(|left| ((1.0 - left) * 100.0).round() / 100.0);
    match taken.filter(|_| !by.is_empty()) {
        Some(share) if share > 0.0 => {
            notes.push(format!(
                "adjusted by {}: {} of the noise taken out",
                by.join(" and "),
                short_percent(share)
            ));
        }
        Some(_) if comparison.adjusted_by.strata => notes.push(format!("adjusted by {}", by.join(" and "))),
        _ => {}
    }
    notes
}

fn pill(metric: &MetricSummary, reading: GuardrailReading) -> Pill {
    let equivalence = metric.guardrail.filter(|rail| rail.asks() == Ask::Equivalent);
    let (tone, icon, label) = match (reading.standing, reading.unread) {
        (Standing::Equivalent, _) => {
            let margin = equivalence.map_or_else(String::new, |rail| short_percent(rail.margin()));
            let label = format!("shown to be equivalent within ±{margin}");
            return Pill { tone: "good", icon: "check", label, why: None };
        }
        (Standing::Unclear, _) if equivalence.is_some() => ("calm", "wait", "not shown yet"),
        (Standing::Safe, _) => ("good", "check", "safe"),
        (Standing::Harmed, _) => ("bad", "down", "harmed"),
        (Standing::WorseWithinMargin, _) => ("calm", "level", "worse, within the margin"),
        (Standing::Unclear, _) => ("calm", "wait", "not known yet"),
        (Standing::Unreadable, Some(why)) if why.is_early() => ("calm", "wait", "not read yet"),
        (Standing::Unreadable, _) => ("alarm", "warning", "cannot be read"),
    };
    Pill { tone, icon, label: label.into(), why: reading.unread.map(Unread::words) }
}

/// Whether the interval does not hold yet, not even roughly; the charts leave such looks out, too.
fn has_too_few_units(analysis: &Analysis, variation: usize) -> bool {
    analysis.arms[0].units.min(analysis.arms[variation].units) < UNITS_PER_ARM_MIN
}

fn lift(analysis: &Analysis, comparison: &Comparison, metric: &MetricSummary, reach: f64) -> Option<Lift> {
    let estimate = comparison.lift?;
    let is_better = comparison.is_better(metric.better);
    // Only a proven lift has a colour.
    let (tone, icon, mark) = match is_better {
        _ if matches!(analysis.verdict, Verdict::TooFew { .. }) => ("calm", None, Some("preliminary")),
        Some(is_better) if metric.added_at_ms.is_some() => {
            let mark = if is_better { "perhaps better" } else { "perhaps worse" };
            ("calm", Some(if estimate.value > 0.0 { "up" } else { "down" }), Some(mark))
        }
        Some(is_better) => {
            let (tone, mark) = if is_better { ("good", "better") } else { ("bad", "worse") };
            (tone, Some(if estimate.value > 0.0 { "up" } else { "down" }), Some(mark))
        }
        None => ("calm", None, None),
    };
    Some(Lift {
        tone,
        value: signed_percent(estimate.value),
        range: format!("{} to {}", signed_percent(estimate.lower), signed_percent(estimate.upper)),
        bar: IntervalBar::draw(&estimate, reach, tone),
        mark,
        icon,
    })
}
