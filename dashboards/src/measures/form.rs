//! The fields of a metric: from a metric and from a browser, and back.

use experiments::Metric;
use experiments::bayes::Better;
use experiments::metric::{Amount, Condition, Format, Measure, MetricError, Selector, Test};
use serde_json::{Map, Value, json};

use crate::edit::{FormError, basis_points, percent_of};

/// Holds what a person typed, right or wrong; fields that the kind does not ask for are passed over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetricForm {
    /// Field `key`.
    pub key: String,
    /// Field `name`.
    pub name: String,
    /// Field `description`.
    pub description: String,
    /// Field `kind`, as [`Measure`] has it.
    pub kind: String,
    /// Field `event`: its type.
    pub event: String,
    /// Field `conditions`: one a line, `sku is MUG`.
    pub conditions: String,
    /// Field `property`: where its number stands.
    pub property: String,
    /// Field `below_event`: what a ratio is divided by.
    pub below_event: String,
    /// Field `below_conditions`.
    pub below_conditions: String,
    /// Field `below_property`.
    pub below_property: String,
    /// Field `level_percent` of a quantile.
    pub level_percent: String,
    /// Field `from_days` of a retention.
    pub from_days: String,
    /// Field `to_days`.
    pub to_days: String,
    /// Field `window_hours`; empty for ever.
    pub window_hours: String,
    /// Field `cap`.
    pub cap: String,
    /// Field `cap_percentile`, in percent.
    pub cap_percentile: String,
    /// Field `lookback_days`; empty for the usual ones.
    pub lookback_days: String,
    /// Field `decimals`; empty for whole numbers.
    pub decimals: String,
    /// Field `better`.
    pub better: String,
    /// Field `format`; empty for what is usual.
    pub format: String,
}

/// The ways in which a condition is written, longer ones before what they begin with.
const TESTS: [(&str, &str); 5] = [
    ("is not", "is_not"),
    ("is", "is"),
    ("one of", "one_of"),
    ("at least", "at_least"),
    ("at most", "at_most"),
];

impl MetricForm {
    /// Returns the form of a new metric: the share of visitors who order.
    pub fn new() -> MetricForm {
        MetricForm {
            kind: "proportion".into(),
            event: "order_placed".into(),
            below_event: "order_placed".into(),
            better: "higher".into(),
            ..MetricForm::default()
        }
    }

    /// Returns the form of one like another, whose key and name are still to be chosen.
    pub fn copy_of(metric: &Metric) -> MetricForm {
        MetricForm { key: String::new(), name: String::new(), ..MetricForm::from(metric) }
    }

