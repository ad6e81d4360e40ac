//! The form that creates or edits an experiment.

use experiments::Status;
use experiments::definition::{Correction, VARIATIONS_MAX};
use experiments::lifecycle::Missing;
use serde::Serialize;

use crate::field::{Choice, Field, choice, described};
use crate::session::Session;

mod calculator;
mod error;
mod form;
mod reach;
mod reading;
mod targeting;

pub use calculator::Calculator;
pub use error::FormError;
pub use form::{DefinitionForm, VariationForm};
use form::{KIND_AA, KIND_AB};
pub use reading::basis_points;
pub(crate) use reading::percent_of;
pub use targeting::{ConditionRow, ROWS_MAX};

/// Rows of variations that are offered at least: a control and three treatments.
const ROWS_OFFERED: usize = 4;
/// Rows that stand open; the others unfold.
const ROWS_OPEN: usize = 2;

/// Rows of the condition that are offered at least.
const CONDITIONS_OFFERED: usize = 2;

/// Lines of a text area, at least and at most.
const LINES_MIN: usize = 3;
const LINES_MAX: usize = 16;

fn lines(text: &str) -> usize {
    text.lines().count().clamp(LINES_MIN, LINES_MAX)
}

/// Says what is edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A new experiment; the form posts to `/admin/experiments`.
    New,
    /// One that exists; the form posts to `/admin/experiments/{key}`.
    Existing {
        /// Its key.
        key: String,
        /// Its name as it is saved.
        name: String,
        /// Its status, which says what may still change.
        status: Status,
        /// What a start would ask for and it does not say; such words may be added even later.
        missing: Vec<Missing>,
        /// The revision that was read; the form brings it back as `revision`.
        revision: u64,
    },
}

/// Names a metric that may be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MetricChoice {
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
}

/// The methods that are offered, as the form writes them.
const METHODS: [(&str, &str); 5] = [
    ("sequential", "At any time (always valid)"),
    ("fixed_horizon", "Once, at the planned units"),
    ("group_sequential:5", "At five looks on the way there"),
    ("mixture:500", "At any time, tuned to a lift of 5 %"),
    ("bayesian:3000", "As a belief (not valid under peeking)"),
];

/// Holds what the form shows.
#[derive(Debug, Clone, PartialEq)]
pub struct EditPage {
    /// Who edits.
    pub session: Session,
    /// What is edited.
    pub subject: Subject,
    /// What stands in the fields, right or wrong.
    pub form: DefinitionForm,
    /// The metrics that may decide or guard.
    pub metrics: Vec<MetricChoice>,
    /// How many visitors it needs, shown until that is fixed.
    pub calculator: Calculator,
    /// What is to mend, shown above the form and at the fields.
    pub errors: Vec<FormError>,
    /// What is to know before it starts, shown at the fields.
    pub warnings: Vec<FormError>,
}

#[derive(Serialize)]
struct Fields<'a> {
    what: Vec<Field<'a>>,
    /// The rows of the condition, then what else says who may take part.
    rows: Vec<Vec<Field<'a>>>,
    who: Vec<Field<'a>>,
    how: Vec<Field<'a>>,
    /// Why it changes, once it has started.
    why: Vec<Field<'a>>,
}

#[derive(Serialize)]
struct Arm<'a> {
    legend: String,
    is_optional: bool,
    is_filled: bool,
    fields: Vec<Field<'a>>,
}

#[derive(Serialize)]
pub(crate) struct View<'a> {
    heading: &'static str,
    lead: Option<&'static str>,
    key: Option<&'a str>,
    name: Option<&'a str>,
    revision: Option<u64>,
    action: String,
    calculator: Option<calculator::View<'a>>,
    calculator_action: String,
    submit: &'static str,
    errors: &'a [FormError],
    fields: Fields<'a>,
    arms: Vec<Arm<'a>>,
}

impl EditPage {
    /// Returns the page with a calculator's answer and, while the plan may change, its numbers in the form.
    #[must_use]
    pub fn calculated(self, calculator: Calculator) -> EditPage {
        let form = match self.status().has_started() {
            true => self.form,
            false => calculator.advise(self.form),
        };
        EditPage { form, calculator, ..self }
    }

    fn status(&self) -> Status {
        match &self.subject {
            Subject::New => Status::Draft,
            Subject::Existing { status, .. } => *status,
        }
    }

