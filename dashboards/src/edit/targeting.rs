//! Who may take part, as a form has it: rows of attribute, operator and value, and JSON for the rest.

use experiments::definition::{Layer, Prerequisite, Targeting, WHOLE_BP};
use serde_json::{Map, Value, json};

use super::FormError;
use super::reading::{basis_points, percent_of};

/// The attributes that the rows offer, with how they are called.
pub(super) const ATTRIBUTES: [(&str, &str); 8] = [
    ("device", "Device"),
    ("language", "Language"),
    ("country", "Country"),
    ("logged_in", "Logged in"),
    ("group", "Customer group"),
    ("channel", "Channel"),
    ("currency", "Currency"),
    ("id", "Visitor"),
];

const IS: &str = "is";
const IS_NOT: &str = "is_not";
const ONE_OF: &str = "one_of";
const NONE_OF: &str = "none_of";
const IN_GROUP: &str = "in_group";
const NOT_IN_GROUP: &str = "not_in_group";

/// The operators that the rows offer.
pub(super) const OPERATORS: [(&str, &str); 6] = [
    (IS, "is"),
    (IS_NOT, "is not"),
    (ONE_OF, "is one of"),
    (NONE_OF, "is none of"),
    (IN_GROUP, "is in saved group"),
    (NOT_IN_GROUP, "is not in saved group"),
];

/// Rows that the form reads at most; longer conditions are written as JSON.
pub const ROWS_MAX: usize = 6;

/// The name of a row's field, counted from 0.
pub(super) fn row_name(row: usize, part: &str) -> String {
    format!("who_{}_{part}", row + 1)
}

/// Holds one row: an attribute is compared with a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConditionRow {
    /// Field `who_{n}_attribute`.
    pub attribute: String,
    /// Field `who_{n}_operator`.
    pub operator: String,
    /// Field `who_{n}_value`; several are separated by commas.
    pub value: String,
}

impl ConditionRow {
    pub(super) const fn blank() -> ConditionRow {
        ConditionRow { attribute: String::new(), operator: String::new(), value: String::new() }
    }

    /// Returns whether the row says nothing: what is chosen in lists alone does not count.
    pub fn is_blank(&self) -> bool {
        self.attribute.is_empty() && self.value.is_empty()
    }

    /// Makes of it an entry of a condition.
    fn entry(&self, row: usize) -> Result<(String, Value), FormError> {
        if self.attribute.is_empty() {
            return Err(FormError::at(
                &row_name(row, "attribute"),
                "Choose what is compared with the value.",
            ));
        }
        if self.value.is_empty() {
            return Err(FormError::at(&row_name(row, "value"), "Write the value, or choose no attribute."));
        }
        let scalar = |text: &str| match (self.attribute.as_str(), text) {
            ("logged_in", "true" | "yes") => Value::Bool(true),
            ("logged_in", "false" | "no") => Value::Bool(false),
            _ => text.into(),
        };
        let list = || -> Value { self.value.split(',').map(|one| scalar(one.trim())).collect() };
        let operand = match self.operator.as_str() {
            "" | IS => scalar(&self.value),
            IS_NOT => json!({"$ne": scalar(&self.value)}),
            ONE_OF => json!({"$in": list()}),
            NONE_OF => json!({"$nin": list()}),
            IN_GROUP => json!({"$inGroup": self.value}),
            NOT_IN_GROUP => json!({"$notInGroup": self.value}),
            other => {
                let why = format!("There is no operator “{other}”: choose one of the list.");
                return Err(FormError::at(&row_name(row, "operator"), why));
            }
        };
        Ok((self.attribute.clone(), operand))
    }

    /// Reads an entry of a condition, where a row can say it.
    fn of(attribute: &str, operand: &Value) -> Option<ConditionRow> {
        let text = |value: &Value| match value {
            Value::String(text) if !text.is_empty() && text.trim() == text => Some(text.clone()),
            Value::Bool(yes) if attribute == "logged_in" => Some(yes.to_string()),
            _ => None,
        };
        let list = |value: &Value| {
            let items: Option<Vec<String>> = value.as_array()?.iter().map(text).collect();
            items
                .filter(|items| !items.is_empty() && items.iter().all(|item| !item.contains(',')))
                .map(|items| items.join(", "))
        };
        let (operator, value) = match operand {
            Value::Object(operators) if operators.len() == 1 => {
                let (operator, operand) = operators.iter().next()?;
                match operator.as_str() {
                    "$ne" => (IS_NOT, text(operand)?),
                    "$in" => (ONE_OF, list(operand)?),
                    "$nin" => (NONE_OF, list(operand)?),
                    "$inGroup" => (IN_GROUP, text(operand)?),
                    "$notInGroup" => (NOT_IN_GROUP, text(operand)?),
                    _ => return None,
                }
            }
            other => (IS, text(other)?),
        };
        let is_offered = ATTRIBUTES.iter().any(|(name, _)| *name == attribute);
        is_offered.then(|| ConditionRow { attribute: attribute.into(), operator: operator.into(), value })
    }
}