    /// Reads the form from the fields of a request; unknown ones are passed over, missing ones are empty.
    pub fn read<'t>(fields: impl IntoIterator<Item = (&'t str, &'t str)>) -> MetricForm {
        let mut form = MetricForm::default();
        for (name, text) in fields {
            if let Some(field) = form.field_mut(name) {
                *field = text.trim().replace("\r\n", "\n");
            }
        }
        form
    }

    fn field_mut(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "key" => &mut self.key,
            "name" => &mut self.name,
            "description" => &mut self.description,
            "kind" => &mut self.kind,
            "event" => &mut self.event,
            "conditions" => &mut self.conditions,
            "property" => &mut self.property,
            "below_event" => &mut self.below_event,
            "below_conditions" => &mut self.below_conditions,
            "below_property" => &mut self.below_property,
            "level_percent" => &mut self.level_percent,
            "from_days" => &mut self.from_days,
            "to_days" => &mut self.to_days,
            "window_hours" => &mut self.window_hours,
            "cap" => &mut self.cap,
            "cap_percentile" => &mut self.cap_percentile,
            "lookback_days" => &mut self.lookback_days,
            "decimals" => &mut self.decimals,
            "better" => &mut self.better,
            "format" => &mut self.format,
            _ => return None,
        })
    }

    /// Returns the metric that the form defines.
    ///
    /// # Errors
    /// Everything that is wrong with numbers and conditions, and the first thing that [`Metric::parse`] finds when those are
    /// taken for right.
    pub fn metric(&self) -> Result<Metric, Vec<FormError>> {
        let mut errors = Errors(vec![]);
        let event = errors.right("conditions", conditions(&self.conditions), json!([]));
        let event = json!({"type": self.event, "where": event});
        let measure = match self.kind.as_str() {
            "mean" => json!({"kind": "mean", "event": event, "property": self.property}),
            "ratio" => {
                let below = errors.right("below_conditions", conditions(&self.below_conditions), json!([]));
                let below = json!({"type": self.below_event, "where": below});
                let numerator = amount(event, &self.property);
                json!({"kind": "ratio", "numerator": numerator, "denominator": amount(below, &self.below_property)})
            }
            "quantile" => {
                let level = errors.right("level_percent", percent(&self.level_percent), 9_000.into());
                json!({"kind": "quantile", "event": event, "property": self.property, "level_bp": level})
            }
            "retention" => {
                let from = errors.right("from_days", whole(&self.from_days), 1.into());
                let to = errors.right("to_days", whole(&self.to_days), 366.into());
                json!({"kind": "retention", "event": event, "from_days": from, "to_days": to})
            }
            kind => json!({"kind": kind, "event": event}),
        };
        let mut metric = Map::new();
        for (field, text) in [("key", &self.key), ("name", &self.name), ("description", &self.description)] {
            metric.insert(field.into(), text.as_str().into());
        }
        metric.insert("measure".into(), measure);
        metric.insert("better".into(), if self.better == "lower" { "lower" } else { "higher" }.into());
        if !self.format.is_empty() {
            metric.insert("format".into(), self.format.as_str().into());
        }
        for (field, written, text, read) in self.limits() {
            if !text.is_empty() {
                metric.insert(written.into(), errors.right(field, read(text), Value::Null));
            }
        }
        match Metric::parse(&Value::Object(metric).to_string()) {
            Ok(metric) if errors.0.is_empty() => return Ok(metric),
            Ok(_) => {}
            Err(error) => errors.0.push(error_of(&error)),
        }
        Err(errors.0)
    }

    /// The limits that its kind may have: the field, its name in JSON, its text, and how that is read.
    fn limits(&self) -> Vec<(&'static str, &'static str, &str, Read)> {
        let is = |kinds: &[&str]| kinds.contains(&self.kind.as_str());
        let limits: [(bool, &'static str, &'static str, &str, Read); 5] = [
            (is(&["mean", "ratio", "quantile"]), "decimals", "decimals", &self.decimals, whole),
            (!is(&["retention"]), "window_hours", "window_hours", &self.window_hours, whole),
            (is(&["count", "mean", "time_to"]), "cap", "cap", &self.cap, whole),
            (is(&["count", "mean"]), "cap_percentile", "cap_percentile_bp", &self.cap_percentile, percent),
            (
                is(&["proportion", "count", "mean"]),
                "lookback_days",
                "lookback_days",
                &self.lookback_days,
                whole,
            ),
        ];
        let asked = limits.into_iter().filter(|limit| limit.0);
        asked.map(|(_, field, written, text, read)| (field, written, text, read)).collect()
    }
}

type Read = fn(&str) -> Result<Value, String>;

/// What is wrong so far.
struct Errors(Vec<FormError>);

impl Errors {
    /// Returns what was read, else what to go on with.
    fn right(&mut self, field: &str, read: Result<Value, String>, instead: Value) -> Value {
        read.unwrap_or_else(|message| {
            self.0.push(FormError::at(field, message));
            instead
        })
    }
}

fn amount(event: Value, property: &str) -> Value {
    if property.is_empty() { json!({"event": event}) } else { json!({"event": event, "property": property}) }
}

fn whole(text: &str) -> Result<Value, String> {
    let plain: String = text.chars().filter(|c| !matches!(c, ',' | ' ' | '\u{a0}' | '_')).collect();
    plain.parse::<u32>().map(Value::from).map_err(|_| "This must be a whole number, such as 24.".into())
}

fn percent(text: &str) -> Result<Value, String> {
    basis_points(text).map(Value::from).ok_or_else(|| "This must be a percentage, such as 99 or 99.5.".into())
}

/// Reads conditions, one a line.
fn conditions(text: &str) -> Result<Value, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(condition).collect::<Result<Vec<Value>, String>>().map(Value::from)
}

