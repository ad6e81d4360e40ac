//! What makes no sense in an experiment, beyond the parts that are read elsewhere.

use crate::growthbook::problem::{Inspector, Step, kind};
use crate::growthbook::read::truthy;
use crate::json::{Json, Object};

/// How far a sum of doubles that was meant to be 1 may miss it, for any number of weights that a payload has room for.
const ROUNDING_MAX: f64 = 1e-9;

/// Reports on an experiment: `source` is what was written, `object` what the SDK makes of it.
pub(super) fn check<'j>(
    source: &'j Object,
    object: &Object,
    variations: usize,
    inspector: &mut Inspector<'j>,
) {
    if object.get("key").and_then(Json::as_str).is_none_or(str::is_empty) {
        inspector.report("has no `key`: exposures need one");
    }
    if variations < 2 {
        inspector.report(format!("has {variations} variations, the fewest is 2: nobody is in it"));
    }
    check_weights(source, variations, inspector);
    check_meta(source, variations, inspector);
    let explicit = truthy(source, "ranges").and_then(Json::as_array);
    if let Some(found) = explicit.map(<[Json]>::len).filter(|found| *found != variations) {
        inspector.report_at(
            Step::Key("ranges"),
            format!("has {found} ranges for {variations} variations: give each one"),
        );
    }
    for name in ["hashAttribute", "fallbackAttribute", "seed"] {
        if let Some(json) = source.get(name).filter(|json| json.as_str().is_none()) {
            inspector.report(format!("has a `{name}` that is {}: write a text", kind(json)));
        }
    }
    for name in ["bucketVersion", "minBucketVersion"] {
        if let Some(json) = source.get(name)
            && json.as_f64().is_none_or(|number| number < 0.0 || number.fract() != 0.0)
        {
            inspector.report(format!("has a `{name}` that is {json}: write a whole number from 0"));
        }
    }
    if let Some(json) = truthy(source, "namespace") {
        let is_whole = json.as_array().is_some_and(|parts| {
            matches!(parts, [Json::String(_), start, end]
                if start.as_f64().zip(end.as_f64()).is_some_and(|(start, end)| 0.0 <= start && start <= end && end <= 1.0))
        });
        if !is_whole {
            inspector.report_at(Step::Key("namespace"), "must be [id, start, end] with 0 ≤ start ≤ end ≤ 1");
        }
    }
    if let Some(status) = object.get("status")
        && !["draft", "running", "stopped"].contains(&status.as_str().unwrap_or_default())
    {
        inspector.report(format!("has the status {status}: choose draft, running or stopped"));
    }
}

fn check_weights<'j>(source: &'j Object, variations: usize, inspector: &mut Inspector<'j>) {
    let Some(json) = source.get("weights").filter(|json| !json.is_null()) else { return };
    inspector.within(Step::Key("weights"), |inspector| {
        let numbers: Option<Vec<f64>> =
            json.as_array().and_then(|all| all.iter().map(Json::as_f64).collect());
        let Some(numbers) = numbers else {
            return inspector.report("must be a list of numbers");
        };
        let sum: f64 = numbers.iter().sum();
        if numbers.len() != variations {
            let found = numbers.len();
            inspector.report(format!(
                "has {found} weights for {variations} variations, so all get the same: give each one"
            ));
        } else if numbers.iter().any(|weight| *weight < 0.0) {
            inspector.report("holds a weight below 0");
        } else if !(0.99..=1.01).contains(&sum) {
            inspector.report(format!("sum to {sum}, so all get the same: make them sum to 1"));
        } else if (sum - 1.0).abs() > ROUNDING_MAX {
            let effect = if sum < 1.0 { "the rest gets nobody" } else { "the last gets less" };
            inspector.warn(format!("sum to {sum}, so {effect}: make them sum to 1"));
        }
    });
}

fn check_meta<'j>(source: &'j Object, variations: usize, inspector: &mut Inspector<'j>) {
    let Some(json) = source.get("meta").filter(|json| !json.is_null()) else { return };
    inspector.within(Step::Key("meta"), |inspector| {
        let Some(items) = json.as_array().filter(|items| items.iter().all(|item| item.as_object().is_some())) else {
            return inspector.report("must be a list of objects");
        };
        if items.len() != variations {
            let found = items.len();
            inspector.report(format!("has {found} entries for {variations} variations, which stops the JavaScript SDK: give each one"));
        }
        for (index, item) in items.iter().enumerate() {
            let key = |item: &Json| item.get("key").filter(|key| key.is_truthy()).cloned();
            if key(item).is_some_and(|found| items[..index].iter().any(|earlier| key(earlier) == Some(found.clone()))) {
                inspector.warn_at(Step::Item(index), "has the key of an earlier variation: rename one of them");
            }
        }
    });
}
