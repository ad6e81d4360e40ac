//! The estimates in full, for statisticians.

use experiments::Analysis;
use experiments::definition::{Correction, Method};
use experiments::interval::Estimate;
use experiments::metric::Format;
use experiments::verdict::{Comparison, MetricSummary};
use serde::Serialize;

use crate::figure::{
    NONE, count, counted, p_cell, p_value, short_percent, signed_percent, signed_percent_to,
};
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
            .map_or_else(|| NONE.into(), |estimate| absolute(metric, &estimate, currency)),
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

/// An absolute lift with its interval, in the metric's own unit.
pub(super) fn absolute(metric: &MetricSummary, estimate: &Estimate, currency: &Currency) -> String {
    let [value, lower, upper] =
        [estimate.value, estimate.lower, estimate.upper].map(|value| difference(metric, value, currency));
    // One word for all three.
    let lower = lower.trim_end_matches("\u{a0}points");
    format!("{value} ({lower} to {upper})")
}

/// An absolute difference: percentage points of a share, or the metric's own unit.
fn difference(metric: &MetricSummary, value: f64, currency: &Currency) -> String {
    match metric.format {
        Format::Share => {
            let share = value / 10_f64.powi(metric.decimals.min(9) as i32);
            signed_percent_to(share, 2).replace('%', "points")
        }
        _ => {
            let text = currency.measured_in(metric, value);
            if value > 0.0 { format!("+{text}") } else { text }
        }
    }
}

/// Says how results are read, for people who must not be fooled by it.
pub(super) fn told(analysis: &Analysis, level: &str, is_bandit: bool) -> String {
    let planned = count(analysis.planned_units);
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
             and stops at a good moment finds differences that are not there; what comes later changes nothing."
        ),
        Method::GroupSequential { looks } => format!(
            "Results are read at {looks} looks, evenly spaced up to {planned} units of two variations, which share the chance \
             of error. Between them the last one stands, and nothing is told before the first."
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

/// Says what its looks are worth, beside their number.
pub(super) fn looks(method: Method, planned_units: u64) -> String {
    match method {
        Method::Sequential | Method::Mixture { .. } => "look as often as you like".into(),
        Method::FixedHorizon => format!("read once, at {} units of two variations", count(planned_units)),
        Method::GroupSequential { looks } => {
            format!("read at {looks} of them, up to {} units of two variations", count(planned_units))
        }
        Method::Bayesian { .. } => "the more of them, the more is found by chance".into(),
    }
}

/// Says how often the metric that decides claims what is not there.
pub(super) fn false_alarms(method: Method, alpha: f64) -> String {
    let alpha = short_percent(alpha);
    match method {
        Method::Sequential | Method::Mixture { .. } => {
            format!("false alarm: at most {alpha}, however often you look")
        }
        Method::FixedHorizon => format!("false alarm: at most {alpha}, at the planned look"),
        Method::GroupSequential { looks } => format!("false alarm: at most {alpha}, over all {looks} looks"),
        Method::Bayesian { .. } => "a belief: how often it is a false alarm is not bounded".into(),
    }
}

/// Names the intervals beside lifts.
pub(super) fn intervals(method: Method, level: &str) -> String {
    match method {
        Method::Sequential | Method::Mixture { .. } => format!("{level} always-valid intervals"),
        Method::FixedHorizon => format!("{level} intervals of the planned look"),
        Method::GroupSequential { .. } => format!("{level} intervals of the last planned look"),
        Method::Bayesian { .. } => {
            format!("{level} credible intervals: what may be believed, given the prior")
        }
    }
}

/// Says how often the page as a whole claims what is not there.
pub(super) fn promise(analysis: &Analysis) -> String {
    let alpha = short_percent(analysis.alpha);
    let treatments = analysis.arms.len().saturating_sub(1) as u64;
    let claims = match analysis.method {
        Method::Sequential | Method::Mixture { .. } => "this page ever claims one",
        Method::FixedHorizon => "the planned look claims one",
        Method::GroupSequential { .. } => "any of the planned looks claims one",
        Method::Bayesian { .. } => return of_others(analysis).trim_start().to_owned(),
    };
    let of_all = if treatments > 1 {
        format!(
            "With {} each comparison gets an equal part of the {alpha} chance of error, so that the whole page keeps it.",
            counted(treatments, "treatment")
        )
    } else {
        format!("If there is no difference, the chance that {claims} is at most {alpha}.")
    };
    let has_guardrails = analysis.metrics.iter().any(|metric| metric.is_guardrail);
    let of_guardrails = has_guardrails.then(|| {
        format!(" Guardrails have {alpha} of their own, all together: so seldom is any of them called harmed that is not.")
    });
    of_all + &of_guardrails.unwrap_or_default() + of_others(analysis).as_str()
}

/// Says what the other metrics keep, where that is less than usual.
fn of_others(analysis: &Analysis) -> String {
    let alpha = short_percent(analysis.alpha);
    match analysis.correction {
        Correction::Holm => String::new(),
        Correction::BenjaminiHochberg => format!(
            " Of the metrics that do not decide, those that are called better or worse may be wrong in {alpha} of cases, on the average: \
             that was chosen before the start, so as to find more."
        ),
    }
}

/// Names how the metrics that do not decide are corrected, with the source.
pub(super) fn correction(analysis: &Analysis) -> &'static str {
    match analysis.correction {
        Correction::Holm => "Holm’s procedure",
        Correction::BenjaminiHochberg if analysis.method.is_anytime() => {
            "Wang and Ramdas’s e-BH procedure (2022), the false discovery rate of Benjamini and Hochberg (1995) at any time,"
        }
        Correction::BenjaminiHochberg => "the false discovery rate of Benjamini and Hochberg (1995)",
    }
}

