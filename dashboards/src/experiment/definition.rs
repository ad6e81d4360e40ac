//! The definition as it is read.

use experiments::bandit::Policy;
use experiments::definition::{Correction, GuardrailRule, LateMetric, WHOLE_BP};
use experiments::guardrail::Ask;
use experiments::{Experiment, Variation};
use serde::Serialize;

use super::ramp::step_words;
use crate::figure::{NONE, count, counted, short_percent};
use crate::moment::Moment;

#[derive(Serialize)]
pub(super) struct Pair {
    name: &'static str,
    value: String,
    note: Option<&'static str>,
    is_code: bool,
}

#[derive(Serialize)]
pub(super) struct VariationView<'a> {
    key: &'a str,
    name: &'a str,
    weight: String,
    value: String,
    is_control: bool,
    is_shipped: bool,
    preview: Option<&'a str>,
}

pub(super) fn pairs(experiment: &Experiment) -> Vec<Pair> {
    let code = |name, value: &str| Pair { name, value: value.to_owned(), note: None, is_code: true };
    let text = |name, value, note| Pair { name, value, note, is_code: false };
    let mut pairs = vec![
        code("Key", experiment.key()),
        text("Owner", or_none(experiment.owner()), None),
        text(
            "Kind",
            if experiment.is_aa() { "A/A" } else { "A/B" }.into(),
            experiment.is_aa().then_some("all variations show the same"),
        ),
        code("Flag", experiment.flag()),
        code("Seed", experiment.seed()),
        text("Who may take part", who(experiment), None),
        text("Coverage", share(experiment.coverage_bp()), Some("of all visitors take part")),
        text("Ramp", ramp(experiment), None),
        text("Weights", weights(experiment), None),
        text("Decided by", words(experiment.primary_metric()), None),
        text("Adjusted by", or_none(experiment.strata().unwrap_or_default()), None),
        text(
            "Guardrails",
            guardrails(experiment),
            Some("must not get worse by more than that; with ±, differ by more"),
        ),
        text("Other metrics", correction(experiment.correction()).into(), None),
        text(
            "Planned length",
            experiment.planned_days().map_or_else(|| NONE.into(), |days| counted(days.into(), "day")),
            None,
        ),
        text(
            "Planned units",
            count(experiment.planned_units()),
            Some("of two variations together, where the interval is tightest"),
        ),
    ];
    if !experiment.late_metrics().is_empty() {
        let late =
            |late: &LateMetric| format!("{} ({})", words(&late.metric), Moment::of(late.added_at_ms).date);
        let all = experiment.late_metrics().iter().map(late).collect::<Vec<_>>().join(", ");
        pairs.push(text("Metrics added later", all, Some("after the start; they decide nothing")));
    }
    pairs
}

fn weights(experiment: &Experiment) -> String {
    let Some(draws) = experiment.draws() else { return "stay as they are".into() };
    let policy = match draws.policy {
        Policy::Thompson => "Thompson sampling",
        Policy::TopTwo => "top-two sampling",
    };
    let (hours, floor) = (counted(draws.every_hours.into(), "hour"), share(draws.floor_bp));
    format!("{policy}, drawn again after {hours}, at least {floor} each")
}

fn ramp(experiment: &Experiment) -> String {
    let steps = experiment.ramp().iter().map(step_words);
    or_none(&steps.collect::<Vec<_>>().join(", "))
}

/// Says who may take part, in words and JSON.
fn who(experiment: &Experiment) -> String {
    let targeting = experiment.targeting();
    let condition = targeting.condition.as_ref().map(|condition| format!("who meets {condition}"));
    let layer = targeting.layer.as_ref().map(|layer| {
        format!("the part from {} to {} of layer “{}”", share(layer.from_bp), share(layer.to_bp), layer.key)
    });
    let flags = targeting
        .prerequisites
        .iter()
        .map(|one| format!("to whom {} is {}{}", one.flag, if one.is_not { "not " } else { "" }, one.value));
    let parts: Vec<String> = condition.into_iter().chain(layer).chain(flags).collect();
    if parts.is_empty() { "everybody".into() } else { parts.join("; ") }
}

fn or_none(text: &str) -> String {
    if text.is_empty() { NONE.into() } else { text.to_owned() }
}

pub(super) fn variations<'a>(experiment: &'a Experiment, previews: &'a [String]) -> Vec<VariationView<'a>> {
    let view = |(index, variation): (usize, &'a Variation)| VariationView {
        key: variation.key(),
        name: variation.name(),
        weight: share(variation.weight_bp()),
        value: format!("{:#}", variation.value()),
        is_control: index == 0,
        is_shipped: experiment.rollout() == Some(index),
        preview: previews.get(index).map(String::as_str),
    };
    experiment.variations().iter().enumerate().map(view).collect()
}

/// A key as words.
fn words(key: &str) -> String {
    key.replace('_', " ")
}

fn guardrails(experiment: &Experiment) -> String {
    let sign = |rule: &GuardrailRule| if rule.asks == Ask::Equivalent { "±" } else { "" };
    let rule =
        |rule: &GuardrailRule| format!("{} ({}{})", words(&rule.metric), sign(rule), share(rule.margin_bp));
    match experiment.guardrails() {
        [] => "none".into(),
        rules => rules.iter().map(rule).collect::<Vec<_>>().join(", "),
    }
}

fn correction(correction: Correction) -> &'static str {
    match correction {
        Correction::Holm => "corrected by Holm: hardly ever is one shown by chance",
        Correction::BenjaminiHochberg => {
            "corrected by Benjamini and Hochberg: of those shown, one in twenty may be chance"
        }
    }
}

fn share(bp: u32) -> String {
    short_percent(f64::from(bp) / f64::from(WHOLE_BP))
}
