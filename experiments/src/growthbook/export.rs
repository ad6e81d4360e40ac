//! Our own experiments, written as a GrowthBook payload.

use std::collections::BTreeSet;

use crate::definition::{Experiment, Prerequisite, Status, Variation, WHOLE_BP};
use crate::hash::BucketRange;
use crate::holdout;
use crate::json::{Json, NULL, Object};
use crate::rollout;

/// The attribute that names the unit.
pub const UNIT_ATTRIBUTE: &str = "id";

/// Writes the running experiments as a payload: the one reading of them that every door goes by, and under which any SDK gives
/// every unit the variation that [`assign`](crate::assign()) gives those who may take part.
///
/// Each flag is a feature without a default, so that the caller's own holds, and each experiment on it a rule, in
/// order; what was shipped on it are last rules that force its value. Where a [`holdout`] runs, all of them ask it first. Other experiments are left out: they assign nobody. `updated` is the payload's version to
/// the SDKs, an ISO 8601 time that must change with every change.
///
/// ```
/// # use experiments::{Experiment, growthbook};
/// let running = Experiment::parse(r#"{
///   "schema_version": 1, "key": "checkout", "name": "Checkout", "flag": "checkout_workflow", "status": "running",
///   "variations": [
///     {"key": "classic", "weight_bp": 6000, "value": "classic"}, {"key": "express", "weight_bp": 4000, "value": "express"}
///   ]
/// }"#)?;
/// let payload = growthbook::export::payload(&[running], "2026-11-29T08:00:00Z");
/// let payload = growthbook::Payload::compile(payload.into()).unwrap();
/// let unit = experiments::json::Json::parse(r#"{"id": "user-1"}"#).unwrap();
/// let user = growthbook::User::new(&unit);
/// let result = growthbook::Evaluator::new(&payload, user).evaluate("checkout_workflow");
/// assert_eq!(result.value.as_str(), Some("express"));
/// # Ok::<(), experiments::DefinitionError>(())
/// ```
pub fn payload(experiments: &[Experiment], updated: &str) -> Object {
    let mut flags: Vec<(String, Vec<Json>)> = Vec::new();
    let mut add = |flag: &str, rule: Object| match flags.iter_mut().find(|(known, _)| known == flag) {
        Some((_, rules)) => rules.push(rule.into()),
        None => flags.push((flag.to_owned(), vec![rule.into()])),
    };
    let holdout = holdout::running(experiments);
    for experiment in experiments.iter().filter(|experiment| experiment.status() == Status::Running) {
        add(experiment.flag(), rule(experiment, holdout));
    }
    let flags_of: BTreeSet<&str> = experiments.iter().map(Experiment::flag).collect();
    for flag in flags_of {
        for (shipped, variation) in rollout::all_on_flag(experiments, flag) {
            forced(shipped, &shipped.variations()[variation], holdout)
                .into_iter()
                .for_each(|rule| add(flag, rule));
        }
    }
    let feature = |(flag, rules)| (flag, Object::default().with("rules", Json::Array(rules)).into());
    let features: Object = flags.into_iter().map(feature).collect();
    Object::default().with("features", features).with("dateUpdated", updated)
}

/// Rules without a split: GrowthBook's SDKs answer them and report no exposure.
fn forced(experiment: &Experiment, variation: &Variation, holdout: Option<&Experiment>) -> Vec<Object> {
    let shipped_at_ms = experiment.shipped().map_or(i64::MIN, |shipped| shipped.at_ms);
    let holdout = holdout.filter(|holdout| holdout::governs_rollout(holdout, shipped_at_ms));
    let rule = Object::default().with("id", experiment.key());
    let rule = with_parents(rule, holdout.map(|_| not_held()).into_iter().collect());
    let rule = rule.with("force", value(variation));
    let Some(ranges) = experiment.rollout_ranges() else { return vec![rule] };
    let hashed =
        rule.with("seed", experiment.seed()).with("hashAttribute", UNIT_ATTRIBUTE).with("hashVersion", 2);
    ranges.iter().map(|one| hashed.clone().with("range", range(one))).collect()
}

/// Whom no holdout keeps out.
fn not_held() -> Json {
    let condition = Object::default().with("value", Object::default().with("$ne", holdout::HELD));
    Object::default().with("id", holdout::FLAG).with("condition", condition).into()
}

fn with_parents(rule: Object, parents: Vec<Json>) -> Object {
    if parents.is_empty() { rule } else { rule.with("parentConditions", Json::Array(parents)) }
}

fn prerequisite(prerequisite: &Prerequisite) -> Json {
    let value = Json::try_from(&prerequisite.value).unwrap_or(NULL.clone());
    let asked = if prerequisite.is_not { Object::default().with("$not", value).into() } else { value };
    let condition = Object::default().with("value", asked);
    Object::default().with("id", prerequisite.flag.as_str()).with("condition", condition).into()
}

fn range(range: &BucketRange) -> Json {
    Json::Array(vec![Json::number(range.start), Json::number(range.end)])
}

/// Writes who may take part: a holdout before all, then what other flags must be worth, the condition and the part of a layer.
fn targeted(rule: Object, experiment: &Experiment, holdout: Option<&Experiment>) -> Object {
    let targeting = experiment.targeting();
    let held = holdout.filter(|_| !experiment.is_holdout()).map(|_| not_held());
    let parents = held.into_iter().chain(targeting.prerequisites.iter().map(prerequisite)).collect();
    let rule = with_parents(rule, parents);
    let condition = targeting.condition.as_ref().and_then(|condition| Json::try_from(condition).ok());
    let rule = match condition {
        Some(condition) => rule.with("condition", condition),
        None => rule,
    };
    match &targeting.layer {
        Some(layer) => {
            let BucketRange { start, end } = layer.range();
            let part = vec![layer.key.as_str().into(), Json::number(start), Json::number(end)];
            rule.with("namespace", Json::Array(part))
        }
        None => rule,
    }
}

fn value(variation: &Variation) -> Json {
    Json::try_from(variation.value()).unwrap_or(NULL.clone())
}

fn rule(experiment: &Experiment, holdout: Option<&Experiment>) -> Object {
    let share = |bp: u32| Json::number(f64::from(bp) / f64::from(WHOLE_BP));
    let variations = experiment.variations();
    let each = |of: fn(&Variation) -> Json| Json::Array(variations.iter().map(of).collect());
    let rule = Object::default().with("key", experiment.key()).with("name", experiment.name());
    // What SDKs hand on when they report whom they assigned: by which of a bandit's draws.
    let rule = match experiment.draws() {
        Some(draws) => rule.with("phase", draws.epoch().to_string()),
        None => rule,
    };
    targeted(rule, experiment, holdout)
        .with("seed", experiment.seed())
        .with("hashAttribute", UNIT_ATTRIBUTE)
        .with("hashVersion", 2)
        .with("variations", each(value))
        .with("coverage", share(experiment.coverage_bp()))
        .with("weights", Json::Array(variations.iter().map(|one| share(one.weight_bp())).collect()))
        // SDKs take these before coverage and weights; the latter are for people and old SDKs.
        .with("ranges", Json::Array(crate::assign::ranges(experiment).iter().map(range).collect()))
        .with("meta", each(|one| Object::default().with("key", one.key()).with("name", one.name()).into()))
}
