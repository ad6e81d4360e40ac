//! Says where a value departs from the shape that the API's document gives it. serde finds such a fault first, and says it of
//! Rust's types, by line and column; of what it buffers, such as the variants of a command, it does not know the name.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::Object;
use crate::problem::Problem;

/// The longest text in characters that is shown as it was sent.
const SHOWN_CHARS_MAX: usize = 40;

/// Reads a JSON text of the expected shape.
///
/// # Errors
/// The problem `invalid_json`, which names the first member of another shape by its path.
pub fn read<T: DeserializeOwned + JsonSchema>(text: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(text).map(|Object(value)| value).map_err(|error| {
        let value = error.is_data().then(|| serde_json::from_slice(text).ok()).flatten();
        Problem::invalid_json(value.and_then(|value| fault_of::<T>(&value)).unwrap_or(error.to_string()))
    })
}

/// Reads a value of the expected shape.
///
/// # Errors
/// As [`read`].
pub fn read_value<T: DeserializeOwned + JsonSchema>(value: &Value) -> Result<T, Problem> {
    Object::deserialize(value)
        .map(|Object(value)| value)
        .map_err(|error| Problem::invalid_json(fault_of::<T>(value).unwrap_or(error.to_string())))
}

/// None where the document allows what serde refuses, such as a member that is there twice.
fn fault_of<T: JsonSchema>(value: &Value) -> Option<String> {
    let generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let shape = generator.into_root_schema_for::<T>().to_value();
    Shapes(&shape).fault("", &shape, value)
}

/// Is a shape with those that it refers to.
struct Shapes<'a>(&'a Value);

impl Shapes<'_> {
    /// Follows references, and looks behind what may also be null.
    fn resolved<'s>(&'s self, shape: &'s Value) -> &'s Value {
        let or_null = shape["anyOf"].as_array().and_then(|any| any.iter().find(|one| one["type"] != "null"));
        let referred = shape["$ref"].as_str().and_then(|to| self.0.pointer(to.strip_prefix('#')?));
        or_null.or(referred).map_or(shape, |shape| self.resolved(shape))
    }

    fn fault(&self, path: &str, shape: &Value, value: &Value) -> Option<String> {
        if value.is_null() && may_be_null(shape) {
            return None;
        }
        let shape = self.resolved(shape);
        if !is_met(shape, value) {
            return Some(format!("{} must be {}; it is {}", named(path), need(path, shape)?, shown(value)));
        }
        match value {
            Value::Object(members) => self.fault_in(path, shape, members),
            Value::Array(values) => values
                .iter()
                .enumerate()
                .find_map(|(n, value)| self.fault(&format!("{path}[{n}]"), &shape["items"], value)),
            _ => None,
        }
    }

    fn fault_in(&self, path: &str, shape: &Value, members: &Map<String, Value>) -> Option<String> {
        let variants = variants(shape);
        let tag = members.get("type");
        if let Some((_, variant)) = variants.iter().find(|(name, _)| tag.is_some_and(|tag| tag == name)) {
            return self.fault_in(path, variant, members);
        }
        let shape = match variants.is_empty() {
            true => shape,
            false => {
                let names: Vec<_> = variants.iter().map(|(name, _)| *name).collect();
                &json!({ "properties": { "type": { "enum": names } }, "required": ["type"] })
            }
        };
        let known = shape["properties"].as_object();
        let of_member = |(name, value): (&String, &Value)| {
            let at = below(path, name);
            match (known.and_then(|known| known.get(name)), &shape["additionalProperties"]) {
                (Some(member), _) => self.fault(&at, member, value),
                (None, Value::Bool(false)) => {
                    let names = known.into_iter().flatten().map(|(name, _)| format!("`{name}`"));
                    let names = names.collect::<Vec<_>>().join(", ");
                    Some(format!("{} is not known; what can stand there is {names}", named(&at)))
                }
                (None, others) => self.fault(&at, others, value),
            }
        };
        let missing = |name: &Value| {
            let name = name.as_str().filter(|name| !members.contains_key(*name))?;
            let at = below(path, name);
            let need = need(&at, self.resolved(&shape["properties"][name]));
            let need = need.map_or_else(String::new, |need| format!("; it must be {need}"));
            Some(format!("{} is missing{need}", named(&at)))
        };
        members
            .iter()
            .find_map(of_member)
            .or_else(|| shape["required"].as_array().into_iter().flatten().find_map(missing))
    }
}

/// Returns the variants that the member `type` tells apart.
fn variants(shape: &Value) -> Vec<(&str, &Value)> {
    let all = shape["oneOf"].as_array().into_iter().flatten();
    all.filter_map(|variant| Some((variant["properties"]["type"]["const"].as_str()?, variant))).collect()
}

/// Returns the texts that are allowed, where not any is.
fn names(shape: &Value) -> Vec<&str> {
    let each = shape["oneOf"].as_array().into_iter().flatten().map(|one| &one["const"]);
    shape["enum"].as_array().into_iter().flatten().chain(each).filter_map(Value::as_str).collect()
}

