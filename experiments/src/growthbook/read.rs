//! Reading the parts that rules and experiments share, as leniently as JavaScript does.

use super::Condition;
use super::problem::{Inspector, Reference, Step, kind};
use crate::hash::{BucketRange, HashVersion, Seed};
use crate::json::{Json, Object};

/// Returns a field that JavaScript counts as given.
pub(super) fn truthy<'j>(object: &'j Object, key: &str) -> Option<&'j Json> {
    object.get(key).filter(|value| value.is_truthy())
}

/// Returns a text that is given and not empty.
pub(super) fn text(object: &Object, key: &str) -> Option<String> {
    truthy(object, key).map(|value| value.to_text().into_owned())
}

/// Reads a `[start, end)`; what is missing makes a range that holds nothing.
pub(super) fn range(json: &Json) -> BucketRange {
    let bound =
        |index: usize| json.as_array().and_then(|pair| pair.get(index)).map_or(f64::NAN, Json::to_number);
    BucketRange { start: bound(0), end: bound(1) }
}

/// Reads a list of ranges and reports those that hold nothing or overlap.
pub(super) fn ranges<'j>(json: &'j Json, inspector: &mut Inspector<'j>) -> Vec<BucketRange> {
    let Some(items) = json.as_array() else {
        inspector.report(format!("is {} where a list of [start, end] must be", kind(json)));
        return Vec::new();
    };
    let ranges: Vec<BucketRange> = items.iter().map(range).collect();
    for (index, one) in ranges.iter().enumerate() {
        check_range(one, Step::Item(index), inspector);
        let overlaps = |other: &BucketRange| one.start < other.end && other.start < one.end;
        if let Some(earlier) = ranges[..index].iter().position(overlaps) {
            inspector.report_at(
                Step::Item(index),
                format!("overlaps range {earlier}, which gets the units of both: separate them"),
            );
        }
    }
    ranges
}

pub(super) fn check_range<'j>(range: &BucketRange, step: Step<'j>, inspector: &mut Inspector<'j>) {
    let is_within = (0.0..=1.0).contains(&range.start) && (0.0..=1.01).contains(&range.end);
    if !is_within || range.start > range.end {
        inspector.report_at(step, "is no range: write [start, end] with 0 ≤ start ≤ end ≤ 1");
    }
}

/// Reads a coverage: what is absent covers all, `null` covers nobody.
pub(super) fn coverage<'j>(object: &'j Object, inspector: &mut Inspector<'j>) -> Option<f64> {
    let json = object.get("coverage")?;
    let coverage = json.to_number();
    if json.as_f64().is_none() {
        inspector.report_at(
            Step::Key("coverage"),
            format!("is {}, which covers hardly anybody: give a number or leave it out", kind(json)),
        );
    } else if !(0.0..=1.0).contains(&coverage) {
        inspector
            .report_at(Step::Key("coverage"), format!("is {coverage}: choose from 0 (nobody) to 1 (all)"));
    }
    Some(coverage)
}

/// Reads a hash's version; `None` under a version that does not exist, which includes nobody.
pub(super) fn hash_version<'j>(
    object: &'j Object,
    default: HashVersion,
    inspector: &mut Inspector<'j>,
) -> Option<HashVersion> {
    let Some(json) = truthy(object, "hashVersion") else { return Some(default) };
    let version = match json.as_f64() {
        Some(1.0) => Some(HashVersion::V1),
        Some(2.0) => Some(HashVersion::V2),
        _ => None,
    };
    if version.is_none() {
        inspector
            .report_at(Step::Key("hashVersion"), format!("is {json}, which includes nobody: choose 1 or 2"));
    }
    version
}

/// Reads a condition; `None` where there is none to be met.
pub(super) fn condition<'j>(object: &'j Object, inspector: &mut Inspector<'j>) -> Option<Condition> {
    let json = truthy(object, "condition")?;
    Some(inspector.within(Step::Key("condition"), |inspector| Condition::compile_in(json, inspector)))
}

/// Asks for the value of another feature.
#[derive(Debug, Clone)]
pub(super) struct Parent {
    pub(super) feature: String,
    pub(super) condition: Condition,
    /// Whether an unmet condition ends the evaluation of the feature, and not only of the rule.
    pub(super) is_gate: bool,
}

pub(super) fn parents<'j>(object: &'j Object, inspector: &mut Inspector<'j>) -> Vec<Parent> {
    let Some(json) = truthy(object, "parentConditions") else { return Vec::new() };
    inspector.within(Step::Key("parentConditions"), |inspector| {
        let Some(items) = json.as_array() else {
            inspector.report(format!("is {} where a list must be: it is passed over", kind(json)));
            return Vec::new();
        };
        let parent = |(index, item): (usize, &'j Json)| {
            inspector.within(Step::Item(index), |inspector| {
                let id = item.get("id").map_or("undefined".into(), Json::to_text);
                inspector.refer(Reference::Feature, &id);
                let condition = item.as_object().and_then(|item| condition(item, inspector));
                let is_gate = item.get("gate").is_some_and(Json::is_truthy);
                Parent { feature: id.into_owned(), condition: condition.unwrap_or_default(), is_gate }
            })
        };
        items.iter().enumerate().map(parent).collect()
    })
}

/// Lets through a part of the units by a hash of their own.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    pub(super) attribute: String,
    pub(super) seed: Seed,
    pub(super) version: Option<HashVersion>,
    pub(super) ranges: Vec<BucketRange>,
}

/// Reads filters; `None` where there are none, which is not the same as an empty list to an experiment.
pub(super) fn filters<'j>(object: &'j Object, inspector: &mut Inspector<'j>) -> Option<Vec<Filter>> {
    let json = truthy(object, "filters")?;
    inspector.within(Step::Key("filters"), |inspector| {
        let Some(items) = json.as_array() else {
            inspector.report(format!("is {} where a list must be: it is passed over", kind(json)));
            return Some(Vec::new());
        };
        let filter = |(index, item): (usize, &'j Json)| {
            inspector.within(Step::Item(index), |inspector| match item {
                Json::Object(item) => Some(read_filter(item, inspector)),
                other => {
                    inspector
                        .report(format!("is {} where an object must be: it is passed over", kind(other)));
                    None
                }
            })
        };
        Some(items.iter().enumerate().filter_map(filter).collect())
    })
}

fn read_filter<'j>(item: &'j Object, inspector: &mut Inspector<'j>) -> Filter {
    if item.get("seed").is_none() {
        inspector.warn("has no `seed`, so that filters without one are the same: give it one");
    }
    let ranges_of = |json| inspector.within(Step::Key("ranges"), |inspector| ranges(json, inspector));
    Filter {
        ranges: item.get("ranges").map_or_else(Vec::new, ranges_of),
        version: hash_version(item, HashVersion::V2, inspector),
        attribute: text(item, "attribute").unwrap_or_else(|| "id".into()),
        // What JavaScript writes for a seed that is absent.
        seed: Seed::new(&item.get("seed").map_or("undefined".into(), Json::to_text)),
    }
}