fn condition(line: &str) -> Result<Value, String> {
    let read = || {
        let (property, rest) = line.split_once(char::is_whitespace)?;
        let rest = rest.trim_start();
        let (words, test) = TESTS.iter().find(|(words, _)| {
            rest.strip_prefix(words).is_some_and(|value| value.starts_with(char::is_whitespace))
        })?;
        let value = rest[words.len()..].trim();
        let value = match *test {
            "one_of" => Value::from_iter(value.split(',').map(|one| plain(one.trim()))),
            _ => plain(value),
        };
        Some(json!({"property": property, *test: value}))
    };
    let condition = read().ok_or_else(|| {
        format!("The condition “{line}” must be a property, “is”, “is not”, “one of”, “at least” or “at most”, and a value, such as sku is MUG.")
    })?;
    match serde_json::from_value::<Condition>(condition.clone()) {
        Ok(_) => Ok(condition),
        Err(error) => Err(format!("The condition “{line}” cannot be read: {error}.")),
    }
}

/// A value as people type it: a number, `true`, or else a text, with quotation marks or without.
fn plain(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::String(_))) => value,
        _ => text.into(),
    }
}

/// Places an error of the metric at the field that it speaks of.
fn error_of(error: &MetricError) -> FormError {
    let MetricError::Field { field, problem } = error else {
        return FormError::general(format!("This is no metric: {error}."));
    };
    let (at, name) = match *field {
        "measure.property" => ("property", "The property"),
        "measure.level_bp" => ("level_percent", "The quantile"),
        "measure.from_days" => ("from_days", "From"),
        "event.type" => ("event", "The event"),
        "event.where" | "event.where.property" => ("conditions", "The conditions’ property"),
        "cap_percentile_bp" => ("cap_percentile", "The percentile"),
        "window_hours" => ("window_hours", "The window"),
        "cap" => ("cap", "The cap"),
        "lookback_days" => ("lookback_days", "The days before"),
        "decimals" => ("decimals", "The decimals"),
        "key" => ("key", "The key"),
        "name" => ("name", "The name"),
        other => (other, "The field"),
    };
    FormError::at(at, format!("{name} {}.", problem.trim_end_matches('.')))
}

impl From<&Metric> for MetricForm {
    fn from(metric: &Metric) -> MetricForm {
        let written = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
        let json = metric.to_value();
        let mut form = MetricForm {
            key: metric.key().into(),
            name: metric.name().into(),
            description: metric.description().into(),
            kind: json["measure"]["kind"].as_str().unwrap_or_default().into(),
            window_hours: written(metric.window_hours()),
            cap: metric.cap().map(|cap| cap.to_string()).unwrap_or_default(),
            cap_percentile: metric.cap_percentile_bp().map(percent_of).unwrap_or_default(),
            lookback_days: json["lookback_days"].as_u64().map(|days| days.to_string()).unwrap_or_default(),
            decimals: written(Some(metric.decimals()).filter(|decimals| *decimals > 0)),
            better: if metric.better() == Better::Lower { "lower" } else { "higher" }.into(),
            format: match metric.format() {
                Format::Number => "number",
                Format::Share => "share",
                Format::Money => "money",
                Format::Milliseconds => "milliseconds",
            }
            .into(),
            ..MetricForm::new()
        };
        let mut counts = |event: &Selector, property: Option<&String>| {
            form.event = event.kind().into();
            form.conditions = lines(event.conditions());
            form.property = property.cloned().unwrap_or_default();
        };
        match metric.measure() {
            Measure::Proportion { event } | Measure::Count { event } | Measure::TimeTo { event } => {
                counts(event, None)
            }
            Measure::Mean { event, property } => counts(event, Some(property)),
            Measure::Quantile { event, property, level_bp } => {
                counts(event, Some(property));
                form.level_percent = percent_of(*level_bp);
            }
            Measure::Retention { event, from_days, to_days } => {
                counts(event, None);
                (form.from_days, form.to_days) = (from_days.to_string(), to_days.to_string());
            }
            Measure::Ratio { numerator, denominator } => {
                counts(&numerator.event, numerator.property.as_ref());
                let Amount { event, property } = denominator;
                form.below_event = event.kind().into();
                form.below_conditions = lines(event.conditions());
                form.below_property = property.clone().unwrap_or_default();
            }
        }
        form
    }
}