fn kinds(shape: &Value) -> Vec<&str> {
    match &shape["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    }
}

fn may_be_null(shape: &Value) -> bool {
    let mut any = shape["anyOf"].as_array().into_iter().flatten().chain([shape]);
    any.any(|shape| kinds(shape).contains(&"null"))
}

fn range(shape: &Value) -> (Option<i64>, Option<i64>) {
    (shape["minimum"].as_i64(), shape["maximum"].as_i64())
}

fn is_met(shape: &Value, value: &Value) -> bool {
    let (names, kinds) = (names(shape), kinds(shape));
    let is_of = |kind: &&str| match *kind {
        "integer" => {
            let number = value.as_i64().map(i128::from).or(value.as_u64().map(i128::from));
            let (least, most) = range(shape);
            number.is_some_and(|number| {
                least.is_none_or(|least| i128::from(least) <= number)
                    && most.is_none_or(|most| number <= i128::from(most))
            })
        }
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    };
    match names.is_empty() {
        true => kinds.is_empty() || kinds.iter().any(is_of),
        false => value.as_str().is_some_and(|text| names.contains(&text)),
    }
}

fn need(path: &str, shape: &Value) -> Option<String> {
    let names = names(shape);
    if !names.is_empty() {
        return Some(format!("one of {}", names.join(", ")));
    }
    let kinds = kinds(shape);
    Some(match *kinds.iter().find(|kind| **kind != "null")? {
        "integer" => {
            let of = if path.ends_with("_minor") { " of minor units, such as cents" } else { "" };
            let range = match range(shape) {
                (Some(least), Some(most)) => format!(" from {least} to {most}"),
                (Some(least), None) => format!(" of at least {least}"),
                (None, Some(most)) => format!(" of at most {most}"),
                (None, None) => String::new(),
            };
            format!("a whole number{of}{range}, without a decimal point")
        }
        "boolean" => "true or false".into(),
        "string" => "a text".into(),
        "array" => "a list".into(),
        "object" => "an object".into(),
        _ => return None,
    })
}

fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".into(),
        Value::Array(_) => "a list".into(),
        Value::String(text) if text.chars().count() > SHOWN_CHARS_MAX => "a long text".into(),
        value => value.to_string(),
    }
}

fn named(path: &str) -> String {
    if path.is_empty() { "the body".into() } else { format!("`{path}`") }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.into() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use crate::wire::{CommandForm, UpdateForm};

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Refund {
        reason: String,
        amount_minor: Option<i64>,
        #[serde(default)]
        lines: Vec<Line>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Line {
        #[schemars(range(min = 1, max = 9_999))]
        quantity: u32,
    }

    fn said<T: DeserializeOwned + JsonSchema + Debug>(value: Value) -> String {
        let by_text = read::<T>(value.to_string().as_bytes()).unwrap_err();
        assert_eq!(by_text.detail(), read_value::<T>(&value).unwrap_err().detail());
        by_text.detail().to_owned()
    }

    #[test]
    fn what_is_missing_or_of_another_kind_is_named_by_its_path_with_what_it_must_be() {
        let whole = "a whole number from 1 to 9999, without a decimal point";
        for (body, expected) in [
            (json!({}), "`reason` is missing; it must be a text".to_owned()),
            (json!({"reason": null}), "`reason` must be a text; it is null".into()),
            (json!({"reason": 1.5}), "`reason` must be a text; it is 1.5".into()),
            (
                json!({"reason": "", "amount_minor": 1919.0}),
                "`amount_minor` must be a whole number of minor units, such as cents, without a decimal point; it is 1919.0"
                    .into(),
            ),
            (json!({"reason": "", "lines": {}}), "`lines` must be a list; it is an object".into()),
            (
                json!({"reason": "", "lines": [{"quantity": 1}, {"quantity": "2"}]}),
                format!("`lines[1].quantity` must be {whole}; it is \"2\""),
            ),
            (
                json!({"reason": "", "lines": [{"quantity": -1}]}),
                format!("`lines[0].quantity` must be {whole}; it is -1"),
            ),
            (
                json!({"reason": "", "lines": [{}]}),
                format!("`lines[0].quantity` is missing; it must be {whole}"),
            ),
            (
                json!({"reason": "", "lines": [{"quantity": 1, "line": "MUG"}]}),
                "`lines[0].line` is not known; what can stand there is `quantity`".into(),
            ),
            (json!([]), "the body must be an object; it is a list".into()),
        ] {
            assert_eq!(said::<Refund>(body.clone()), expected, "{body}");
        }
        assert!(read_value::<Refund>(&json!({"reason": "", "amount_minor": null})).is_ok());
    }

    #[test]
    fn the_members_of_commands_are_named_too() {
        for (command, expected) in [
            (json!({"type": "add_line", "sku": 1.5}), "`sku` must be a text; it is 1.5"),
            (
                json!({"type": "add_line", "sku": "MUG", "quantity": 1.5, "properties": {"a": 1}}),
                "`properties.a` must be a text; it is 1",
            ),
            (json!({"type": "set_note"}), "`text` is missing; it must be a text"),
            (json!({"sku": "MUG"}), "`type` is missing; it must be one of add_line, "),
            (json!({"type": "steal"}), "`type` must be one of add_line, "),
            (json!({"type": "use_store_credit", "on": "yes"}), "`on` must be true or false; it is \"yes\""),
            (
                json!({"type": "complete_step", "step": "address", "details": {"town": "York"}}),
                "`details.town` is not known; what can stand there is `city`, ",
            ),
            (
                json!({"type": "batch", "commands": [{"type": "clear"}, {"type": "save_line", "line": []}]}),
                "`commands[1].line` must be a text; it is a list",
            ),
        ] {
            let said = said::<CommandForm>(command.clone());
            assert!(said.starts_with(expected), "{command}: {said}");
        }
        let said = said::<UpdateForm>(json!({"item": {"sku": 7}}));
        assert_eq!(said, "`item.sku` must be a text; it is 7");
    }

    #[test]
    fn what_the_document_allows_is_refused_in_serdes_words() {
        let twice = read::<Refund>(br#"{"reason": "a", "reason": "b"}"#).unwrap_err();
        assert!(twice.detail().starts_with("duplicate field `reason`"), "{twice}");
        let broken = read::<Refund>(br#"{"reason": "#).unwrap_err();
        assert!(broken.detail().contains("EOF"), "{broken}");
    }
}
