//! Who may take part, beside the coverage: a condition, a place in a layer, and what other flags must be worth.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check::check_key;
use super::{DefinitionError, WHOLE_BP};
use crate::growthbook::{Condition, Severity};
use crate::hash::{BucketRange, in_namespace};
use crate::json::Json;

/// Most bytes of a condition's JSON: it is asked of every visitor and shown on a page.
pub const CONDITION_BYTES_MAX: usize = 8 * 1024;
/// Most flags that an experiment may wait for: each is evaluated first.
pub const PREREQUISITES_MAX: usize = 10;
/// The smallest part of a layer, in basis points: GrowthBook places units in a namespace by thousandths.
pub const LAYER_STEP_BP: u32 = 10;

/// Says who may take part in an experiment, in GrowthBook's terms; the default lets everybody in.
///
/// ```
/// # use experiments::Experiment;
/// let phones = Experiment::parse(r#"{"schema_version": 1, "key": "e", "name": "E", "flag": "f", "status": "running",
///   "targeting": {"condition": {"device": "phone"}, "layer": {"key": "checkout", "from_bp": 0, "to_bp": 5000}},
///   "variations": [{"key": "a", "weight_bp": 5000, "value": 0}, {"key": "b", "weight_bp": 5000, "value": 1}]}"#)?;
/// assert_eq!(phones.targeting().attributes().into_iter().collect::<Vec<_>>(), ["device"]);
/// assert_eq!(phones.targeting().layer.as_ref().map(|layer| layer.share()), Some(0.5));
/// # Ok::<(), experiments::DefinitionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targeting {
    /// A condition over what is known of the unit, as GrowthBook writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Value>,
    /// The part of a layer whose units may take part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Layer>,
    /// What other flags must be worth to the unit; all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prerequisites: Vec<Prerequisite>,
}

/// Names a part of a layer: of experiments in one layer, on whatever flags, a unit is in one at most, as their parts do not
/// overlap. GrowthBook calls it a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// The layer's key.
    pub key: String,
    /// Where the part begins, in basis points of all units.
    pub from_bp: u32,
    /// Where it ends; the end itself is outside.
    pub to_bp: u32,
}

/// Asks for the value of another flag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prerequisite {
    /// The other flag.
    pub flag: String,
    /// The value; `null` where nothing gives the unit one.
    pub value: Value,
    /// Whether it must be worth anything else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_not: bool,
}

impl Layer {
    /// Returns the part as a range of GrowthBook's.
    pub fn range(&self) -> BucketRange {
        let share = |bp: u32| f64::from(bp) / f64::from(WHOLE_BP);
        BucketRange { start: share(self.from_bp), end: share(self.to_bp) }
    }

    /// Returns the share of all units that lie in the part.
    pub fn share(&self) -> f64 {
        f64::from(self.to_bp - self.from_bp) / f64::from(WHOLE_BP)
    }

    /// Returns whether a unit lies in the part.
    pub fn holds(&self, unit: &str) -> bool {
        in_namespace(unit, &self.key, self.range())
    }

    /// Returns whether some unit may lie in both parts.
    pub fn overlaps(&self, other: &Layer) -> bool {
        self.key == other.key && self.from_bp < other.to_bp && other.from_bp < self.to_bp
    }
}

impl Targeting {
    /// Returns whether it leaves nobody out.
    pub fn is_everybody(&self) -> bool {
        *self == Targeting::default()
    }

    /// Returns the names of the attributes that the condition asks for.
    pub fn attributes(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        if let Some(condition) = &self.condition {
            attributes_of(condition, &mut found);
        }
        found
    }

    /// Returns the ids of the saved groups that the condition names.
    pub fn groups(&self) -> BTreeSet<String> {
        self.condition.as_ref().map(groups_of).unwrap_or_default()
    }
}

/// Gathers the attributes that a condition of GrowthBook's asks for, by the first step of their way.
pub fn attributes_of(condition: &Value, found: &mut BTreeSet<String>) {
    let Value::Object(entries) = condition else { return };
    for (name, operand) in entries {
        match (name.as_str(), operand) {
            ("$and" | "$or" | "$nor", Value::Array(parts)) => {
                parts.iter().for_each(|part| attributes_of(part, found));
            }
            ("$not", part) => attributes_of(part, found),
            (operator, _) if operator.starts_with('$') => {}
            (path, _) => {
                found.insert(path.split('.').next().unwrap_or_default().to_owned());
            }
        }
    }
}

