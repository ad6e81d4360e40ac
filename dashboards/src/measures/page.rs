//! The form of a metric as a page.

use serde::Serialize;

use super::MetricForm;
use crate::edit::FormError;
use crate::field::{Choice, Field, choice, described};
use crate::session::Session;

/// The kinds of measures, in words.
const KINDS: [(&str, &str); 7] = [
    ("proportion", "The share of visitors who do something"),
    ("count", "How often a visitor does it"),
    ("mean", "A sum for each visitor, such as revenue"),
    ("ratio", "One sum over another, such as errors over pages"),
    ("quantile", "A percentile of all events, such as the slowest tenth of pages"),
    ("retention", "The share who come back and do it, some days later"),
    ("time_to", "How long until a visitor does it"),
];
const DIRECTIONS: [(&str, &str); 2] = [("higher", "More of it"), ("lower", "Less of it")];
const FORMATS: [(&str, &str); 5] = [
    ("", "As is usual for its kind"),
    ("number", "A number"),
    ("share", "A percentage"),
    ("money", "Money (pence, cents)"),
    ("milliseconds", "Milliseconds"),
];
const WITH_PROPERTY: &str = "of-mean of-ratio of-quantile";
const CONDITIONS: &str = "One a line, all must hold: a property; is, is not, one of, at least or at most; a value. Such as sku is \
                          MUG. Empty means all of them.";

/// Holds the form of a new metric or of one of the shop's own. It posts to `/admin/metrics/added` or
/// `/admin/metrics/own/{key}/save`, and is checked at its own address.
#[derive(Debug, Clone)]
pub struct MetricPage {
    /// Who edits.
    pub session: Session,
    /// The key of the metric that is there; `None` of a new one.
    pub key: Option<String>,
    /// What stands in the fields.
    pub form: MetricForm,
    /// How often the shop's metrics were saved when the form was opened.
    pub revision: u64,
    /// What is to mend.
    pub errors: Vec<FormError>,
    /// The types of events that can be counted.
    pub event_types: Vec<String>,
}

#[derive(Serialize)]
struct Group<'a> {
    id: &'static str,
    heading: &'static str,
    lead: Option<&'static str>,
    kinds: &'static str,
    fields: Vec<Field<'a>>,
}

#[derive(Serialize)]
pub(crate) struct View<'a> {
    heading: &'static str,
    key: Option<&'a str>,
    action: String,
    check: String,
    revision: u64,
    errors: &'a [FormError],
    groups: Vec<Group<'a>>,
}

