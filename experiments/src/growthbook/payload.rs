//! A payload of features, compiled once and asked often.

use std::collections::BTreeMap;

use super::Groups;
use super::bandit::Bandit;
use super::experiment::Experiment;
use super::feature::{Effect, Feature};
use super::index::Index;
use super::problem::{Inspector, Problem, Reference, Step, kind};
use crate::json::{JSON_DEPTH_MAX, Json, Object};

mod check;

/// Most bytes of a payload, 10 MB: some ten thousand flags. Clients hold it in memory and fetch it whole.
pub const PAYLOAD_BYTES_MAX: usize = 10_000_000;
/// Most features, and most experiments beside them: a remote evaluation answers all of them in one request.
pub const FEATURES_MAX: usize = 10_000;

/// Says why a payload cannot be used at all. What only makes no sense is a [`Problem`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// It is no JSON.
    #[error("payload cannot be read: {0}")]
    Unreadable(String),
    /// It is nested deeper than [`JSON_DEPTH_MAX`].
    #[error(
        "payload is nested deeper than {JSON_DEPTH_MAX} levels at line {line} column {column}: flatten it"
    )]
    TooDeep {
        /// The line of the level that is too many, from 1.
        line: usize,
        /// Its column.
        column: usize,
    },
    /// It is no object.
    #[error("payload is {found}: it must be an object with `features`")]
    NoObject {
        /// What it is.
        found: &'static str,
    },
    /// It is longer than [`PAYLOAD_BYTES_MAX`].
    #[error("payload has {bytes} bytes, the most allowed is {PAYLOAD_BYTES_MAX}: split it by project")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// It holds more than [`FEATURES_MAX`].
    #[error(
        "payload has {found} {what}, the most allowed is {FEATURES_MAX}: archive those that are not used"
    )]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many there are.
        found: usize,
    },
}

/// Holds a compiled payload.
///
/// ```
/// use experiments::growthbook::{Evaluator, Payload, Source, User};
/// use experiments::json::Json;
/// let payload = Payload::parse(r#"{"features": {"express": {
///   "defaultValue": false, "rules": [{"condition": {"country": "AT"}, "force": true}]
/// }}}"#)?;
/// assert_eq!(payload.problems(), []);
/// let attributes = Json::parse(r#"{"id": "u1", "country": "AT"}"#).unwrap();
/// let result = Evaluator::new(&payload, User::new(&attributes)).evaluate("express");
/// assert_eq!((result.is_on(), result.source), (true, Source::Force));
/// # Ok::<(), experiments::growthbook::PayloadError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Payload {
    source: Object,
    features: Index<Feature>,
    experiments: Vec<Experiment>,
    pub(super) groups: Groups,
    problems: Vec<Problem>,
}

impl Default for Payload {
    /// Returns the payload without any features.
    fn default() -> Payload {
        Payload {
            source: Object::default(),
            features: Index::default(),
            experiments: Vec::new(),
            groups: Groups::default(),
            problems: Vec::new(),
        }
    }
}

impl Payload {
    /// Reads and compiles a payload from JSON text.
    ///
    /// Inside, it is as lenient as the JavaScript SDK; see [`Payload::problems`] for what an SDK passes over.
    ///
    /// # Errors
    /// [`PayloadError`], where it is beyond a limit or no JSON object.
    pub fn parse(text: &str) -> Result<Payload, PayloadError> {
        Payload::compile(Payload::read(text)?.into())
    }

    /// Reads a payload from JSON text as it stands.
    ///
    /// # Errors
    /// As [`Payload::parse`], but for how many features there are.
    pub fn read(text: &str) -> Result<Object, PayloadError> {
        if text.len() > PAYLOAD_BYTES_MAX {
            return Err(PayloadError::TooLarge { bytes: text.len() });
        }
        match Json::parse(text).map_err(unreadable)? {
            Json::Object(object) => Ok(object),
            other => Err(PayloadError::NoObject { found: kind(&other) }),
        }
    }

    /// Compiles a payload that is already JSON.
    ///
    /// # Errors
    /// As [`Payload::parse`], but for the size of the text.
    pub fn compile(json: Json) -> Result<Payload, PayloadError> {
        let Json::Object(source) = json else { return Err(PayloadError::NoObject { found: kind(&json) }) };
        let count = |name: &str| match source.get(name) {
            Some(Json::Object(object)) => object.len(),
            Some(Json::Array(items)) => items.len(),
            _ => 0,
        };
        for what in ["features", "experiments"] {
            if count(what) > FEATURES_MAX {
                return Err(PayloadError::TooMany { what, found: count(what) });
            }
        }
        let mut payload = Payload { source, ..Payload::default() };
        payload.fill();
        Ok(payload)
    }

