//! JSON as JavaScript holds it: objects keep their order, numbers compare as doubles, everything has a text.
//!
//! GrowthBook's model is defined by its JavaScript SDK, and some of its rules show how JavaScript sees a value:
//! two objects are equal when their texts are, an absent attribute is 0 beside a number, `"10"` equals 10 in a
//! literal. [`serde_json::Value`] forgets the order of keys, so the model has a type of its own.

use serde_json::{Number, Value};

mod coerce;
pub(crate) use coerce::compare_utf16;
mod number;
mod object;
mod serde_io;

pub use object::Object;

/// Most levels of arrays and objects within each other: serde_json reads no more from text, and code that walks
/// a value recursively stays far from the end of its stack.
pub const JSON_DEPTH_MAX: usize = 128;

/// Holds one JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, kept as it was written and compared as a double.
    Number(Number),
    /// A text.
    String(String),
    /// A list.
    Array(Vec<Json>),
    /// A map from texts to values, in JavaScript's order.
    Object(Object),
}

/// The value of everything that is absent.
pub static NULL: Json = Json::Null;

/// Says that a value is nested deeper than [`JSON_DEPTH_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("JSON is nested deeper than {JSON_DEPTH_MAX} levels: flatten it")]
pub struct TooDeep;

impl Json {
    /// Reads JSON text.
    ///
    /// # Errors
    /// serde_json's, with line and column: the text is no JSON, or nested deeper than [`JSON_DEPTH_MAX`].
    pub fn parse(text: &str) -> Result<Json, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Returns the value as serde_json's type, whose objects forget their order.
    pub fn to_value(&self) -> Value {
        match self {
            Json::Null => Value::Null,
            Json::Bool(truth) => Value::Bool(*truth),
            Json::Number(number) => Value::Number(number.clone()),
            Json::String(text) => Value::String(text.clone()),
            Json::Array(items) => Value::Array(items.iter().map(Json::to_value).collect()),
            Json::Object(object) => {
                Value::Object(object.iter().map(|(key, value)| (key.to_owned(), value.to_value())).collect())
            }
        }
    }

    /// Returns the text, if the value is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the items, if the value is an array.
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Json::Array(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the object, if the value is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Json::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Returns the number as a double, if the value is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Json::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// Returns whether the value is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Json::Null)
    }

    /// Returns the value of an object's key; `None` for absent keys and for everything that is no object.
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.as_object()?.get(key)
    }

    /// Returns the value as a number's JSON; `null` for what JSON cannot write.
    pub(crate) fn number(number: f64) -> Json {
        if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
            return Json::Number(Number::from(number as i64));
        }
        Number::from_f64(number).map_or(Json::Null, Json::Number)
    }
}

impl TryFrom<&Value> for Json {
    type Error = TooDeep;

    fn try_from(value: &Value) -> Result<Json, TooDeep> {
        convert(value, 0)
    }
}

fn convert(value: &Value, depth: usize) -> Result<Json, TooDeep> {
    if depth > JSON_DEPTH_MAX {
        return Err(TooDeep);
    }
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Number(number) => Json::Number(number.clone()),
        Value::String(text) => Json::String(text.clone()),
        Value::Array(items) => {
            Json::Array(items.iter().map(|item| convert(item, depth + 1)).collect::<Result<_, _>>()?)
        }
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| Ok((key.clone(), convert(value, depth + 1)?));
            Json::Object(map.iter().map(entry).collect::<Result<_, _>>()?)
        }
    })
}

impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::String(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::String(text)
    }
}

impl From<bool> for Json {
    fn from(truth: bool) -> Json {
        Json::Bool(truth)
    }
}

impl From<u32> for Json {
    fn from(number: u32) -> Json {
        Json::Number(number.into())
    }
}

impl From<Object> for Json {
    fn from(object: Object) -> Json {
        Json::Object(object)
    }
}

#[cfg(test)]
mod tests;
