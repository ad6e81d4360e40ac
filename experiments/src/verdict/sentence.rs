//! The verdict in words that say what to do.

use crate::guardrail::{Ask, Standing, Unread};
use crate::interval::Estimate;
use crate::verdict::{Analysis, Comparison, Verdict, WithheldReason};

/// Says the verdict of an analysis; with `is_over`, of an experiment that has stopped and cannot run on.
pub(super) fn say(analysis: &Analysis, is_over: bool) -> String {
    match analysis.verdict {
        Verdict::SampleRatioMismatch { .. } => mismatch(analysis, is_over),
        Verdict::TooFew { .. } => too_few(analysis, is_over),
        Verdict::NotRead { units, planned } => not_read(units, planned, is_over),
        Verdict::Withheld { variation, reason } => withheld(analysis, variation, reason),
        Verdict::NoDifferenceYet => no_difference(analysis, is_over),
        Verdict::Harms { variation, metric } => harms(analysis, variation, metric, is_over),
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

/// What was found, what to do (or, where a guardrail or another metric disagrees, what to look at first), and what
/// became of the rest.
fn called(analysis: &Analysis, variation: usize, judgement: &str, advice: &str) -> String {
    let name = &analysis.arms[variation].name;
    let is_better = judgement == "better";
    let blind = unread_guardrails(analysis, |one, _| is_better && one == variation);
    let blind = blind.map(|blind| format!("Do not ship it yet: {blind}."));
    let objection = match (broken_guardrail(analysis, variation), blind) {
        (Some(broken), Some(blind)) => Some(format!("{broken} {blind}")),
        (broken, blind) => broken.or(blind),
    };
    let objection = objection.or_else(|| disagreement(analysis, variation));
    let advice = objection.as_deref().unwrap_or(advice);
    let unproven = if is_better { unproven_guardrails(analysis, variation) } else { String::new() };
    let (effect, others) = (effect(analysis, variation), others(analysis, variation));
    format!("{name} is {judgement}: {effect}. {advice}{unproven}{others}")
}

fn too_few(analysis: &Analysis, is_over: bool) -> String {
    let Verdict::TooFew { units, units_min, active, active_min } = analysis.verdict else {
        return String::new();
    };
    let (opening, closing) =
        if is_over { ("Too little data to say", "") } else { ("Too early to say", " Let it run.") };
    let smallest = analysis.arms.iter().min_by_key(|arm| arm.units);
    let name = smallest.map_or("an arm", |arm| arm.name.as_str());
    let lack = if units < units_min {
        format!("{name} has {} and each arm needs at least {}", visitors(units), thousands(units_min))
    } else {
        let phrase = &analysis.primary().phrase;
        format!(
            "{} of the {} visitors needed count towards {phrase}",
            thousands(active),
            thousands(active_min)
        )
    };
    format!("{opening}: {lack}.{closing}")
}

fn not_read(units: u64, planned: u64, is_over: bool) -> String {
    let (units, planned) = (thousands(units), thousands(planned));
    if is_over {
        format!(
            "No verdict: it stopped at {units} units of two variations, before the look that was planned at {planned}. A look \
             whose moment was not planned finds differences that are not there."
        )
    } else {
        format!(
            "Not read yet: results are read at {planned} units of two variations, and there are {units}. Looking earlier \
             would find differences that are not there. Let it run."
        )
    }
}

fn harms(analysis: &Analysis, variation: usize, metric: usize, is_over: bool) -> String {
    let (name, control) = (&analysis.arms[variation].name, &analysis.arms[0].name);
    let advice = if is_over {
        format!("Keep {control}.")
    } else {
        format!("Stop and keep {control}, or mend {name} and start again under a new key.")
    };
    format!("{name} does harm: {}, which was not to get worse. {advice}", moved(analysis, variation, metric))
}

fn broken_guardrail(analysis: &Analysis, variation: usize) -> Option<String> {
    let harmed = analysis.comparisons.iter().find(|comparison| {
        comparison.variation == variation
            && comparison.guardrail.is_some_and(|reading| reading.standing == Standing::Harmed)
    })?;
    let moved = moved(analysis, variation, harmed.metric);
    Some(format!("But {moved}, which was not to get worse: mend that before you ship it."))
}

/// Begins with a space.
fn unproven_guardrails(analysis: &Analysis, variation: usize) -> String {
    let is_open = |comparison: &&Comparison| {
        let asks = analysis.metrics[comparison.metric].guardrail.map(|rail| rail.asks());
        comparison.variation == variation
            && asks == Some(Ask::NotWorse)
            && (comparison.guardrail).is_some_and(|reading| reading.standing == Standing::Unclear)
    };
    let open: Vec<&str> = analysis
        .comparisons
        .iter()
        .filter(is_open)
        .map(|c| analysis.metrics[c.metric].phrase.as_str())
        .collect();
    let open = if open.is_empty() {
        String::new()
    } else {
        format!(" Not shown to be safe yet: {}.", open.join(", "))
    };
    equivalences(analysis, variation) + &open
}

/// Says of the guardrails that are to stay as they are which are shown to do so, and which not yet; begins with a space.
fn equivalences(analysis: &Analysis, variation: usize) -> String {
    let told = |standing: Standing, opening: &str| -> String {
        let of = |comparison: &Comparison| {
            let is_so = comparison.guardrail.is_some_and(|reading| reading.standing == standing);
            let metric = &analysis.metrics[comparison.metric];
            let margin = metric.guardrail.filter(|rail| rail.asks() == Ask::Equivalent)?.margin();
            (comparison.variation == variation && is_so)
                .then(|| format!(" {}{opening} within ±{}.", uppercased(&metric.phrase), margin_of(margin)))
        };
        analysis.comparisons.iter().filter_map(of).collect()
    };
    told(Standing::Equivalent, " is shown to be equivalent")
        + &told(Standing::Unclear, " is not shown yet to be equivalent")
}

fn uppercased(phrase: &str) -> String {
    let mut letters = phrase.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn margin_of(margin: f64) -> String {
    format!("{} %", (margin * 10_000.0).round() / 100.0)
}

/// Names the guardrails that cannot be read, of those that are asked for, each with the reason.
fn unread_guardrails(analysis: &Analysis, is_asked: impl Fn(usize, Unread) -> bool) -> Option<String> {
    let mut told: Vec<String> = vec![];
    for comparison in &analysis.comparisons {
        let unread = comparison.guardrail.and_then(|reading| reading.unread);
        let Some(why) = unread.filter(|why| is_asked(comparison.variation, *why)) else { continue };
        let phrase = &analysis.metrics[comparison.metric].phrase;
        let one = format!("{phrase}, which was not to get worse, cannot be read: {}", why.words());
        // Several treatments mostly lack the same.
        if !told.contains(&one) {
            told.push(one);
        }
    }
    (!told.is_empty()).then(|| told.join("; "))
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
    let (arm, phrase) = (&analysis.arms[variation], &analysis.primary().phrase);
    let (name, units) = (&arm.name, visitors(arm.units));
    match reason {
        WithheldReason::NoSpread if arm.values[0].active == 0 => {
            format!(
                "No verdict: nobody of {units} in {name} counts towards {phrase}. See whether it works at all."
            )
        }
        WithheldReason::NoSpread => format!(
            "No verdict: all {units} of {name} count the same towards {phrase}. See whether events are counted right."
        ),
        WithheldReason::ControlNotPositive => format!(
            "No verdict: {phrase} of {name} is not above zero, so a change cannot be told in percent."
        ),
        WithheldReason::NotMeasurable => format!(
            "No verdict: {name} has too few events for {phrase}. See whether they are counted at all."
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
                analysis.metrics[comparison.metric].phrase,
                signed_percent(lift.lower),
                signed_percent(lift.upper)
            ))
        })
        .collect();
    let control = &analysis.arms[0].name;
    let bounds = match bounds.is_empty() {
        true => format!("how far {} may differ cannot be told yet", analysis.primary().phrase),
        false => bounds.join("; "),
    };
    let blind = unread_guardrails(analysis, |_, why| !why.is_early());
    let blind = blind.map_or_else(String::new, |blind| format!(" And {blind}."));
    // Whoever only rebuilds something wants to know that nothing moves.
    let same = if analysis.arms.len() == 2 { equivalences(analysis, 1) } else { String::new() };
    let blind = same + &blind;
    if is_over {
        format!("No difference was found: {bounds}. Keep {control}, or try again with more visitors.{blind}")
    } else {
        format!(
            "No difference yet: {bounds}. Let it run, or stop if an effect within that would not matter.{blind}"
        )
    }
}

/// What the primary metric does under the variation: `conversion rises by 50.0 % (between 15.1 % and 84.9
/// %)`.
fn effect(analysis: &Analysis, variation: usize) -> String {
    moved(analysis, variation, 0)
}

fn moved(analysis: &Analysis, variation: usize, metric: usize) -> String {
    let phrase = &analysis.metrics[metric].phrase;
    match analysis.comparison(variation, metric).and_then(|comparison| comparison.lift) {
        Some(lift) => format!("{phrase} {}", movement(&lift)),
        None => format!("{phrase} {}", movement_without_lift(analysis, variation, metric)),
    }
}

/// How a metric moves of which no part of the control's value can be told.
fn movement_without_lift(analysis: &Analysis, variation: usize, metric: usize) -> String {
    let value = |arm: usize| analysis.arms[arm].values.get(metric).and_then(|value| value.value);
    let name = &analysis.arms[0].name;
    match (value(0), value(variation)) {
        (Some(0.0), Some(to)) if to > 0.0 => format!("rises from nothing under {name}"),
        (Some(from), Some(0.0)) if from > 0.0 => format!("falls to nothing from what it is under {name}"),
        (Some(from), Some(to)) if to > from => format!("rises above that of {name}"),
        (Some(from), Some(to)) if to < from => format!("falls below that of {name}"),
        _ => format!("differs from that of {name}"),
    }
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
    let better = analysis.primary().better;
    let fates: Vec<String> = primary(analysis)
        .filter(|comparison| comparison.variation != named)
        .map(|comparison| {
            let name = &analysis.arms[comparison.variation].name;
            match comparison.lift {
                Some(_) if comparison.is_better(better) == Some(true) => {
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

/// Says how a metric that does not decide has moved, when it has moved the other way.
fn disagreement(analysis: &Analysis, variation: usize) -> Option<String> {
    let way_of = |comparison: &Comparison| comparison.is_better(analysis.metrics[comparison.metric].better);
    let deciding = way_of(analysis.comparison(variation, 0)?)?;
    let others = analysis.comparisons.iter().filter(|c| c.variation == variation && !c.is_primary);
    let is_planned = |other: &&Comparison| analysis.metrics[other.metric].added_at_ms.is_none();
    let other = others.into_iter().filter(is_planned).find(|other| way_of(other) == Some(!deciding))?;
    Some(format!("But {}: weigh both before you decide.", moved(analysis, variation, other.metric)))
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