    pub(crate) fn view(&self) -> View<'_> {
        let (key, name, revision) = match &self.subject {
            Subject::New => (None, None, None),
            Subject::Existing { key, name, revision, .. } => {
                (Some(key.as_str()), Some(name.as_str()), Some(*revision))
            }
        };
        let status = self.status();
        View {
            heading: if key.is_some() { "Edit experiment" } else { "New experiment" },
            lead: lead(key.is_some(), status),
            action: key
                .map_or_else(|| "/admin/experiments".into(), |key| format!("/admin/experiments/{key}")),
            calculator: (!status.has_started()).then(|| self.calculator.view()),
            calculator_action: match key {
                Some(key) => format!("/admin/experiments/{key}/edit"),
                None => "/admin/experiments/new".into(),
            },
            submit: if key.is_some() { "Save" } else { "Save as draft" },
            errors: &self.errors,
            fields: Fields {
                what: described(self.what(key.is_some(), status)),
                rows: self.rows(status).into_iter().map(described).collect(),
                who: described(self.who(status)),
                how: described(self.how(status)),
                why: described(self.why(status)),
            },
            arms: self.arms(status),
            key,
            name,
            revision,
        }
    }

    /// Whether words that are chosen before the start stand as they are.
    fn is_said(&self, what: Missing) -> bool {
        matches!(&self.subject, Subject::Existing { status, missing, .. } if status.has_started() && !missing.contains(&what))
    }

    fn field<'a>(&'a self, name: impl Into<String>, label: &'static str, value: &'a str) -> Field<'a> {
        let name = name.into();
        let of = |list: &'a [FormError]| {
            let at_field = list.iter().find(|error| error.field.as_deref() == Some(&name));
            at_field.map(|error| error.message.as_str())
        };
        Field { error: of(&self.errors), warning: of(&self.warnings), name, label, value, ..Field::default() }
    }

    fn what(&self, has_key: bool, status: Status) -> Vec<Field<'_>> {
        let form = &self.form;
        let is_fixed = status.has_started();
        vec![
            Field {
                hint: Some("As it stands in lists and reports."),
                is_wide: true,
                ..self.field("name", "Name", &form.name)
            },
            Field {
                hint: Some(
                    "Letters, digits, - _ and . It names the experiment in metrics and never changes.",
                ),
                is_code: true,
                is_fixed: has_key,
                ..self.field("key", "Key", &form.key)
            },
            Field {
                hint: Some(
                    "The flag whose value the variations decide, such as checkout_workflow; holdout, with the values \"held\" and \
                     \"free\", keeps visitors from all experiments.",
                ),
                is_code: true,
                is_fixed,
                ..self.field("flag", "Flag", &form.flag)
            },
            Field {
                hint: Some("Who answers for it, and is asked about it."),
                ..self.field("owner", "Owner", &form.owner)
            },
            Field {
                hint: Some(
                    "How long it shall run; whole weeks see every day alike. It is fixed at the start.",
                ),
                unit: Some("days"),
                is_fixed: self.is_said(Missing::PlannedDays),
                ..self.field("planned_days", "Planned length", &form.planned_days)
            },
            Field {
                hint: Some("What you expect to change, by how much, and why. It is fixed at the start."),
                lines: lines(&form.hypothesis),
                is_wide: true,
                is_fixed: self.is_said(Missing::Hypothesis),
                ..self.field("hypothesis", "Hypothesis", &form.hypothesis)
            },
        ]
    }

    fn rows(&self, status: Status) -> Vec<Vec<Field<'_>>> {
        static BLANK: ConditionRow = ConditionRow::blank();
        let filled = &self.form.rows;
        let is_fixed = status.has_started();
        let offered =
            if is_fixed { filled.len() } else { (filled.len() + 1).clamp(CONDITIONS_OFFERED, ROWS_MAX) };
        let row = |row: usize| {
            let one = filled.get(row).unwrap_or(&BLANK);
            let name = |part| targeting::row_name(row, part);
            let anything = Choice { value: "", label: "Anybody", is_chosen: one.attribute.is_empty() };
            let attributes = targeting::ATTRIBUTES.map(|attribute| choice(attribute, &one.attribute));
            vec![
                Field {
                    options: std::iter::once(anything).chain(attributes).collect(),
                    is_list: !is_fixed,
                    is_fixed,
                    ..self.field(name("attribute"), "Who", &one.attribute)
                },
                Field {
                    options: targeting::OPERATORS.map(|operator| choice(operator, &one.operator)).into(),
                    is_list: !is_fixed,
                    is_fixed,
                    ..self.field(name("operator"), "Compared", &one.operator)
                },
                Field { is_fixed, ..self.field(name("value"), "Value", &one.value) },
            ]
        };
        (0..offered.max(filled.len())).map(row).collect()
    }

    fn who(&self, status: Status) -> Vec<Field<'_>> {
        let form = &self.form;
        let is_fixed = status.has_started();
        vec![
            Field {
                hint: Some(
                    "What rows cannot say, as GrowthBook writes it: {\"$or\": [{\"device\": \"phone\"}, {\"logged_in\": true}]}. Rows and \
                     JSON must both be met.",
                ),
                lines: lines(&form.condition),
                is_code: true,
                is_wide: true,
                is_fixed,
                ..self.field("condition", "Condition (JSON)", &form.condition)
            },
            Field {
                hint: Some(
                    "Experiments in one layer never meet in a visitor, on whatever flags they are: give each its own part. Empty means \
                     none.",
                ),
                is_code: true,
                is_fixed,
                ..self.field("layer", "Layer", &form.layer)
            },
            Field {
                unit: Some("%"),
                is_fixed,
                ..self.field("layer_from_percent", "Its part begins at", &form.layer_from_percent)
            },
            Field {
                unit: Some("%"),
                is_fixed,
                ..self.field("layer_to_percent", "and ends at", &form.layer_to_percent)
            },
            Field {
                hint: Some(
                    "Only visitors to whom other flags are worth that, one a line: checkout_workflow = express, or != for anything \
                     else.",
                ),
                lines: lines(&form.prerequisites),
                is_code: true,
                is_wide: true,
                is_fixed,
                ..self.field("prerequisites", "Other flags first", &form.prerequisites)
            },
        ]
    }

    fn how(&self, status: Status) -> Vec<Field<'_>> {
        let form = &self.form;
        let is_fixed = status.has_started();
        let deciding = |metric| choice(metric, &form.primary_metric);
        let known = self.metrics.iter().map(|metric| deciding((metric.key.as_str(), metric.name.as_str())));
        // A choice that is offered no more is still the one that was made.
        let own = |options: &[Choice<'_>], value: &'_ str| {
            !value.is_empty() && !options.iter().any(|o| o.is_chosen)
        };
        let kind = |value, label| Choice { value, label, is_chosen: form.kind == value };
        let correction = |correction, label| {
            let value = form::correction_text(correction);
            let is_usual = form.correction.is_empty() && correction == Correction::default();
            Choice { value, label, is_chosen: form.correction == value || is_usual }
        };
        let bandit = |value, label| Choice { value, label, is_chosen: form.bandit == value };
        let mut metrics: Vec<Choice<'_>> = known.collect();
        if own(&metrics, &form.primary_metric) {
            metrics.push(deciding((&form.primary_metric, &form.primary_metric)));
        }
        let mut methods: Vec<Choice<'_>> = METHODS.map(|method| choice(method, &form.method)).into();
        if own(&methods, &form.method) {
            methods.push(choice((&form.method, &form.method), &form.method));
        }
        // What the calculator advises can be chosen.
        if let Some((value, label)) = self.calculator.advised()
            && !methods.iter().any(|method| method.value == value)
        {
            methods.push(choice((value, label), &form.method));
        }
        vec![
            Field {
                options: vec![
                    kind(KIND_AB, "A/B: each variation shows something else"),
                    kind(KIND_AA, "A/A: all show the same, to try the house"),
                ],
                hint: Some("In an A/A experiment any difference is chance or a fault."),
                is_wide: true,
                is_fixed,
                ..self.field("kind", "Kind", &form.kind)
            },
            Field {
                hint: Some("The share of all visitors who take part. It may rise while the experiment runs."),
                unit: Some("%"),
                is_fixed: status.is_over(),
                ..self.field("coverage_percent", "Coverage", &form.coverage_percent)
            },
            Field {
                hint: Some(
                    "Steps by which the coverage rises after the start, one a line: 24 h: 50 %. They hold by themselves while \
                     something is worse or the split is wrong. Empty means that it stays as it is.",
                ),
                lines: lines(&form.ramp),
                is_fixed: status.is_over(),
                ..self.field("ramp", "Ramp", &form.ramp)
            },
            Field {
                hint: Some(
                    "Units of two variations together at which the interval is to be tightest. Choose it before the start.",
                ),
                is_fixed,
                ..self.field("planned_units", "Planned units", &form.planned_units)
            },
            Field {
                options: metrics,
                hint: Some("The verdict rests on this metric alone; the others are reported beside it."),
                is_fixed,
                ..self.field("primary_metric", "Decided by", &form.primary_metric)
            },
            Field {
                options: methods,
                hint: Some(
                    "Choose what your team will really do. Who looks often needs a method that allows it.",
                ),
                is_fixed,
                ..self.field("method", "Results are read", &form.method)
            },
            Field {
                options: vec![
                    bandit("", "Stay as they are"),
                    bandit(
                        form::BANDIT_THOMPSON,
                        "Follow the results: more visitors to what seems best (Thompson)",
                    ),
                    bandit(form::BANDIT_TOP_TWO, "Follow the results, to find the best sooner (top two)"),
                ],
                hint: Some(
                    "Weights that follow the results are a bandit's: fewer visitors meet what does badly, and the difference is \
                     known later. Choose it to earn on the way; let them stay to learn how large a difference is. Results are read at \
                     any time.",
                ),
                is_wide: true,
                is_fixed,
                ..self.field("bandit", "Weights", &form.bandit)
            },
            Field {
                hint: Some(
                    "Of a bandit: how long weights hold. A day or more, so that nights are not compared with days.",
                ),
                unit: Some("hours"),
                is_fixed,
                ..self.field("bandit_every_hours", "Drawn again after", &form.bandit_every_hours)
            },
            Field {
                hint: Some("Of a bandit: what each variation keeps, however it does."),
                unit: Some("%"),
                is_fixed,
                ..self.field("bandit_floor_percent", "Least share", &form.bandit_floor_percent)
            },
            Field {
                hint: Some(
                    "What must not get worse, one a line: a metric and by how much it may, such as page_latency 5 %. With ± it \
                     must stay as it is and differ by less than that either way: page_latency ±5 %.",
                ),
                lines: lines(&form.guardrails),
                is_code: true,
                is_fixed,
                ..self.field("guardrails", "Guardrails", &form.guardrails)
            },
            Field {
                hint: Some("Metrics that are reported besides, one a line. Empty means the usual ones."),
                lines: lines(&form.metrics),
                is_code: true,
                is_fixed,
                ..self.field("metrics", "Also reported", &form.metrics)
            },
            Field {
                options: vec![
                    correction(Correction::Holm, "Hardly ever show one by chance (Holm)"),
                    correction(
                        Correction::BenjaminiHochberg,
                        "Show more, and let one in twenty of them be chance (Benjamini-Hochberg)",
                    ),
                ],
                hint: Some(
                    "Of the metrics that do not decide, over all variations. The metric that decides, and the harm of guardrails, \
                     keep their own chance of error either way.",
                ),
                is_wide: true,
                is_fixed,
                ..self.field("correction", "Of the other metrics", &form.correction)
            },
            Field {
                hint: Some(
                    "What is known of visitors before they meet the difference, such as device: variations are then compared within \
                     its values, so that a split that is uneven by chance does no harm and less noise is left. Empty means that nothing \
                     is adjusted so.",
                ),
                is_code: true,
                is_fixed,
                ..self.field("strata", "Adjusted by", &form.strata)
            },
            Field {
                hint: Some("Another seed is another, independent split. Empty means the key."),
                is_code: true,
                is_fixed,
                ..self.field("seed", "Seed", &form.seed)
            },
        ]
    }

    fn why(&self, status: Status) -> Vec<Field<'_>> {
        let field = Field {
            hint: Some("A word or two. It stands in the history, beside your name and what changed."),
            is_wide: true,
            ..self.field("reason", "Why", &self.form.reason)
        };
        if status.has_started() { vec![field] } else { Vec::new() }
    }

    fn arms(&self, status: Status) -> Vec<Arm<'_>> {
        static BLANK: VariationForm = VariationForm::blank();
        let filled = &self.form.variations;
        let is_fixed = status.has_started();
        let offered =
            if is_fixed { filled.len() } else { (filled.len() + 1).clamp(ROWS_OFFERED, VARIATIONS_MAX) };
        let arm = |row: usize| {
            let variation = filled.get(row).unwrap_or(&BLANK);
            let name = |part| form::field_name(row, part);
            Arm {
                legend: if row == 0 {
                    "Variation 1, the control".into()
                } else {
                    format!("Variation {}", row + 1)
                },
                is_optional: row >= ROWS_OPEN && !is_fixed,
                is_filled: !variation.is_blank(),
                fields: described(vec![
                    self.field(name("name"), "Name", &variation.name),
                    Field { is_code: true, is_fixed, ..self.field(name("key"), "Key", &variation.key) },
                    Field {
                        unit: Some("%"),
                        is_fixed,
                        ..self.field(name("weight_percent"), "Weight", &variation.weight_percent)
                    },
                    Field {
                        lines: lines(&variation.value),
                        is_code: true,
                        is_wide: true,
                        is_fixed,
                        ..self.field(name("value"), "Value (JSON)", &variation.value)
                    },
                ]),
            }
        };
        (0..offered.max(filled.len())).map(arm).collect()
    }
}

fn lead(has_key: bool, status: Status) -> Option<&'static str> {
    match (has_key, status) {
        (false, _) => Some("It is saved as a draft. Nobody sees it before you start it."),
        (true, Status::Draft) => None,
        (true, Status::Running | Status::Paused) => Some(
            "It has started: names and the owner may change and the coverage may rise. All else is fixed, so that the \
             numbers stay comparable.",
        ),
        (true, Status::Stopped | Status::Archived) => {
            Some("It is over: only names and the owner may still change.")
        }
    }
}