impl MetricPage {
    pub(crate) fn view(&self) -> View<'_> {
        let key = self.key.as_deref();
        View {
            heading: if key.is_some() { "Edit metric" } else { "New metric" },
            action: key.map_or_else(
                || "/admin/metrics/added".into(),
                |key| format!("/admin/metrics/own/{key}/save"),
            ),
            check: key.map_or_else(|| "/admin/metrics/new".into(), |key| format!("/admin/metrics/own/{key}")),
            key,
            revision: self.revision,
            errors: &self.errors,
            groups: vec![
                Group {
                    id: "what",
                    heading: "What it is",
                    lead: None,
                    kinds: "",
                    fields: described(self.what()),
                },
                Group {
                    id: "counts",
                    heading: "What it counts",
                    lead: Some("Events of a visitor since the difference was met."),
                    kinds: "",
                    fields: described(self.counted()),
                },
                Group {
                    id: "below",
                    heading: "What that is divided by",
                    lead: None,
                    kinds: "of-ratio",
                    fields: described(self.below()),
                },
                Group {
                    id: "limits",
                    heading: "How it is read",
                    lead: None,
                    kinds: "",
                    fields: described(self.limits()),
                },
            ],
        }
    }

    fn field<'a>(&'a self, name: &str, label: &'static str, value: &'a str) -> Field<'a> {
        let error = self.errors.iter().find(|error| error.field.as_deref() == Some(name));
        let error = error.map(|error| error.message.as_str());
        Field { error, name: name.into(), label, value, ..Field::default() }
    }

    fn events<'a>(&'a self, chosen: &'a str) -> Vec<Choice<'a>> {
        let is_known = self.event_types.iter().any(|kind| kind == chosen);
        let odd = (!is_known && !chosen.is_empty()).then_some(chosen);
        let all = self.event_types.iter().map(String::as_str).chain(odd);
        all.map(|kind| choice((kind, kind), chosen)).collect()
    }

    fn what(&self) -> Vec<Field<'_>> {
        let form = &self.form;
        vec![
            Field {
                hint: Some("As it stands in lists and reports."),
                ..self.field("name", "Name", &form.name)
            },
            Field {
                hint: Some("Letters, digits, - _ and . Experiments name it so, and it never changes."),
                is_code: true,
                is_fixed: self.key.is_some(),
                ..self.field("key", "Key", &form.key)
            },
            Field {
                hint: Some("What it says and what it does not, for whoever reads a report next year."),
                is_wide: true,
                lines: 2,
                ..self.field("description", "Description", &form.description)
            },
        ]
    }

    fn counted(&self) -> Vec<Field<'_>> {
        let form = &self.form;
        vec![
            Field {
                options: KINDS.map(|kind| choice(kind, &form.kind)).into(),
                is_wide: true,
                ..self.field("kind", "Kind", &form.kind)
            },
            Field {
                hint: Some("Programs report their own events as event_tracked, with the condition name is …"),
                options: self.events(&form.event),
                is_list: true,
                ..self.field("event", "Event", &form.event)
            },
            Field {
                hint: Some(
                    "Where its number stands, such as total_minor. A ratio may count events instead: leave it empty.",
                ),
                is_code: true,
                kinds: WITH_PROPERTY,
                ..self.field("property", "Property", &form.property)
            },
            Field {
                hint: Some(CONDITIONS),
                lines: 3,
                is_code: true,
                is_wide: true,
                ..self.field("conditions", "Conditions", &form.conditions)
            },
        ]
    }

    fn below(&self) -> Vec<Field<'_>> {
        let form = &self.form;
        vec![
            Field {
                options: self.events(&form.below_event),
                is_list: true,
                ..self.field("below_event", "Event", &form.below_event)
            },
            Field {
                hint: Some("Where its number stands; empty counts events."),
                is_code: true,
                ..self.field("below_property", "Property", &form.below_property)
            },
            Field {
                hint: Some(CONDITIONS),
                lines: 3,
                is_code: true,
                is_wide: true,
                ..self.field("below_conditions", "Conditions", &form.below_conditions)
            },
        ]
    }

    fn limits(&self) -> Vec<Field<'_>> {
        let form = &self.form;
        vec![
            Field {
                hint: Some("Which point of all events: 90 is where the slowest tenth begins."),
                unit: Some("%"),
                kinds: "of-quantile",
                ..self.field("level_percent", "Percentile", &form.level_percent)
            },
            Field {
                hint: Some("The first day that counts after the difference was met."),
                unit: Some("days"),
                kinds: "of-retention",
                ..self.field("from_days", "From", &form.from_days)
            },
            Field {
                hint: Some("The day before which it must happen. A visitor counts once that day has come."),
                unit: Some("days"),
                kinds: "of-retention",
                ..self.field("to_days", "To", &form.to_days)
            },
            Field {
                hint: Some("How long after the difference was met events count. Empty means for ever."),
                unit: Some("hours"),
                kinds: "of-proportion of-count of-mean of-ratio of-quantile of-time_to",
                ..self.field("window_hours", "Window", &form.window_hours)
            },
            Field {
                hint: Some(
                    "The most that one visitor counts, so that a single one does not decide. Empty means no limit.",
                ),
                kinds: "of-count of-mean of-time_to",
                ..self.field("cap", "At most", &form.cap)
            },
            Field {
                hint: Some(
                    "Or: as much as this share of those who count at all, of all variations together. Such as 99.",
                ),
                unit: Some("%"),
                kinds: "of-count of-mean",
                ..self.field("cap_percentile", "At most, as a percentile", &form.cap_percentile)
            },
            Field {
                hint: Some(
                    "Digits after the point that are kept, 0 to 6, such as 3 for scores from 0 to 1. Empty keeps whole numbers: 0.4 counts 0.",
                ),
                kinds: WITH_PROPERTY,
                ..self.field("decimals", "Decimals", &form.decimals)
            },
            Field {
                hint: Some("What visitors had done in so many days before takes noise out. Empty means 90."),
                unit: Some("days"),
                kinds: "of-proportion of-count of-mean",
                ..self.field("lookback_days", "Days before", &form.lookback_days)
            },
            Field {
                options: DIRECTIONS.map(|direction| choice(direction, &form.better)).into(),
                ..self.field("better", "What is better", &form.better)
            },
            Field {
                options: FORMATS.map(|format| choice(format, &form.format)).into(),
                is_list: true,
                ..self.field("format", "Written as", &form.format)
            },
        ]
    }
}
