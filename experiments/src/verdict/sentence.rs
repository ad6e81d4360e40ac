//! The verdict in words that say what to do.

use crate::interval::Estimate;
use crate::metric::Metric;
use crate::verdict::{Analysis, Comparison, Verdict, WithheldReason};

/// Says the verdict of an analysis; with `is_over`, of an experiment that has stopped and cannot run on.
pub(super) fn say(analysis: &Analysis, is_over: bool) -> String {
    match analysis.verdict {
        Verdict::SampleRatioMismatch { .. } => mismatch(analysis, is_over),
        Verdict::TooFew { .. } => too_few(analysis, is_over),
        Verdict::Withheld { variation, reason } => withheld(analysis, variation, reason),
        Verdict::NoDifferenceYet => no_difference(analysis, is_over),
        Verdict::Better { variation } => {
            let advice = if is_over { "You can ship it." } else { "You can stop and ship it." };
            called(analysis, variation, "better", advice)
        }
        Verdict::Worse { variation } => {
            let control = &analysis.arms[0].name;
            let advice =
                if is_over { format!("Keep {control}.") } else { format!("Stop and keep {control}.") };
            called(analysis, variation, "worse", &advice)
        }
    }
}

/// What was found, what to do (or, when the other metric disagrees, to weigh both), and what became of the
/// rest.
fn called(analysis: &Analysis, variation: usize, judgement: &str, advice: &str) -> String {
    let name = &analysis.arms[variation].name;
    let disagreement = disagreement(analysis, variation);
    let advice = disagreement.as_deref().unwrap_or(advice);
    format!("{name} is {judgement}: {}. {advice}{}", effect(analysis, variation), others(analysis, variation))
}

fn too_few(analysis: &Analysis, is_over: bool) -> String {
    let Verdict::TooFew { units, units_min, conversions, conversions_min } = analysis.verdict else {
        return String::new();
    };
    let (opening, closing) =
        if is_over { ("Too little data to say", "") } else { ("Too early to say", " Let it run.") };
    let smallest = analysis.arms.iter().min_by_key(|arm| arm.units);
    let name = smallest.map_or("an arm", |arm| arm.name.as_str());
    let lack = if units < units_min {
        format!("{name} has {} and each arm needs at least {}", visitors(units), thousands(units_min))
    } else {
        format!("{} of the {} conversions needed", thousands(conversions), thousands(conversions_min))
    };
    format!("{opening}: {lack}.{closing}")
}

fn mismatch(analysis: &Analysis, is_over: bool) -> String {
    let counts: Vec<String> = analysis
        .arms
        .iter()
        .zip(&analysis.sample_ratio.expected)
        .map(|(arm, expected)| {
            format!(
                "{} has {} where {} were due",
                arm.name,
                visitors(arm.units),
                thousands(expected.round() as u64)
            )
        })
        .collect();
    let again = if is_over {
        "before you try again under a new key"
    } else {
        "then stop and start again under a new key"
    };
    format!(
        "Do not trust these numbers: visitors are not split as planned ({}). Some are lost or counted twice on the way; \
         find the cause, {again}.",
        counts.join(", ")
    )
}

fn withheld(analysis: &Analysis, variation: usize, reason: WithheldReason) -> String {
    let arm = &analysis.arms[variation];
    match (reason, analysis.primary_metric) {
        (WithheldReason::NoSpread, Metric::Conversion) if arm.conversions == 0 => format!(
            "No verdict: nobody of {} converted in {}. See whether it works at all.",
            visitors(arm.units),
            arm.name
        ),
        (WithheldReason::NoSpread, Metric::Conversion) => format!(
            "No verdict: all {} of {} converted. See whether conversions are counted right.",
            visitors(arm.units),
            arm.name
        ),
        (WithheldReason::NoSpread, Metric::RevenuePerUnit) => format!(
            "No verdict: all {} of {} brought the same revenue. See whether orders are counted right.",
            visitors(arm.units),
            arm.name
        ),
        (WithheldReason::ControlNotPositive, metric) => format!(
            "No verdict: {} of {} is not above zero, so a change cannot be told in percent.",
            metric.phrase(),
            arm.name
        ),
    }
}

