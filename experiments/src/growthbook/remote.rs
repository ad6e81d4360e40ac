//! Remote evaluation: a payload reduced to what it means for one user, so that the targeting stays on the server.
//!
//! Source: the evaluation library of GrowthBook's proxy (`packages/lib/eval`). It sends saved groups along, which
//! hold the ids of people; here they are left out, as are bandits, since nothing that is left reads either.

use serde::{Serialize, Serializer};

use super::outcome::{ExperimentView, Exposure};
use super::{Evaluator, ExperimentResult};
use crate::json::{Json, Object};

/// What only the targeting reads.
const HIDDEN: [&str; 4] = ["features", "experiments", "savedGroups", "contextualBandits"];

/// Returns the payload as a client without a view of the targeting gets it.
///
/// Each feature is its value for the user, with a rule that reports the exposures on the way to it. Of the
/// experiments those are left that the user is in, with an empty object for each other variation. Everything else
/// that the payload holds stays.
pub fn reduce(mut evaluator: Evaluator<'_>) -> (Object, super::sticky::Documents) {
    evaluator = evaluator.noting_exposures();
    let payload = evaluator.payload;
    let keys = payload.source().get("features").and_then(Json::as_object);
    let mut features: Vec<(String, Json)> = Vec::new();
    for (key, _) in keys.into_iter().flat_map(Object::iter) {
        let value = evaluator.evaluate(key).value.clone();
        let tracks: Vec<Json> = evaluator.take_exposures().iter().map(track).collect();
        let feature = Object::default().with("defaultValue", value.clone());
        let feature = if tracks.is_empty() {
            feature
        } else {
            let rule = Object::default().with("force", value).with("tracks", Json::Array(tracks));
            feature.with("rules", Json::Array(vec![rule.into()]))
        };
        features.push((key.to_owned(), feature.into()));
    }
    let mut experiments = Vec::new();
    for experiment in payload.experiments() {
        let result = evaluator.run(experiment);
        if result.in_experiment {
            experiments
                .push(scrubbed(&ExperimentView { experiment, leaf: None, shows_bandit: false }, &result));
        }
    }
    let rest = payload.source().without(&HIDDEN);
    let features: Object = features.into_iter().collect();
    let reduced = rest.with("features", features).with("experiments", Json::Array(experiments));
    (reduced, evaluator.into_changed_documents())
}

fn track(exposure: &Exposure<'_>) -> Json {
    match exposure {
        Exposure::Told(json) => scrubbed_told(json),
        Exposure::Ran(view, result) => Object::default()
            .with("experiment", scrubbed(view, result))
            .with("result", written(result))
            .into(),
    }
}

/// Writes an experiment without its condition and other variations.
fn scrubbed(view: &ExperimentView<'_>, result: &ExperimentResult<'_>) -> Json {
    let variations = Json::Array(only(&view.experiment.variations, Some(result.variation)));
    written(&Scrubbed { view, variations })
}

struct Scrubbed<'s> {
    view: &'s ExperimentView<'s>,
    variations: Json,
}

impl Serialize for Scrubbed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.view.write(serializer, &self.variations, &["condition"])
    }
}

/// Makes JSON of a result by its text, which keeps the order of keys.
fn written(result: &impl Serialize) -> Json {
    serde_json::to_string(result).ok().and_then(|text| Json::parse(&text).ok()).unwrap_or(Json::Null)
}

/// Does the same to an exposure that another server has sent.
fn scrubbed_told(json: &Json) -> Json {
    let Some(Json::Object(experiment)) = json.get("experiment") else { return json.clone() };
    let variations = experiment.get("variations").and_then(Json::as_array).unwrap_or_default();
    let shown = json.get("result").and_then(|result| result.get("variationId")).and_then(Json::as_f64);
    let experiment = experiment
        .clone()
        .without(&["condition"])
        .with("variations", Json::Array(only(variations, shown.map(|shown| shown as usize))));
    let told = Object::default().with("experiment", experiment);
    told.with("result", json.get("result").cloned().unwrap_or(Json::Null)).into()
}

fn only(variations: &[Json], shown: Option<usize>) -> Vec<Json> {
    let keep = |(index, variation): (usize, &Json)| {
        if shown == Some(index) { variation.clone() } else { Object::default().into() }
    };
    variations.iter().enumerate().map(keep).collect()
}
