//! From a condition's JSON to its tree.

use super::check::{Check, Operator, Order};
use super::group::GroupReference;
use super::list::List;
use super::version::padded;
use super::{Condition, Path, Test};
use crate::growthbook::problem::{Inspector, Reference, Step, kind};
use crate::json::Json;
use crate::regexp::Regexp;

pub(super) fn condition<'j>(json: &'j Json, inspector: &mut Inspector<'j>) -> Condition {
    let tests = match json {
        Json::Object(object) => object
            .iter()
            .map(|(key, operand)| inspector.within(Step::Key(key), |i| test(key, operand, i)))
            .collect(),
        // JavaScript sees the items of a list as fields named by their index.
        Json::Array(items) => {
            inspector.report("is a list where a condition must be an object");
            let field = |(index, item): (usize, &'j Json)| Test::Field {
                path: Path::new(&index.to_string()),
                check: check(item, false, inspector),
            };
            items.iter().enumerate().map(field).collect()
        }
        // And so it sees the characters of a text.
        Json::String(text) => {
            inspector.report("is a text where a condition must be an object");
            return of_text(text);
        }
        Json::Null => {
            inspector.report("is null where a condition must be an object: no unit meets it");
            vec![Test::Never]
        }
        other => {
            inspector.report(format!("is {} where a condition must be an object", kind(other)));
            Vec::new()
        }
    };
    Condition { tests }
}

fn of_text(text: &str) -> Condition {
    let field = |(index, c): (usize, char)| Test::Field {
        path: Path::new(&index.to_string()),
        check: Check::Text(c.into()),
    };
    Condition { tests: text.chars().enumerate().map(field).collect() }
}

fn test<'j>(key: &'j str, operand: &'j Json, inspector: &mut Inspector<'j>) -> Test {
    match key {
        "$or" => conditions(operand, inspector).map_or(Test::Never, Test::Any),
        "$nor" => conditions(operand, inspector).map_or(Test::Never, Test::Neither),
        "$and" => conditions(operand, inspector).map_or(Test::Never, Test::Every),
        "$not" if operand.is_null() => {
            inspector.report("is null where a condition must be an object: no unit meets it");
            Test::Never
        }
        "$not" => Test::Not(condition(operand, inspector)),
        "$savedGroup" => group(operand, inspector).map_or(Test::Never, Test::Group),
        field => Test::Field { path: Path::new(field), check: check(operand, false, inspector) },
    }
}

/// Reads a list of conditions. What has no length is an empty list to JavaScript; `null` it throws on.
fn conditions<'j>(operand: &'j Json, inspector: &mut Inspector<'j>) -> Option<Vec<Condition>> {
    match operand {
        Json::Array(items) => {
            let item = |(index, item)| inspector.within(Step::Item(index), |i| condition(item, i));
            Some(items.iter().enumerate().map(item).collect())
        }
        other => {
            inspector.report(format!("is {} where a list of conditions must be", kind(other)));
            let characters = other.as_str().unwrap_or_default().chars();
            (!other.is_null()).then(|| characters.map(|c| of_text(c.encode_utf8(&mut [0; 4]))).collect())
        }
    }
}

fn group<'j>(operand: &'j Json, inspector: &mut Inspector<'j>) -> Option<GroupReference> {
    let id = operand.get("id").and_then(Json::as_str);
    let attribute = operand.get("attributeKey");
    let (Some(id), None | Some(Json::String(_))) = (id, attribute) else {
        inspector.report(
            "must be an object with the group's `id` and, if need be, an `attributeKey`: no unit meets it",
        );
        return None;
    };
    inspector.refer(Reference::Group, id);
    Some(GroupReference { id: id.to_owned(), attribute: attribute.and_then(Json::as_str).map(Path::new) })
}

fn check<'j>(operand: &'j Json, folds_case: bool, inspector: &mut Inspector<'j>) -> Check {
    match operand {
        Json::String(text) if folds_case => Check::FoldedText(text.to_lowercase()),
        Json::String(text) => Check::Text(text.clone()),
        Json::Number(_) => Check::Number(operand.to_number()),
        Json::Bool(truth) => Check::Truth(*truth),
        Json::Null => Check::Null,
        Json::Object(_) if is_operators(operand) => operators(operand, inspector),
        Json::Object(object) => {
            if let Some((key, _)) = object.iter().find(|(key, _)| key.starts_with('$')) {
                inspector.report(format!(
                    "mixes the operator `{key}` with fields, so it is compared as a plain object: split it"
                ));
            }
            Check::Written(operand.clone())
        }
        Json::Array(_) => Check::Written(operand.clone()),
    }
}

/// Returns whether the value has keys, all of which begin with `$`.
fn is_operators(operand: &Json) -> bool {
    let object = operand.as_object();
    object.is_some_and(|object| !object.is_empty() && object.iter().all(|(key, _)| key.starts_with('$')))
}

