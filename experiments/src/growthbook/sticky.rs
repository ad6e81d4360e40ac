//! Sticky buckets: assignments that outlive the rules that made them.
//!
//! A caller loads the documents of a user's attributes ([`attributes_to_load`]), gives them to the evaluator, and
//! stores those that it returns as changed. Nothing is kept here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::experiment::Experiment;
use super::feature::Effect;
use super::{Payload, User};
use crate::json::Json;

/// Holds the assignments made to one value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// The attribute, such as `deviceId`.
    pub attribute_name: String,
    /// Its value as a text.
    pub attribute_value: String,
    /// The key of the variation, by experiment and bucket version: `<key>__<version>`.
    #[serde(default)]
    pub assignments: BTreeMap<String, String>,
}

/// Holds documents by [`document_key`].
pub type Documents = BTreeMap<String, Document>;

/// Returns the key under which GrowthBook's services keep a document, without their prefix.
pub fn document_key(attribute: &str, value: &str) -> String {
    format!("{attribute}||{value}")
}

/// Returns the attributes whose documents an evaluation of the payload may need, with the user's values as texts;
/// the text is empty where the user has none.
pub fn attributes_to_load(payload: &Payload, user: &User<'_>) -> BTreeMap<String, String> {
    let rules = payload.features().flat_map(|feature| &feature.rules);
    let of_rules = rules.filter_map(|rule| match &rule.effect {
        Effect::Experiment(found) => Some(&found.experiment),
        _ => None,
    });
    let names = of_rules.chain(payload.experiments()).flat_map(|experiment| {
        [Some(&experiment.hash_attribute), experiment.fallback_attribute.as_ref()].into_iter().flatten()
    });
    names.map(|name| (name.clone(), text_of(user.hash_attribute(name, None).1))).collect()
}

/// Writes an attribute's value as documents do: a text as it is, everything else as JSON.
pub(super) fn text_of(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Number(_) => value.to_text().into_owned(),
        other => other.to_string(),
    }
}

/// Says what was found for an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Variation(usize),
    /// An assignment of a version that is blocked: the user is left out for good.
    Blocked,
}

/// Keeps the documents that were given and those that changed since.
#[derive(Debug)]
pub(super) struct Buckets<'a> {
    given: &'a Documents,
    changed: Documents,
}

impl<'a> Buckets<'a> {
    pub(super) fn new(given: &'a Documents) -> Buckets<'a> {
        Buckets { given, changed: Documents::new() }
    }

    pub(super) fn into_changed(self) -> Documents {
        self.changed
    }

    fn document(&self, key: &str) -> Option<&Document> {
        self.changed.get(key).or_else(|| self.given.get(key))
    }

    /// Looks for an assignment: that of the hash attribute comes before that of the fallback, which is `id` where
    /// none is named.
    pub(super) fn find(&self, experiment: &Experiment, user: &User<'_>) -> Found {
        let named = |attribute: &str| {
            let (_, value) = user.hash_attribute(attribute, None);
            (document_key(attribute, &text_of(value)), value.is_truthy())
        };
        let (hash_key, _) = named(&experiment.hash_attribute);
        let (fallback_key, has_fallback) = named(experiment.fallback_attribute.as_deref().unwrap_or("id"));
        let fallback = if has_fallback { self.document(&fallback_key) } else { None };
        let documents = [self.document(&hash_key), fallback];
        let mut documents = documents.into_iter().flatten();
        let sticky = &experiment.sticky;
        if documents.clone().any(|document| has_blocked(document, &experiment.key, sticky.version_min)) {
            return Found::Blocked;
        }
        let assigned = documents.find_map(|document| document.assignments.get(&sticky.key));
        let variation = assigned
            .and_then(|assigned| experiment.meta_keys.iter().position(|key| key.as_ref() == Some(assigned)));
        variation.map_or(Found::Nothing, Found::Variation)
    }

    /// Notes an assignment under the attribute that was used.
    pub(super) fn save(&mut self, attribute: &str, value: &Json, sticky_key: &str, variation: &str) {
        let value = text_of(value);
        let key = document_key(attribute, &value);
        let known = self.document(&key);
        if known.and_then(|known| known.assignments.get(sticky_key)).is_some_and(|known| known == variation) {
            return;
        }
        let mut document = known.cloned().unwrap_or_else(|| Document {
            attribute_name: attribute.to_owned(),
            attribute_value: value,
            assignments: BTreeMap::new(),
        });
        document.assignments.insert(sticky_key.to_owned(), variation.to_owned());
        self.changed.insert(key, document);
    }
}

/// Returns whether a document has an assignment of a version below the least.
fn has_blocked(document: &Document, experiment: &str, version_min: f64) -> bool {
    if version_min <= 0.0 {
        return false;
    }
    let version = |key: &String| {
        let text = key.strip_prefix(experiment)?.strip_prefix("__")?;
        let version: u64 = text.parse().ok()?;
        // `07` is another key than `7`.
        (version.to_string() == text).then_some(version)
    };
    document.assignments.keys().filter_map(version).any(|version| (version as f64) < version_min)
}