    /// Compiles the parts of the source.
    fn fill(&mut self) {
        let mut inspector = Inspector::default();
        if let Some(groups) = self.source.get("savedGroups").filter(|groups| groups.is_truthy()) {
            self.groups =
                inspector.within(Step::Key("savedGroups"), |within| Groups::compile_in(groups, within));
        }
        let bandits = compile_bandits(&self.source, &mut inspector);
        let bandit = |id: &str, experiment: &Experiment| Some(bandits.get(id)?.for_rule(experiment));
        match self.source.get("features") {
            Some(Json::Object(features)) => inspector.within(Step::Key("features"), |inspector| {
                let compile = |(key, json)| {
                    let feature =
                        inspector.within(Step::Key(key), |i| Feature::compile(key, json, &bandit, i));
                    Some((key.to_owned(), feature?))
                };
                self.features = features.iter().filter_map(compile).collect();
            }),
            None => {}
            Some(other) => inspector
                .report_at(Step::Key("features"), format!("is {} where an object must be", kind(other))),
        }
        match self.source.get("experiments") {
            Some(Json::Array(items)) => inspector.within(Step::Key("experiments"), |inspector| {
                for (index, item) in items.iter().enumerate() {
                    inspector.within(Step::Item(index), |inspector| match item {
                        Json::Object(object) => {
                            self.experiments.push(Experiment::compile_in(object, object.clone(), inspector));
                        }
                        other => inspector
                            .report(format!("is {} where an object must be: it is passed over", kind(other))),
                    });
                }
            }),
            None | Some(Json::Null) => {}
            Some(other) => inspector
                .report_at(Step::Key("experiments"), format!("is {} where a list must be", kind(other))),
        }
        inspector.resolve(|kind, id| match kind {
            Reference::Group => self.groups.has(id),
            Reference::Feature => self.features.get(id).is_some(),
            Reference::Bandit => bandits.contains_key(id),
        });
        check::check_cycles(&self.features, &mut inspector);
        self.problems = inspector.finish();
    }

    /// Returns what makes no sense in the payload, up to [`PROBLEMS_MAX`](super::PROBLEMS_MAX): SDKs pass over
    /// it, a server that definitions are edited on should refuse it.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns the payload as it was read.
    pub fn source(&self) -> &Object {
        &self.source
    }

    /// Returns the keys of the features, in their order.
    pub fn feature_keys(&self) -> impl Iterator<Item = &str> {
        self.features.iter().map(|(key, _)| key)
    }

    /// Returns the experiments that run by themselves on a page.
    pub fn experiments(&self) -> &[Experiment] {
        &self.experiments
    }

    /// Returns every experiment with its path, of rules in their order, then those of pages. Several may be reported under
    /// one tracking key.
    ///
    /// ```
    /// use experiments::growthbook::Payload;
    /// let payload = Payload::parse(r#"{
    ///   "features": {"f": {"rules": [{"force": 1}, {"variations": [1, 2]}]}},
    ///   "experiments": [{"key": "k", "variations": [{}, {}]}]
    /// }"#)?;
    /// let found: Vec<_> = payload.tracked().map(|(path, experiment)| (path, experiment.key())).collect();
    /// assert_eq!(found, [("features.f.rules[1]".into(), "f"), ("experiments[0]".into(), "k")]);
    /// # Ok::<(), experiments::growthbook::PayloadError>(())
    /// ```
    pub fn tracked(&self) -> impl Iterator<Item = (String, &Experiment)> {
        let ruled = self.features().flat_map(|feature| {
            feature.rules.iter().enumerate().filter_map(|(index, rule)| match &rule.effect {
                Effect::Experiment(rule) => {
                    Some((format!("features.{}.rules[{index}]", feature.key), &rule.experiment))
                }
                Effect::Force(_) | Effect::Nothing => None,
            })
        });
        let of_pages = self.experiments.iter().enumerate();
        ruled.chain(of_pages.map(|(index, experiment)| (format!("experiments[{index}]"), experiment)))
    }

    pub(super) fn feature(&self, key: &str) -> Option<&Feature> {
        self.features.get(key)
    }

    pub(super) fn features(&self) -> impl Iterator<Item = &Feature> {
        self.features.iter().map(|(_, feature)| feature)
    }
}

/// serde_json says only in words that it has come to its depth.
fn unreadable(error: serde_json::Error) -> PayloadError {
    match error.to_string() {
        text if text.starts_with("recursion limit exceeded") => {
            PayloadError::TooDeep { line: error.line(), column: error.column() }
        }
        text => PayloadError::Unreadable(text),
    }
}

fn compile_bandits<'j>(source: &'j Object, inspector: &mut Inspector<'j>) -> BTreeMap<String, Bandit> {
    let Some(Json::Object(bandits)) = source.get("contextualBandits") else { return BTreeMap::new() };
    inspector.within(Step::Key("contextualBandits"), |inspector| {
        let bandits = bandits.iter().filter(|(_, json)| json.is_truthy());
        let compile = |(id, json): (&'j str, &'j Json)| {
            (id.to_owned(), inspector.within(Step::Key(id), |inspector| Bandit::compile(json, inspector)))
        };
        bandits.map(compile).collect()
    })
}
