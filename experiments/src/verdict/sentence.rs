//! The verdict in words that say what to do.

use crate::interval::Estimate;
use crate::metric::Metric;
use crate::verdict::{Analysis, Comparison, Verdict, WithheldReason};

/// Says the verdict of an analysis.
pub(super) fn say(analysis: &Analysis) -> String {
    match analysis.verdict {
        Verdict::SampleRatioMismatch { .. } => mismatch(analysis),
        Verdict::TooFew { units, units_min, conversions, conversions_min } => {
            if units < units_min {
                let smallest = analysis.arms.iter().min_by_key(|arm| arm.units);
                let name = smallest.map_or("an arm", |arm| arm.name.as_str());
                format!(
                    "Too early to say: {name} has {} and each arm needs at least {}. Let it run.",
                    visitors(units),
                    thousands(units_min)
                )
            } else {
                format!(
                    "Too early to say: {} of the {} conversions needed. Let it run.",
                    thousands(conversions),
                    thousands(conversions_min)
                )
            }
        }
        Verdict::Withheld { variation, reason } => withheld(analysis, variation, reason),
        Verdict::NoDifferenceYet => no_difference(analysis),
        Verdict::Better { variation } => {
            let name = &analysis.arms[variation].name;
            let mut text =
                format!("{name} is better: {}. You can stop and ship it.", effect(analysis, variation));
            push_others(analysis, variation, &mut text);
            push_warning(analysis, variation, &mut text);
            text
        }
        Verdict::Worse { variation } => {
            let (name, control) = (&analysis.arms[variation].name, &analysis.arms[0].name);
            let mut text =
                format!("{name} is worse: {}. Stop and keep {control}.", effect(analysis, variation));
            push_others(analysis, variation, &mut text);
            push_warning(analysis, variation, &mut text);
            text
        }
    }
}

fn mismatch(analysis: &Analysis) -> String {
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
    format!(
        "Do not trust these numbers: visitors are not split as planned ({}). Some are lost or counted twice on the way; \
         find the cause, then start again.",
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

fn no_difference(analysis: &Analysis) -> String {
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
    format!(
        "No difference yet: {}. Let it run, or stop if an effect within that would not matter.",
        bounds.join("; ")
    )
}

/// What the primary metric does under the variation: `conversion rises by 50.0 % (between 15.1 % and 84.9 %)`.
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

/// With several treatments, says what became of the others.
fn push_others(analysis: &Analysis, named: usize, text: &mut String) {
    let others: Vec<String> = primary(analysis)
        .filter(|comparison| comparison.variation != named)
        .map(|comparison| {
            let name = &analysis.arms[comparison.variation].name;
            match comparison.lift {
                Some(lift) if comparison.is_significant && lift.value > 0.0 => {
                    format!("{name} beats the control, too")
                }
                Some(_) if comparison.is_significant => format!("{name} is worse than the control"),
                _ => format!("{name} is undecided"),
            }
        })
        .collect();
    if !others.is_empty() {
        text.push_str(&format!(" {}.", others.join("; ")));
    }
}

/// Warns when the metric that does not decide has moved the other way.
fn push_warning(analysis: &Analysis, variation: usize, text: &mut String) {
    let lift_of = |metric| {
        let comparison = analysis.comparison(variation, metric)?;
        comparison.lift.filter(|_| comparison.is_significant)
    };
    for metric in Metric::ALL.into_iter().filter(|&metric| metric != analysis.primary_metric) {
        if let (Some(deciding), Some(other)) = (lift_of(analysis.primary_metric), lift_of(metric))
            && deciding.value * other.value < 0.0
        {
            text.push_str(&format!(" But {} {}: weigh both first.", metric.phrase(), movement(&other)));
        }
    }
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
