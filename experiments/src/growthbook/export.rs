//! Our own experiments, written as a GrowthBook payload.

use crate::definition::{Experiment, Status, Variation, WHOLE_BP};
use crate::hash::BucketRange;
use crate::json::{Json, NULL, Object};
use crate::rollout;

/// The attribute that names the unit.
pub const UNIT_ATTRIBUTE: &str = "id";

/// Writes the running experiments as a payload under which any SDK gives every unit the variation that
/// [`assign`](crate::assign()) and [`evaluate_flag`](crate::evaluate_flag) give.
///
/// Each flag is a feature without a default, so that the caller's own holds, and each experiment on it a rule, in
/// order; what was shipped on it is a last rule that forces its value. Other experiments are left out: they assign nobody. `updated` is the payload's version to
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
    for experiment in experiments.iter().filter(|experiment| experiment.status() == Status::Running) {
        add(experiment.flag(), rule(experiment));
    }
    for experiment in experiments {
        match rollout::on_flag(experiments, experiment.flag()) {
            Some((shipped, variation)) if shipped.key() == experiment.key() => {
                add(experiment.flag(), forced(experiment, &experiment.variations()[variation]));
            }
            _ => {}
        }
    }
    let feature = |(flag, rules)| (flag, Object::default().with("rules", Json::Array(rules)).into());
    let features: Object = flags.into_iter().map(feature).collect();
    Object::default().with("features", features).with("dateUpdated", updated)
}

/// A rule without a split: GrowthBook's SDKs answer it and report no exposure.
fn forced(experiment: &Experiment, variation: &Variation) -> Object {
    Object::default().with("id", experiment.key()).with("force", value(variation))
}

fn value(variation: &Variation) -> Json {
    Json::try_from(variation.value()).unwrap_or(NULL.clone())
}

fn rule(experiment: &Experiment) -> Object {
    let share = |bp: u32| Json::number(f64::from(bp) / f64::from(WHOLE_BP));
    let variations = experiment.variations();
    let each = |of: fn(&Variation) -> Json| Json::Array(variations.iter().map(of).collect());
    let range = |range: &BucketRange| Json::Array(vec![Json::number(range.start), Json::number(range.end)]);
    let rule = Object::default().with("key", experiment.key()).with("name", experiment.name());
    // What SDKs hand on when they report whom they assigned: by which of a bandit's draws.
    let rule = match experiment.draws() {
        Some(draws) => rule.with("phase", draws.epoch().to_string()),
        None => rule,
    };
    rule.with("seed", experiment.seed())
        .with("hashAttribute", UNIT_ATTRIBUTE)
        .with("hashVersion", 2)
        .with("variations", each(value))
        .with("coverage", share(experiment.coverage_bp()))
        .with("weights", Json::Array(variations.iter().map(|one| share(one.weight_bp())).collect()))
        // SDKs take these before coverage and weights; the latter are for people and old SDKs.
        .with("ranges", Json::Array(crate::assign::ranges(experiment).iter().map(range).collect()))
        .with("meta", each(|one| Object::default().with("key", one.key()).with("name", one.name()).into()))
}