fn no_difference(analysis: &Analysis, is_over: bool) -> String {
    let bounds: Vec<String> = primary(analysis)
        .filter_map(|comparison| {
            let lift = comparison.lift?;
            let name = &analysis.arms[comparison.variation].name;
            Some(format!(
                "{name} may change {} by anything from {} to {}",
                comparison.metric.phrase(),
                signed_percent(lift.lower),
                signed_percent(lift.upper)
            ))
        })
        .collect();
    let (bounds, control) = (bounds.join("; "), &analysis.arms[0].name);
    if is_over {
        format!("No difference was found: {bounds}. Keep {control}, or try again with more visitors.")
    } else {
        format!("No difference yet: {bounds}. Let it run, or stop if an effect within that would not matter.")
    }
}

/// What the primary metric does under the variation: `conversion rises by 50.0 % (between 15.1 % and 84.9
/// %)`.
fn effect(analysis: &Analysis, variation: usize) -> String {
    let phrase = analysis.primary_metric.phrase();
    let lift = analysis.comparison(variation, analysis.primary_metric).and_then(|comparison| comparison.lift);
    lift.map_or_else(|| format!("{phrase} differs"), |lift| format!("{phrase} {}", movement(&lift)))
}

fn movement(lift: &Estimate) -> String {
    let (verb, sign, near, far) = if lift.value >= 0.0 {
        ("rises", 1.0, lift.lower, lift.upper)
    } else {
        ("falls", -1.0, lift.upper, lift.lower)
    };
    format!(
        "{verb} by {} (between {} and {})",
        percent(sign * lift.value),
        percent(sign * near),
        percent(sign * far)
    )
}

fn primary(analysis: &Analysis) -> impl Iterator<Item = &Comparison> {
    analysis.comparisons.iter().filter(|comparison| comparison.is_primary)
}

/// With several treatments, says what became of the others; begins with a space.
fn others(analysis: &Analysis, named: usize) -> String {
    let fates: Vec<String> = primary(analysis)
        .filter(|comparison| comparison.variation != named)
        .map(|comparison| {
            let name = &analysis.arms[comparison.variation].name;
            match comparison.lift {
                Some(lift) if comparison.is_significant && lift.value > 0.0 => {
                    format!("{name} beats {}, too", analysis.arms[0].name)
                }
                Some(_) if comparison.is_significant => {
                    format!("{name} is worse than {}", analysis.arms[0].name)
                }
                _ => format!("{name} is undecided"),
            }
        })
        .collect();
    if fates.is_empty() { String::new() } else { format!(" {}.", fates.join("; ")) }
}

/// Says how the metric that does not decide has moved, when it has moved the other way.
fn disagreement(analysis: &Analysis, variation: usize) -> Option<String> {
    let lift_of = |metric| {
        let comparison = analysis.comparison(variation, metric)?;
        comparison.lift.filter(|_| comparison.is_significant)
    };
    let deciding = lift_of(analysis.primary_metric)?;
    let other_metrics = Metric::ALL.into_iter().filter(|&metric| metric != analysis.primary_metric);
    other_metrics.into_iter().find_map(|metric| {
        let other = lift_of(metric).filter(|other| deciding.value * other.value < 0.0)?;
        Some(format!("But {} {}: weigh both before you decide.", metric.phrase(), movement(&other)))
    })
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn signed_percent(share: f64) -> String {
    format!("{:+.1} %", share * 100.0).replace('-', "−")
}

fn visitors(count: u64) -> String {
    if count == 1 { "1 visitor".into() } else { format!("{} visitors", thousands(count)) }
}

/// Groups digits by threes: 12,345.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
