//! Which events a metric counts.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Names events by their type and by what stands in their data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, rename = "where", skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<Condition>,
}

/// Holds what a property of an event must be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Condition {
    /// The property's path, names with points between them.
    pub property: String,
    /// What it must be.
    #[serde(flatten)]
    pub test: Test,
}

/// Says what a property must be. One that is missing passes only [`Test::IsNot`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// This value.
    Is(Value),
    /// Another one.
    IsNot(Value),
    /// One of these.
    OneOf(Vec<Value>),
    /// A number of at least this.
    AtLeast(f64),
    /// A number of at most this.
    AtMost(f64),
}

/// Names what is added up: a property of events, or their number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// The events.
    pub event: Selector,
    /// Where the number stands; without it, each event counts 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
}

impl Selector {
    /// Returns the events' type.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns what must hold of their data.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Reports whether an event is one of these.
    ///
    /// ```
    /// use experiments::metric::Selector;
    /// use serde_json::{from_value, json};
    /// let paid: Selector = from_value(json!({"type": "step_completed", "where": [{"property": "step", "is": "payment"}]}))?;
    /// assert!(paid.takes("step_completed", &json!({"step": "payment"})));
    /// assert!(!paid.takes("step_completed", &json!({"step": "address"})));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn takes(&self, kind: &str, data: &Value) -> bool {
        self.kind == kind && self.conditions.iter().all(|condition| condition.holds(data))
    }
}

/// The ways in which a condition can be written.
const TESTS: &str = "is, is_not, one_of, at_least or at_most";

impl TryFrom<Map<String, Value>> for Condition {
    type Error = String;

    fn try_from(mut written: Map<String, Value>) -> Result<Condition, String> {
        let Some(Value::String(property)) = written.remove("property") else {
            return Err("a condition needs a `property`, the path of what it looks at".into());
        };
        let mut tests = written.into_iter();
        let (Some((name, value)), None) = (tests.next(), tests.next()) else {
            return Err(format!("the condition on `{property}` needs exactly one of {TESTS}"));
        };
        let number = || value.as_f64().ok_or_else(|| format!("`{name}` of `{property}` must be a number"));
        let test = match (name.as_str(), &value) {
            ("is", _) => Test::Is(value),
            ("is_not", _) => Test::IsNot(value),
            ("one_of", Value::Array(values)) => Test::OneOf(values.clone()),
            ("one_of", _) => return Err(format!("`one_of` of `{property}` must be a list")),
            ("at_least", _) => Test::AtLeast(number()?),
            ("at_most", _) => Test::AtMost(number()?),
            _ => return Err(format!("the condition on `{property}` has `{name}`, which is none of {TESTS}")),
        };
        Ok(Condition { property, test })
    }
}

impl Condition {
    fn holds(&self, data: &Value) -> bool {
        let Some(found) = at(data, &self.property) else { return matches!(self.test, Test::IsNot(_)) };
        match &self.test {
            Test::Is(value) => is_same(found, value),
            Test::IsNot(value) => !is_same(found, value),
            Test::OneOf(values) => values.iter().any(|value| is_same(found, value)),
            Test::AtLeast(least) => found.as_f64().is_some_and(|number| number >= *least),
            Test::AtMost(most) => found.as_f64().is_some_and(|number| number <= *most),
        }
    }
}

/// 1 and 1.0 are one number.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

/// Returns what stands at a path.
pub(super) fn at<'a>(data: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(data, |value, name| value.get(name)).filter(|value| !value.is_null())
}

impl Amount {
    /// Returns what an event adds, `None` where it is none of these or has no number.
    pub(super) fn of(&self, kind: &str, data: &Value, decimals: u32) -> Option<i64> {
        if !self.event.takes(kind, data) {
            return None;
        }
        self.property.as_deref().map_or(Some(10_i64.pow(decimals)), |path| number_at(data, path, decimals))
    }
}

/// Returns the number at a path in parts of so many decimals: 0.4 with three of them is 400. What lies beyond is rounded, numbers beyond
/// 64 bits and others are none. It depends on the number alone, so that whoever counts again counts the same.
pub(super) fn number_at(data: &Value, path: &str, decimals: u32) -> Option<i64> {
    let (found, parts) = (at(data, path)?, 10_i64.pow(decimals));
    found.as_i64().map_or_else(
        || {
            let rounded = (found.as_f64()? * parts as f64).round();
            // 2⁶³ itself is a float that no i64 holds.
            (rounded.abs() < 9_223_372_036_854_775_808.0).then_some(rounded as i64)
        },
        |whole| whole.checked_mul(parts),
    )
}