/// Returns the ids of the saved groups that a condition of GrowthBook's, or a group with one, names.
pub fn groups_of(condition: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    gather_groups(condition, &mut found);
    found
}

fn gather_groups(part: &Value, found: &mut BTreeSet<String>) {
    match part {
        Value::Array(parts) => parts.iter().for_each(|part| gather_groups(part, found)),
        Value::Object(entries) => {
            for (name, operand) in entries {
                match (name.as_str(), operand) {
                    ("$inGroup" | "$notInGroup", Value::String(id)) => drop(found.insert(id.clone())),
                    ("$savedGroup", operand) => {
                        let id = operand.as_str().or_else(|| operand.get("id").and_then(Value::as_str));
                        found.extend(id.map(str::to_owned));
                    }
                    (_, operand) => gather_groups(operand, found),
                }
            }
        }
        _ => {}
    }
}

pub(super) fn check_targeting(targeting: &Targeting, flag: &str) -> Result<(), DefinitionError> {
    if let Some(condition) = &targeting.condition {
        check_condition(condition)?;
    }
    if let Some(layer) = &targeting.layer {
        check_layer(layer)?;
    }
    check_prerequisites(&targeting.prerequisites, flag)
}

fn wrong(field: &'static str, problem: impl Into<String>) -> DefinitionError {
    DefinitionError::Targeting { field, problem: problem.into() }
}

fn check_condition(condition: &Value) -> Result<(), DefinitionError> {
    let bytes = condition.to_string().len();
    if bytes > CONDITION_BYTES_MAX {
        let problem = format!(
            "has {bytes} bytes, the most allowed is {CONDITION_BYTES_MAX}: put long lists into a saved group"
        );
        return Err(wrong("condition", problem));
    }
    if !condition.is_object() {
        return Err(wrong("condition", "is no object: write {\"device\": \"phone\"}, or leave it out"));
    }
    let json =
        Json::try_from(condition).map_err(|_| wrong("condition", "holds a number beyond all limits"))?;
    let (_, problems) = Condition::check(&json);
    match problems.into_iter().find(|problem| problem.severity == Severity::Error) {
        Some(problem) if problem.path.is_empty() => Err(wrong("condition", problem.message)),
        Some(problem) => Err(wrong("condition", format!("at {problem}"))),
        None => Ok(()),
    }
}

fn check_layer(layer: &Layer) -> Result<(), DefinitionError> {
    let Layer { key, from_bp, to_bp } = layer;
    check_key("layer", key)?;
    if from_bp >= to_bp {
        let problem = format!("`{key}` is empty from {from_bp} to {to_bp}: let it end after it begins");
        return Err(wrong("layer", problem));
    }
    if *to_bp > WHOLE_BP {
        return Err(wrong("layer", format!("`{key}` ends at {to_bp}, the most is {WHOLE_BP} basis points")));
    }
    if from_bp % LAYER_STEP_BP != 0 || to_bp % LAYER_STEP_BP != 0 {
        let problem = format!(
            "`{key}` goes from {from_bp} to {to_bp}: choose multiples of {LAYER_STEP_BP} basis points (0.1 %)"
        );
        return Err(wrong("layer", problem));
    }
    Ok(())
}

fn check_prerequisites(prerequisites: &[Prerequisite], flag: &str) -> Result<(), DefinitionError> {
    if prerequisites.len() > PREREQUISITES_MAX {
        let found = prerequisites.len();
        let problem = format!("name {found} flags, the most allowed is {PREREQUISITES_MAX}: leave some out");
        return Err(wrong("prerequisites", problem));
    }
    for (index, one) in prerequisites.iter().enumerate() {
        if one.flag.trim().is_empty() || one.flag.len() > super::KEY_BYTES_MAX {
            return Err(wrong(
                "prerequisites",
                format!("name no flag in place {}: write its key", index + 1),
            ));
        }
        if one.flag == flag {
            let problem = format!("ask for `{flag}`, which the experiment decides itself: name another flag");
            return Err(wrong("prerequisites", problem));
        }
        if prerequisites[..index].iter().any(|earlier| earlier == one) {
            return Err(wrong(
                "prerequisites",
                format!("ask twice for the same of `{}`: once will do", one.flag),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
