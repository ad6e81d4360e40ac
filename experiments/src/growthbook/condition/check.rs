//! What is asked of one attribute's value.

use std::cmp::Ordering;

use super::group::Hop;
use super::list::List;
use super::version::padded;
use super::{Condition, Subject};
use crate::json::{Json, compare_utf16};
use crate::regexp::Regexp;

/// Asks for a value: a literal, or operators that must all hold.
#[derive(Debug, Clone)]
pub(super) enum Check {
    /// The value's text is this one.
    Text(String),
    /// The value's text, in lower case, is this one.
    FoldedText(String),
    /// The value as a number is this one.
    Number(f64),
    /// The value is not `null` and counts as this.
    Truth(bool),
    Null,
    /// The value is written as this list or object.
    Written(Json),
    Operators(Vec<Operator>),
    /// What the JavaScript SDK throws on.
    Never,
}

#[derive(Debug, Clone)]
pub(super) enum Operator {
    Equal {
        to: Json,
        is_negated: bool,
    },
    Order {
        to: Json,
        order: Order,
    },
    Version {
        to: String,
        order: Order,
    },
    Exists(bool),
    In {
        list: List,
        is_negated: bool,
    },
    InGroup {
        id: String,
        is_negated: bool,
    },
    Not(Check),
    Size(Check),
    AnyElement(Check),
    AnyElementMeets(Condition),
    Every(Vec<Check>),
    Matches(Regexp),
    Type(String),
    /// An unknown operator, or an operand that makes no sense: does not hold, so that `$not` of it does.
    Never,
}

/// Says how two values must compare.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Order {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn allows(self, order: Ordering) -> bool {
        match self {
            Order::Equal => order.is_eq(),
            Order::Unequal => order.is_ne(),
            Order::Less => order.is_lt(),
            Order::LessOrEqual => order.is_le(),
            Order::Greater => order.is_gt(),
            Order::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Check {
    pub(super) fn holds(&self, value: &Json, hop: &Hop<'_>) -> bool {
        match self {
            Check::Text(text) => match value {
                Json::String(value) => value == text,
                other => other.to_text() == *text,
            },
            Check::FoldedText(text) => value.to_text().to_lowercase() == *text,
            Check::Number(number) => value.to_number() == *number,
            Check::Truth(truth) => !value.is_null() && value.is_truthy() == *truth,
            Check::Null => value.is_null(),
            Check::Written(json) => value.is_written_as(json),
            Check::Operators(operators) => operators.iter().all(|operator| operator.holds(value, hop)),
            Check::Never => false,
        }
    }
}

impl Operator {
    fn holds(&self, value: &Json, hop: &Hop<'_>) -> bool {
        match self {
            Operator::Equal { to, is_negated } => value.is_strictly(to) != *is_negated,
            Operator::Order { to, order } => value.compare(to).is_some_and(|found| order.allows(found)),
            Operator::Version { to, order } => order.allows(compare_utf16(&padded(value), to)),
            Operator::Exists(exists) => value.is_null() != *exists,
            Operator::In { list, is_negated } => list.has(value) != *is_negated,
            Operator::InGroup { id, is_negated } => hop.groups.is_in(id, value, *is_negated),
            Operator::Not(check) => !check.holds(value, hop),
            Operator::Size(check) => {
                value.as_array().is_some_and(|items| check.holds(&Json::from(items.len() as u32), hop))
            }
            Operator::AnyElement(check) => any_element(value, |item| check.holds(item, hop)),
            Operator::AnyElementMeets(condition) => {
                any_element(value, |item| condition.holds(&Subject::Json(item), hop))
            }
            Operator::Every(checks) => value.as_array().is_some_and(|items| {
                checks.iter().all(|check| items.iter().any(|item| check.holds(item, hop)))
            }),
            Operator::Matches(pattern) => pattern.is_match(&value.to_text()),
            Operator::Type(name) => type_of(value) == name,
            Operator::Never => false,
        }
    }
}

/// Returns whether any item of a list holds; `null` is no item.
fn any_element(value: &Json, holds: impl Fn(&Json) -> bool) -> bool {
    value.as_array().is_some_and(|items| items.iter().any(|item| !item.is_null() && holds(item)))
}

fn type_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}