/// Writes a condition as rows, where they can say it, or else as JSON.
pub(super) fn rows_of(condition: Option<&Value>) -> (Vec<ConditionRow>, String) {
    let Some(condition) = condition else { return (Vec::new(), String::new()) };
    let entries: Vec<(&String, &Value)> = match condition {
        Value::Object(all) if all.len() == 1 && all.contains_key("$and") => {
            let parts = all["$and"].as_array().into_iter().flatten();
            parts.filter_map(Value::as_object).flatten().collect()
        }
        Value::Object(all) => all.iter().collect(),
        _ => Vec::new(),
    };
    let rows: Option<Vec<ConditionRow>> =
        entries.iter().map(|(attribute, operand)| ConditionRow::of(attribute, operand)).collect();
    let said = |rows: &Vec<ConditionRow>| {
        rows.len() <= ROWS_MAX && condition_of(rows, "").is_ok_and(|said| said.as_ref() == Some(condition))
    };
    match rows.filter(said) {
        Some(rows) => (rows, String::new()),
        None => (Vec::new(), format!("{condition:#}")),
    }
}

/// Makes a condition of rows and JSON: all of it must be met.
pub(super) fn condition_of(rows: &[ConditionRow], text: &str) -> Result<Option<Value>, Vec<FormError>> {
    let (mut entries, mut errors) = (Vec::new(), Vec::new());
    for (row, one) in rows.iter().enumerate().filter(|(_, one)| !one.is_blank()) {
        match one.entry(row) {
            Ok(entry) => entries.push(entry),
            Err(error) => errors.push(error),
        }
    }
    let written = match text.trim() {
        "" => None,
        text => match serde_json::from_str::<Value>(text) {
            Ok(value) => Some(value),
            Err(error) => {
                errors.push(FormError::at("condition", format!("The condition is not JSON: {error}.")));
                None
            }
        },
    };
    if !errors.is_empty() {
        return Err(errors);
    }
    let is_plain =
        entries.iter().enumerate().all(|(n, (name, _))| entries[..n].iter().all(|(other, _)| other != name));
    let single = |(name, operand): (String, Value)| Value::Object(Map::from_iter([(name, operand)]));
    let of_rows = match entries.len() {
        0 => None,
        _ if is_plain => Some(Value::Object(entries.into_iter().collect())),
        _ => Some(json!({"$and": entries.into_iter().map(single).collect::<Vec<_>>()})),
    };
    Ok(match (of_rows, written) {
        (Some(rows), Some(written)) => Some(json!({"$and": [rows, written]})),
        (rows, written) => rows.or(written),
    })
}

/// Writes the flags that are asked for first, one a line.
pub(super) fn prerequisites_text(targeting: &Targeting) -> String {
    let line = |one: &Prerequisite| {
        let sign = if one.is_not { "!=" } else { "=" };
        format!("{} {sign} {}", one.flag, one.value)
    };
    targeting.prerequisites.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Reads the flags that are asked for first: on each line a flag, `=` or `!=`, and a value; what is no JSON is a text.
pub(super) fn prerequisites(text: &str) -> Result<Value, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let read = |line: &str| {
        let (flag, value) = line.split_once('=').ok_or_else(|| {
            let shown: String = line.chars().take(40).collect();
            format!("The line “{shown}” must be a flag and its value, such as checkout_workflow = express.")
        })?;
        let (flag, is_not) = match flag.trim().strip_suffix('!') {
            Some(flag) => (flag.trim(), true),
            None => (flag.trim(), false),
        };
        let value = value.trim();
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        Ok(match is_not {
            true => json!({"flag": flag, "value": value, "is_not": true}),
            false => json!({"flag": flag, "value": value}),
        })
    };
    lines.map(read).collect::<Result<Vec<_>, String>>().map(Value::from)
}

