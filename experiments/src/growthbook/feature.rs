//! Features: a default and the rules that come before it.

use super::Condition;
use super::bandit::BanditRule;
use super::experiment::Experiment;
use super::problem::{Inspector, Reference, Step, kind};
use super::read::{self, Filter, Parent, text, truthy};
use crate::hash::{BucketRange, HashVersion, Seed};
use crate::json::{Json, Object};

/// Holds a compiled feature.
#[derive(Debug, Clone)]
pub(super) struct Feature {
    pub(super) key: String,
    pub(super) default: Json,
    pub(super) rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) parents: Vec<Parent>,
    pub(super) filters: Option<Vec<Filter>>,
    pub(super) effect: Effect,
}

#[derive(Debug, Clone)]
pub(super) enum Effect {
    Force(Box<Force>),
    Experiment(Box<RuleExperiment>),
    /// A rule that only asks for prerequisites.
    Nothing,
}

/// Gives a value to those who meet a condition.
#[derive(Debug, Clone)]
pub(super) struct Force {
    pub(super) value: Json,
    pub(super) condition: Option<Condition>,
    pub(super) rollout: Rollout,
    pub(super) seed: Seed,
    pub(super) version: Option<HashVersion>,
    pub(super) hash_attribute: String,
    /// Used where sticky buckets are.
    pub(super) fallback_attribute: Option<String>,
    /// Exposures that a server has found already.
    pub(super) tracks: Vec<Json>,
}

/// Says whom of those a forced value reaches.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rollout {
    All,
    Nobody,
    Range(BucketRange),
    Coverage(f64),
}

#[derive(Debug, Clone)]
pub(super) struct RuleExperiment {
    pub(super) experiment: Experiment,
    pub(super) bandit: Option<BanditRule>,
}

/// The fields of a rule that the SDK copies to its experiment where they count as true.
const COPIED: [&str; 13] = [
    "weights",
    "hashAttribute",
    "fallbackAttribute",
    "disableStickyBucketing",
    "namespace",
    "meta",
    "ranges",
    "name",
    "phase",
    "seed",
    "hashVersion",
    "filters",
    "condition",
];

impl Feature {
    /// Compiles a feature; bandits are prepared by `bandit`, which knows them by their ids.
    pub(super) fn compile<'j>(
        key: &'j str,
        json: &'j Json,
        bandit: &impl Fn(&str, &Experiment) -> Option<BanditRule>,
        inspector: &mut Inspector<'j>,
    ) -> Option<Feature> {
        if !json.is_truthy() {
            inspector.report(format!("is {} where a feature must be an object: it is unknown", kind(json)));
            return None;
        }
        let mut rules = Vec::new();
        match json.get("rules") {
            None | Some(Json::Null) => {}
            Some(Json::Array(items)) => inspector.within(Step::Key("rules"), |inspector| {
                for (index, item) in items.iter().enumerate() {
                    rules.push(inspector.within(Step::Item(index), |i| Rule::compile(key, item, bandit, i)));
                }
            }),
            Some(other) => inspector.report_at(
                Step::Key("rules"),
                format!("is {} where a list must be: it is passed over", kind(other)),
            ),
        }
        let default = json.get("defaultValue").cloned().unwrap_or(Json::Null);
        Some(Feature { key: key.to_owned(), default, rules })
    }
}

impl Rule {
    fn compile<'j>(
        feature: &'j str,
        json: &'j Json,
        bandit: &impl Fn(&str, &Experiment) -> Option<BanditRule>,
        inspector: &mut Inspector<'j>,
    ) -> Rule {
        let Json::Object(object) = json else {
            inspector.report(format!("is {} where a rule must be an object: it is passed over", kind(json)));
            return Rule { id: String::new(), parents: Vec::new(), filters: None, effect: Effect::Nothing };
        };
        let parents = read::parents(object, inspector);
        let variations = ["contextualVariations", "variations"]
            .iter()
            .find_map(|name| object.get(name).filter(|variations| !variations.is_null()));
        let effect = match (object.get("force"), variations) {
            (Some(value), _) => Effect::Force(Box::new(Force::compile(feature, value, object, inspector))),
            (None, Some(variations)) => {
                Effect::Experiment(Box::new(experiment(feature, variations, object, bandit, inspector)))
            }
            (None, None) => {
                if parents.is_empty() {
                    inspector
                        .warn("has neither `force` nor `variations` nor prerequisites, so it does nothing");
                }
                Effect::Nothing
            }
        };
        // Those of an experiment are read, and reported on, with it.
        let is_experiment = matches!(effect, Effect::Experiment(_));
        let filters = match is_experiment {
            true => read::filters(object, &mut Inspector::default()),
            false => read::filters(object, inspector),
        };
        Rule { id: text(object, "id").unwrap_or_default(), parents, filters, effect }
    }
}

impl Force {
    fn compile<'j>(
        feature: &str,
        value: &'j Json,
        object: &'j Object,
        inspector: &mut Inspector<'j>,
    ) -> Force {
        let coverage = read::coverage(object, inspector);
        let rollout = match (truthy(object, "range"), coverage) {
            (Some(json), _) => {
                let range = read::range(json);
                read::check_range(&range, Step::Key("range"), inspector);
                Rollout::Range(range)
            }
            (None, None) => Rollout::All,
            (None, Some(_)) if object.get("coverage").and_then(Json::as_f64) == Some(0.0) => Rollout::Nobody,
            (None, Some(coverage)) => Rollout::Coverage(coverage),
        };
        let fallback = text(object, "fallbackAttribute");
        Force {
            value: value.clone(),
            condition: read::condition(object, inspector),
            rollout,
            seed: Seed::new(&text(object, "seed").unwrap_or_else(|| feature.to_owned())),
            version: read::hash_version(object, HashVersion::V1, inspector),
            hash_attribute: text(object, "hashAttribute").unwrap_or_else(|| "id".into()),
            fallback_attribute: fallback.filter(|_| truthy(object, "disableStickyBucketing").is_none()),
            tracks: truthy(object, "tracks").and_then(Json::as_array).unwrap_or_default().to_vec(),
        }
    }
}

/// Makes the experiment of a rule, with the fields that the SDK gives it.
fn experiment<'j>(
    feature: &str,
    variations: &'j Json,
    rule: &'j Object,
    bandit: &impl Fn(&str, &Experiment) -> Option<BanditRule>,
    inspector: &mut Inspector<'j>,
) -> RuleExperiment {
    let key = text(rule, "key").unwrap_or_else(|| feature.to_owned());
    let mut fields = vec![("variations".to_owned(), variations.clone()), ("key".to_owned(), key.into())];
    let mut copy =
        |name: &str, json: Option<&Json>| fields.extend(json.map(|json| (name.to_owned(), json.clone())));
    copy("coverage", rule.get("coverage"));
    copy("bucketVersion", rule.get("bucketVersion"));
    copy("minBucketVersion", rule.get("minBucketVersion"));
    for name in COPIED {
        copy(name, truthy(rule, name));
    }
    let experiment = Experiment::compile_in(rule, fields.into_iter().collect(), inspector);
    let bandit = text(rule, "contextualBanditRef").and_then(|id| {
        inspector.refer(Reference::Bandit, &id);
        bandit(&id, &experiment)
    });
    RuleExperiment { experiment, bandit }
}
