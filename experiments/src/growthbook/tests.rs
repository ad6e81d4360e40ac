//! The model as the JavaScript SDK 1.8.0 was seen to behave, and what must hold of any payload.

use super::*;
use crate::json::Json;

mod bounds;
mod conditions;
mod pages;
mod problems;
mod properties;
mod remote;
mod rules;
mod sticky;
mod targeted;

fn json(text: &str) -> Json {
    Json::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn payload(text: &str) -> Payload {
    Payload::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Returns a payload of one feature `f` with these rules and the default `"default"`.
fn with_rules(rules: &str) -> Payload {
    payload(&format!(r#"{{"features": {{"f": {{"defaultValue": "default", "rules": [{rules}]}}}}}}"#))
}

/// Returns the value of `f` as JSON text and its source.
fn value_of(payload: &Payload, attributes: &str) -> (String, &'static str) {
    let attributes = json(attributes);
    let result = Evaluator::new(payload, User::new(&attributes)).evaluate("f");
    (result.value.to_string(), result.source.as_str())
}
