//! Contextual bandits: weights that depend on who the user is.

use super::experiment::Experiment;
use super::problem::{Inspector, Step, kind};
use super::{Condition, Groups, read};
use crate::hash::BucketRange;
use crate::json::{Json, Object};

/// The leaf that is reported where no context matches.
const NO_LEAF: i64 = -1;

/// Holds the contexts of one bandit.
#[derive(Debug, Clone)]
pub(super) struct Bandit {
    version: Option<Json>,
    contexts: Vec<Context>,
}

#[derive(Debug, Clone)]
struct Context {
    condition: Condition,
    leaf: Json,
    weights: Option<Json>,
}

/// Holds a rule's bandit with the bucket ranges of each context.
#[derive(Debug, Clone)]
pub(super) struct BanditRule {
    leaves: Vec<(Condition, Leaf)>,
    otherwise: Leaf,
}

/// Describes the context that decided the weights.
#[derive(Debug, Clone)]
pub struct Leaf {
    pub(super) id: Json,
    pub(super) weights: Json,
    pub(super) version: Option<Json>,
    pub(super) ranges: Vec<BucketRange>,
    /// Whether the weights stand in place of the rule's own.
    pub(super) replaces_weights: bool,
}

impl Leaf {
    /// Returns the leaf's id; −1 where no context matched.
    pub fn id(&self) -> &Json {
        &self.id
    }

    /// Returns the weight of each variation.
    pub fn weights(&self) -> &Json {
        &self.weights
    }
}

impl Bandit {
    pub(super) fn compile<'j>(json: &'j Json, inspector: &mut Inspector<'j>) -> Bandit {
        let mut contexts = Vec::new();
        if let Some(items) = json.get("contexts").and_then(Json::as_array) {
            inspector.within(Step::Key("contexts"), |inspector| {
                for (index, item) in items.iter().enumerate() {
                    contexts.extend(inspector.within(Step::Item(index), |i| Context::compile(item, i)));
                }
            });
        } else {
            inspector.report("has no list of `contexts`: give it one, empty while it explores");
        }
        Bandit { version: json.get("banditVersion").cloned(), contexts }
    }

    /// Prepares the bandit for a rule's experiment.
    pub(super) fn for_rule(&self, experiment: &Experiment) -> BanditRule {
        let leaf = |id: Json, weights: Option<&Json>, replaces_weights| Leaf {
            id,
            weights: weights.cloned().unwrap_or_else(|| experiment.equal_weights()),
            version: self.version.clone(),
            ranges: experiment.ranges_by(weights),
            replaces_weights,
        };
        let leaves = self.contexts.iter().map(|context| {
            (context.condition.clone(), leaf(context.leaf.clone(), context.weights.as_ref(), true))
        });
        BanditRule {
            leaves: leaves.collect(),
            otherwise: leaf(Json::Number(NO_LEAF.into()), experiment.weights(), false),
        }
    }
}

impl Context {
    fn compile<'j>(json: &'j Json, inspector: &mut Inspector<'j>) -> Option<Context> {
        let Json::Object(object) = json else {
            inspector.report(format!("is {} where an object must be: it is passed over", kind(json)));
            return None;
        };
        Some(Context {
            condition: read::condition(object, inspector).unwrap_or_default(),
            leaf: object.get("leafId").cloned().unwrap_or(Json::Null),
            weights: object.get("weights").cloned(),
        })
    }
}

impl BanditRule {
    /// Returns the first leaf whose context the user is in.
    pub(super) fn leaf(&self, attributes: &Object, groups: &Groups) -> &Leaf {
        let found = self.leaves.iter().find(|(condition, _)| condition.is_met_by(attributes, groups));
        found.map_or(&self.otherwise, |(_, leaf)| leaf)
    }
}