/// Writes a part of a layer as the form's fields have it: key, from, to.
pub(super) fn layer_texts(layer: Option<&Layer>) -> [String; 3] {
    match layer {
        Some(layer) => [layer.key.clone(), percent_of(layer.from_bp), percent_of(layer.to_bp)],
        None => Default::default(),
    }
}

/// Reads a part of a layer.
pub(super) fn layer([key, from, to]: [&str; 3]) -> Result<Value, FormError> {
    if key.is_empty() {
        return match [("layer_from_percent", from), ("layer_to_percent", to)]
            .into_iter()
            .find(|(_, text)| !text.is_empty())
        {
            Some(_) => Err(FormError::at("layer", "Name the layer, or leave its part empty.")),
            None => Ok(Value::Null),
        };
    }
    let part = |field: &str, text: &str| {
        let read = basis_points(text).filter(|bp| *bp <= WHOLE_BP);
        read.ok_or_else(|| {
            FormError::at(field, "The part of the layer must be numbers from 0 to 100, such as 0 and 50.")
        })
    };
    let (from_bp, to_bp) = (part("layer_from_percent", from)?, part("layer_to_percent", to)?);
    Ok(json!({"key": key, "from_bp": from_bp, "to_bp": to_bp}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(attribute: &str, operator: &str, value: &str) -> ConditionRow {
        ConditionRow { attribute: attribute.into(), operator: operator.into(), value: value.into() }
    }

    #[test]
    fn rows_become_a_condition_and_back() {
        for (rows, condition) in [
            (
                vec![row("device", "is", "phone"), row("country", "one_of", "AT, CH")],
                json!({"device": "phone", "country": {"$in": ["AT", "CH"]}}),
            ),
            (vec![row("logged_in", "is", "true")], json!({"logged_in": true})),
            (vec![row("id", "in_group", "staff")], json!({"id": {"$inGroup": "staff"}})),
            (
                vec![row("country", "is_not", "AT"), row("country", "none_of", "CH")],
                json!({"$and": [{"country": {"$ne": "AT"}}, {"country": {"$nin": ["CH"]}}]}),
            ),
        ] {
            assert_eq!(condition_of(&rows, "").unwrap(), Some(condition.clone()));
            let (mut again, text) = rows_of(Some(&condition));
            again.sort_by_key(|row| rows.iter().position(|known| known == row));
            assert_eq!((again, text.as_str()), (rows, ""));
        }
        let richer = json!({"$or": [{"device": "phone"}, {"channel": {"$regex": "^app"}}]});
        let (rows, text) = rows_of(Some(&richer));
        assert_eq!((rows.len(), condition_of(&[], &text).unwrap()), (0, Some(richer.clone())));
        let both = condition_of(&[row("device", "", "phone")], &text).unwrap();
        assert_eq!(both, Some(json!({"$and": [{"device": "phone"}, richer]})));
        assert_eq!(condition_of(&[row("", "is", "")], " ").unwrap(), None);
    }

    #[test]
    fn what_is_half_said_is_named_at_its_field() {
        let rows = [row("", "is", "phone"), row("device", "is", ""), row("device", "luck", "x")];
        let errors = condition_of(&rows, "{").unwrap_err();
        let fields: Vec<&str> = errors.iter().filter_map(|error| error.field.as_deref()).collect();
        assert_eq!(fields, ["who_1_attribute", "who_2_value", "who_3_operator", "condition"]);
    }

    #[test]
    fn flags_and_layers_are_read_as_they_are_written() {
        let read = prerequisites("f = express\r\n\n g != null \nh = {\"name\": \"x\"}").unwrap();
        let targeting = Targeting {
            prerequisites: serde_json::from_value(read.clone()).unwrap(),
            ..Targeting::default()
        };
        assert_eq!(prerequisites(&prerequisites_text(&targeting)).unwrap(), read);
        assert_eq!((read[0]["value"].as_str(), read[1]["is_not"].as_bool()), (Some("express"), Some(true)));
        assert!(prerequisites("express").unwrap_err().contains("such as checkout_workflow = express"));
        let part = layer(["l", "0", "33.3"]).unwrap();
        let texts = layer_texts(serde_json::from_value(part).ok().as_ref());
        assert_eq!(texts, ["l", "0", "33.3"]);
        assert_eq!(layer(["", "", ""]).unwrap(), Value::Null);
        let field = |texts| layer(texts).unwrap_err().field.unwrap();
        assert_eq!(
            [field(["", "0", ""]), field(["l", "x", "5"]), field(["l", "0", "101"])],
            ["layer", "layer_from_percent", "layer_to_percent"]
        );
    }
}
