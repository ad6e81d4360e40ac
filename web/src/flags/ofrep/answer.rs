//! What a flag is worth to a unit, in OFREP's words.

use std::collections::BTreeSet;

use experiments::{
    Experiment,
    growthbook::{Evaluator, FeatureResult, Source},
    json::{Json, Object},
    rollout,
};

use crate::{
    definitions::Definitions,
    flags::refusal::{Code, Failure},
};

/// Lists the flags that answers speak of: those with an experiment that has started. The flag of a draft is nobody's
/// business yet.
pub fn flags(definitions: &Definitions) -> BTreeSet<&str> {
    // What was imported has no drafts.
    let begun = definitions.experiments().iter().filter(|experiment| experiment.status().has_started());
    begun.map(|experiment| experiment.flag()).chain(definitions.payload().feature_keys()).collect()
}

/// Answers for one flag. Where no experiment gives the unit a value there is none in the answer, so that the caller's own
/// default holds.
///
/// # Errors
/// [`Failure`] where there is no such flag, or its prerequisites lead in a circle.
pub fn answer<'d>(
    definitions: &'d Definitions,
    evaluator: &mut Evaluator<'d>,
    key: &str,
) -> Result<Object, Failure> {
    let result = evaluator.evaluate(key);
    let is_forced = result.source == Source::Force;
    let shipped = || rollout::all_on_flag(definitions.experiments(), key).into_iter();
    let rollout = is_forced.then(|| shipped().find(|(shipped, _)| shipped.key() == result.rule_id)).flatten();
    let reason = match result.source {
        Source::Experiment => "SPLIT",
        // What was shipped is everybody's, or a share's.
        Source::Force if rollout.is_some_and(|(shipped, _)| shipped.rollout_ranges().is_none()) => "STATIC",
        Source::Force if rollout.is_some() => "SPLIT",
        Source::Force | Source::Override => "TARGETING_MATCH",
        Source::DefaultValue => "DEFAULT",
        Source::Prerequisite => "DISABLED",
        Source::UnknownFeature if flags(definitions).contains(key) => "DISABLED",
        Source::UnknownFeature => {
            let shown: String = key.chars().take(80).collect();
            let why =
                format!("there is no flag {shown:?}: no experiment on it has begun, and none was imported");
            return Err(Failure::new(Code::FlagNotFound, why).of(key));
        }
        Source::CyclicPrerequisite => {
            let why = "its prerequisites lead back to it";
            return Err(Failure::new(Code::General, why).of(key));
        }
    };
    let answer = Object::default().with("key", key).with("reason", reason);
    let answer = match result.value {
        Json::Null => answer,
        value => answer.with("value", value.clone()),
    };
    Ok(match rollout {
        Some((experiment, variation)) => with_rollout(answer, experiment, variation),
        None => with_variation(answer, &result),
    })
}

/// Says which variation was shipped; there is no experiment to report an exposure of.
fn with_rollout(answer: Object, experiment: &Experiment, variation: usize) -> Object {
    answer
        .with("variant", experiment.variations()[variation].key())
        .with("metadata", Object::default().with("rollout", experiment.key()))
}

/// Says which variation decided, and by the metadata of which experiment, so that callers can report exposures.
fn with_variation(answer: Object, result: &FeatureResult<'_>) -> Object {
    let Some((view, placed)) = result.experiment.as_ref().filter(|(_, placed)| placed.in_experiment) else {
        return answer;
    };
    let variation = u32::try_from(placed.variation).unwrap_or(u32::MAX);
    let metadata = Object::default().with("experiment", view.experiment.key()).with("variation", variation);
    answer.with("variant", placed.key).with("metadata", metadata)
}