fn operators<'j>(operand: &'j Json, inspector: &mut Inspector<'j>) -> Check {
    let Json::Object(object) = operand else { return Check::Never };
    let one = |(name, operand)| inspector.within(Step::Key(name), |i| operator(name, operand, i));
    Check::Operators(object.iter().map(one).collect())
}

fn operator<'j>(name: &'j str, operand: &'j Json, inspector: &mut Inspector<'j>) -> Operator {
    let compared = |order| Operator::Order { to: operand.clone(), order };
    let version = |order| Operator::Version { to: padded(operand), order };
    match name {
        "$eq" => equal(operand, false, inspector),
        "$ne" => equal(operand, true, inspector),
        "$lt" => compared(Order::Less),
        "$lte" => compared(Order::LessOrEqual),
        "$gt" => compared(Order::Greater),
        "$gte" => compared(Order::GreaterOrEqual),
        "$veq" => version(Order::Equal),
        "$vne" => version(Order::Unequal),
        "$vlt" => version(Order::Less),
        "$vlte" => version(Order::LessOrEqual),
        "$vgt" => version(Order::Greater),
        "$vgte" => version(Order::GreaterOrEqual),
        "$exists" => Operator::Exists(operand.is_truthy()),
        "$in" => listed(operand, false, false, inspector),
        "$nin" => listed(operand, false, true, inspector),
        "$ini" => listed(operand, true, false, inspector),
        "$nini" => listed(operand, true, true, inspector),
        "$inGroup" => in_group(operand, false, inspector),
        "$notInGroup" => in_group(operand, true, inspector),
        "$not" => Operator::Not(check(operand, false, inspector)),
        "$size" => Operator::Size(check(operand, false, inspector)),
        "$elemMatch" if is_operators(operand) => Operator::AnyElement(check(operand, false, inspector)),
        "$elemMatch" => Operator::AnyElementMeets(condition(operand, inspector)),
        "$all" => every(operand, false, inspector),
        "$alli" => every(operand, true, inspector),
        "$regex" => pattern(operand, false, inspector),
        "$regexi" => pattern(operand, true, inspector),
        "$type" => type_name(operand, inspector),
        _ => {
            inspector.report(
                "is no operator, so no unit meets it: use one of GrowthBook's, such as `$eq` or `$in`",
            );
            Operator::Never
        }
    }
}

fn equal<'j>(operand: &'j Json, is_negated: bool, inspector: &mut Inspector<'j>) -> Operator {
    if matches!(operand, Json::Array(_) | Json::Object(_)) {
        inspector.report(format!("compares with {}, which nothing is strictly equal to", kind(operand)));
    }
    Operator::Equal { to: operand.clone(), is_negated }
}

fn listed<'j>(
    operand: &'j Json,
    folds_case: bool,
    is_negated: bool,
    inspector: &mut Inspector<'j>,
) -> Operator {
    match operand {
        Json::Array(values) => Operator::In { list: List::new(values, folds_case), is_negated },
        other => {
            inspector.report(format!("is {} where a list must be: no unit meets it", kind(other)));
            Operator::Never
        }
    }
}

fn in_group<'j>(operand: &'j Json, is_negated: bool, inspector: &mut Inspector<'j>) -> Operator {
    if operand.as_str().is_none() {
        inspector.report(format!("is {} where the id of a saved group must be", kind(operand)));
    }
    inspector.refer(Reference::Group, &operand.to_text());
    Operator::InGroup { id: operand.to_text().into_owned(), is_negated }
}

fn every<'j>(operand: &'j Json, folds_case: bool, inspector: &mut Inspector<'j>) -> Operator {
    match operand {
        Json::Array(items) => {
            let item = |(index, item)| inspector.within(Step::Item(index), |i| check(item, folds_case, i));
            Operator::Every(items.iter().enumerate().map(item).collect())
        }
        other => {
            inspector.report(format!("is {} where a list must be: no unit meets it", kind(other)));
            Operator::Never
        }
    }
}

fn pattern<'j>(operand: &'j Json, ignores_case: bool, inspector: &mut Inspector<'j>) -> Operator {
    let Json::String(pattern) = operand else {
        inspector.report(format!("is {} where a pattern must be: no unit meets it", kind(operand)));
        return Operator::Never;
    };
    match Regexp::new(pattern, ignores_case) {
        Ok(compiled) => Operator::Matches(compiled),
        Err(error) => {
            inspector.report(format!("is no pattern, so no unit meets it: {error}"));
            Operator::Never
        }
    }
}

fn type_name<'j>(operand: &'j Json, inspector: &mut Inspector<'j>) -> Operator {
    const NAMES: [&str; 6] = ["string", "number", "boolean", "array", "object", "null"];
    match operand.as_str().filter(|name| NAMES.contains(name)) {
        Some(name) => Operator::Type(name.to_owned()),
        None => {
            inspector.report(format!("must be one of {}: no unit meets it", NAMES.join(", ")));
            Operator::Never
        }
    }
}