/// Says what an A/A experiment should find.
pub(super) fn of_aa(method: Method) -> &'static str {
    match method {
        Method::Bayesian { .. } => {
            "Most should find none; read as a belief and looked at again and again, more than one in twenty finds one by chance."
        }
        Method::Sequential | Method::Mixture { .. } => {
            "Most should find none: about one in twenty finds one by chance, however often it is looked at."
        }
        Method::FixedHorizon | Method::GroupSequential { .. } => {
            "Most should find none: about one in twenty finds one by chance at its planned looks."
        }
    }
}

/// Names the methods behind the numbers, with their sources.
pub(super) fn sources(analysis: &Analysis) -> String {
    let planned = count(analysis.planned_units);
    let interval = match analysis.method {
        Method::Sequential => format!(
            "Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2021, revised 2024), two-sided, tightest at {planned} units of the \
             two compared variations"
        ),
        Method::FixedHorizon => {
            format!(
                "Welch’s t (1947), two-sided, at the first look with {planned} units of the two compared variations"
            )
        }
        Method::GroupSequential { .. } => format!(
            "Lan and DeMets (1983) with O’Brien and Fleming’s spending, two-sided, all of it spent at {planned} units of the two \
             compared variations"
        ),
        Method::Mixture { expected_lift_bp } => format!(
            "the mixture sequential ratio test of Johari, Koomen, Pekelis and Walsh (2022; Robbins 1970), two-sided, mixed over \
             lifts of about {}",
            short_percent(f64::from(expected_lift_bp) / 10_000.0)
        ),
        Method::Bayesian { prior_deviation_bp } => match prior_deviation_bp {
            Some(bp) => format!(
                "the posterior of a normal prior on the lift with mean 0 and standard deviation {}",
                short_percent(f64::from(bp) / 10_000.0)
            ),
            None => "the posterior of a flat prior on the lift".into(),
        },
    };
    format!(
        "Interval: {interval}. Lift by the delta method on unpooled variances. Split: Lindon and Malek’s sequential multinomial \
         test (2022). Metrics that do not decide are corrected by {} over all of them and all variations, and \
         the harm of guardrails by Holm’s procedure over all of these. The chart and the parts of the visitors are read by Waudby-Smith’s sequence \
         whatever the method, since they are seen at any time. The last column holds for one look planned beforehand.",
        correction(analysis)
    )
}