/// Writes conditions as they are typed.
pub(super) fn lines(conditions: &[Condition]) -> String {
    let typed = |value: &Value| match value {
        Value::String(text) if plain(text) == *value && !text.contains(',') => text.clone(),
        other => other.to_string(),
    };
    let line = |condition: &Condition| {
        let (words, value) = match &condition.test {
            Test::Is(value) => ("is", typed(value)),
            Test::IsNot(value) => ("is not", typed(value)),
            Test::OneOf(values) => ("one of", values.iter().map(typed).collect::<Vec<_>>().join(", ")),
            Test::AtLeast(number) => ("at least", number.to_string()),
            Test::AtMost(number) => ("at most", number.to_string()),
        };
        format!("{} {words} {value}", condition.property)
    };
    conditions.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Changes<'a> = &'a [(&'a str, &'a str)];

    fn typed(changes: Changes<'_>) -> MetricForm {
        let usual = [
            ("key", "mugs"),
            ("name", "Mugs"),
            ("kind", "mean"),
            ("event", "line_added"),
            ("conditions", "sku is MUG\r\nquantity at least 2"),
            ("property", "quantity"),
            ("window_hours", "168"),
            ("cap_percentile", "99.5 %"),
            ("better", "higher"),
        ];
        MetricForm::read(usual.iter().chain(changes).copied())
    }

    #[test]
    fn a_form_becomes_a_metric_and_back() {
        let metric = typed(&[]).metric().unwrap();
        assert_eq!((metric.window_hours(), metric.cap_percentile_bp()), (Some(168), Some(9_950)));
        assert_eq!(metric.selectors().next().unwrap().conditions().len(), 2);
        let kinds: [Changes<'_>; 6] = [
            &[
                ("kind", "proportion"),
                ("conditions", "step one of payment, review\npaid is true\nnote is not \"5\""),
            ],
            &[("kind", "count"), ("cap_percentile", ""), ("cap", "1,000"), ("lookback_days", "30")],
            &[
                ("kind", "ratio"),
                ("below_event", "cart_opened"),
                ("below_conditions", "currency is GBP"),
                ("format", "money"),
            ],
            &[("kind", "quantile"), ("level_percent", "90"), ("decimals", "3")],
            &[("kind", "retention"), ("from_days", "7"), ("to_days", "14")],
            &[("kind", "time_to"), ("better", "lower"), ("cap", "60000")],
        ];
        for changes in kinds {
            let metric = typed(changes).metric().unwrap_or_else(|errors| panic!("{changes:?}: {errors:?}"));
            let again =
                MetricForm::from(&metric).metric().unwrap_or_else(|errors| panic!("{changes:?}: {errors:?}"));
            assert_eq!(again.to_value(), metric.to_value());
        }
    }

    #[test]
    fn what_is_wrong_is_said_at_its_field() {
        let table: [(Changes<'_>, &str, &str); 9] = [
            (&[("decimals", "9")], "decimals", "The decimals must be 0 to 6"),
            (&[("key", "a b")], "key", "The key is not one"),
            (&[("property", "")], "property", "The property must be"),
            (&[("conditions", "sku MUG")], "conditions", "The condition “sku MUG” must be a property"),
            (&[("conditions", "quantity at least many")], "conditions", "must be a number"),
            (&[("cap_percentile", "30")], "cap_percentile", "The percentile must be 5000 to 9999"),
            (&[("window_hours", "soon")], "window_hours", "This must be a whole number"),
            (&[("kind", "quantile"), ("level_percent", "")], "level_percent", "This must be a percentage"),
            (&[("kind", "retention"), ("from_days", "9"), ("to_days", "2")], "from_days", "days in order"),
        ];
        for (changes, field, words) in table {
            let errors = typed(changes).metric().unwrap_err();
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert_eq!(errors[0].field.as_deref(), Some(field));
            assert!(errors[0].message.contains(words), "{errors:?}");
        }
        // What the kind does not ask for is passed over.
        assert!(typed(&[("kind", "proportion"), ("cap", "many"), ("level_percent", "x")]).metric().is_ok());
    }
}
