//! What an evaluation answers, and how it is written as JSON.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::bandit::Leaf;
use super::experiment::Experiment;
use crate::json::Json;

/// Says what decided a feature's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The payload does not have the feature.
    UnknownFeature,
    /// No rule applied.
    DefaultValue,
    /// A rule forced the value.
    Force,
    /// Somebody asked to see the value.
    Override,
    /// An experiment of a rule.
    Experiment,
    /// A feature that must have another value first does not have it.
    Prerequisite,
    /// Features that ask for each other.
    CyclicPrerequisite,
}

impl Source {
    /// Returns the source as GrowthBook writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::UnknownFeature => "unknownFeature",
            Source::DefaultValue => "defaultValue",
            Source::Force => "force",
            Source::Override => "override",
            Source::Experiment => "experiment",
            Source::Prerequisite => "prerequisite",
            Source::CyclicPrerequisite => "cyclicPrerequisite",
        }
    }
}

/// Holds the value of a feature for a user, and why it is that.
#[derive(Debug, Clone, Copy)]
pub struct FeatureResult<'a> {
    /// The value; `null` where there is none.
    pub value: &'a Json,
    /// What decided it.
    pub source: Source,
    /// The id of the rule that did; empty where none did or it has none.
    pub rule_id: &'a str,
    /// The experiment that did, with its result.
    pub experiment: Option<(ExperimentView<'a>, ExperimentResult<'a>)>,
}

impl FeatureResult<'_> {
    /// Returns whether the feature is on: its value counts as true.
    pub fn is_on(&self) -> bool {
        self.value.is_truthy()
    }
}

/// Holds where an experiment placed a user.
#[derive(Debug, Clone, Copy)]
pub struct ExperimentResult<'a> {
    /// The variation's key; its index as a text where it has none.
    pub key: &'a str,
    /// Index of the variation; 0 for a user who is not in the experiment.
    pub variation: usize,
    /// The variation's value.
    pub value: &'a Json,
    /// Whether the user takes part.
    pub in_experiment: bool,
    /// Whether hash or sticky bucket decided. Only then is the user exposed.
    pub hash_used: bool,
    /// The attribute that the hash is taken of.
    pub hash_attribute: &'a str,
    /// Its value, of whatever type; the empty text for a user who lacks it.
    pub hash_value: &'a Json,
    /// The feature the experiment was run for.
    pub feature_id: Option<&'a str>,
    /// Where the hash falls, at or above 0 and below 1.
    pub bucket: Option<f64>,
    /// Whether an earlier assignment decided.
    pub sticky_bucket_used: bool,
    /// The variation's name.
    pub name: Option<&'a str>,
    /// Whether evaluation goes on behind the experiment: an old way of holding users back.
    pub is_passed_through: bool,
    /// The bandit's context that decided the weights.
    pub leaf: Option<&'a Leaf>,
}

/// Shows an experiment as the JavaScript SDK reports it.
#[derive(Debug, Clone, Copy)]
pub struct ExperimentView<'a> {
    /// The experiment.
    pub experiment: &'a Experiment,
    pub(super) leaf: Option<&'a Leaf>,
    /// Whether the bandit counts: it decided by hash.
    pub(super) shows_bandit: bool,
}

/// Reports that a user was shown a variation.
#[derive(Debug, Clone, Copy)]
pub enum Exposure<'a> {
    /// By an experiment that was run.
    Ran(ExperimentView<'a>, ExperimentResult<'a>),
    /// By one that a server had run: the `{experiment, result}` that it sent.
    Told(&'a Json),
}

impl Exposure<'_> {
    /// Returns what makes an exposure one: attribute, value, experiment and variation, as the JavaScript SDK
    /// joins them.
    pub fn key(&self) -> String {
        match self {
            Exposure::Ran(view, result) => format!(
                "{}{}{}{}",
                result.hash_attribute,
                result.hash_value.to_text(),
                view.experiment.key,
                result.variation
            ),
            Exposure::Told(json) => {
                let text = |part: &str, field: &str| {
                    let found = json.get(part).and_then(|part| part.get(field));
                    found.map_or("undefined".into(), Json::to_text)
                };
                [
                    ("result", "hashAttribute"),
                    ("result", "hashValue"),
                    ("experiment", "key"),
                    ("result", "variationId"),
                ]
                .map(|(part, field)| text(part, field).into_owned())
                .concat()
            }
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for FeatureResult<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("value", self.value)?;
        map.serialize_entry("on", &self.is_on())?;
        map.serialize_entry("off", &!self.is_on())?;
        map.serialize_entry("source", &self.source)?;
        map.serialize_entry("ruleId", self.rule_id)?;
        if let Some((view, result)) = &self.experiment {
            map.serialize_entry("experiment", view)?;
            map.serialize_entry("experimentResult", result)?;
        }
        map.end()
    }
}

impl Serialize for ExperimentResult<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("key", self.key)?;
        map.serialize_entry("featureId", &self.feature_id)?;
        map.serialize_entry("inExperiment", &self.in_experiment)?;
        map.serialize_entry("hashUsed", &self.hash_used)?;
        map.serialize_entry("variationId", &self.variation)?;
        map.serialize_entry("value", self.value)?;
        map.serialize_entry("hashAttribute", self.hash_attribute)?;
        map.serialize_entry("hashValue", self.hash_value)?;
        map.serialize_entry("stickyBucketUsed", &self.sticky_bucket_used)?;
        if let Some(name) = self.name {
            map.serialize_entry("name", name)?;
        }
        if let Some(bucket) = self.bucket {
            map.serialize_entry("bucket", &Json::number(bucket))?;
        }
        if self.is_passed_through {
            map.serialize_entry("passthrough", &true)?;
        }
        if let Some(leaf) = self.leaf {
            map.serialize_entry("leafId", &leaf.id)?;
            map.serialize_entry("variationWeights", &leaf.weights)?;
            if let Some(version) = &leaf.version {
                map.serialize_entry("banditVersion", version)?;
            }
        }
        map.end()
    }
}

impl ExperimentView<'_> {
    /// Writes the experiment with these variations.
    pub(super) fn write<S: Serializer>(
        &self,
        serializer: S,
        variations: &Json,
        hidden: &[&str],
    ) -> Result<S::Ok, S::Error> {
        let weights = self.leaf.filter(|leaf| leaf.replaces_weights).map(|leaf| &leaf.weights);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("variations", variations)?;
        for (name, json) in self.experiment.fields.iter() {
            if !(hidden.contains(&name) || (name == "weights" && weights.is_some())) {
                map.serialize_entry(name, json)?;
            }
        }
        if let Some(weights) = weights {
            map.serialize_entry("weights", weights)?;
        }
        if let Some(leaf) = self.leaf.filter(|_| self.shows_bandit) {
            let bandit = crate::json::Object::default()
                .with("leafId", leaf.id.clone())
                .with("variationWeights", leaf.weights.clone());
            let bandit = match &leaf.version {
                Some(version) => bandit.with("banditVersion", version.clone()),
                None => bandit,
            };
            map.serialize_entry("contextualBandit", &bandit)?;
        }
        map.end()
    }
}

impl Serialize for ExperimentView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer, &Json::Array(self.experiment.variations.clone()), &[])
    }
}

impl Serialize for Exposure<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Exposure::Told(json) => json.serialize(serializer),
            Exposure::Ran(view, result) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("experiment", view)?;
                map.serialize_entry("result", result)?;
                map.end()
            }
        }
    }
}
