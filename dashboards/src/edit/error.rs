//! What is wrong with a form, in sentences, and at which field.

use experiments::DefinitionError;
use experiments::lifecycle::ChangeError;
use serde::Serialize;

use super::form::field_name;

/// Says what is to mend, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FormError {
    /// The field's name, which is also its id on the page; `None` for the form as a whole.
    pub field: Option<String>,
    /// A sentence.
    pub message: String,
}

impl FormError {
    /// Makes an error of one field.
    pub fn at(field: &str, message: impl Into<String>) -> FormError {
        FormError { field: Some(field.to_owned()), message: message.into() }
    }

    /// Makes an error of the form as a whole.
    pub fn general(message: impl Into<String>) -> FormError {
        FormError { field: None, message: message.into() }
    }
}

impl From<&DefinitionError> for FormError {
    fn from(error: &DefinitionError) -> FormError {
        let field = match error {
            DefinitionError::Empty { field }
            | DefinitionError::TooLong { field, .. }
            | DefinitionError::InvalidKey { field, .. }
            | DefinitionError::ControlCharacter { field } => place_of(field),
            DefinitionError::TooFewVariations { .. } => Some(field_name(1, "key")),
            DefinitionError::CoverageAboveWhole { .. } => Some("coverage_percent".into()),
            DefinitionError::NoMargin { .. } => Some("guardrails".into()),
            DefinitionError::TooManyMetrics { .. } | DefinitionError::DuplicateMetric { .. } => {
                Some("metrics".into())
            }
            DefinitionError::Targeting { field, .. } => Some((*field).into()),
            DefinitionError::Holdout { .. } => Some("flag".into()),
            DefinitionError::Strata { .. } => Some("strata".into()),
            DefinitionError::Draws { problem } => Some(
                if problem.starts_with("draws") {
                    "bandit_every_hours"
                } else if problem.starts_with("keeps") {
                    "bandit_floor_percent"
                } else {
                    "bandit"
                }
                .into(),
            ),
            DefinitionError::Method { .. } => Some("method".into()),
            DefinitionError::PlannedUnitsOutOfRange { .. } => Some("planned_units".into()),
            DefinitionError::TooManySteps { .. } | DefinitionError::StepOutOfOrder { .. } => {
                Some("ramp".into())
            }
            DefinitionError::PlannedDaysOutOfRange { .. } => Some("planned_days".into()),
            DefinitionError::SameValue { .. } | DefinitionError::OtherValue { .. } => Some("kind".into()),
            _ => None,
        };
        FormError { field, message: sentence(&error.to_string()) }
    }
}

/// Which field of the form a text of the definition stands in: `name`, or `name of variation 2`.
fn place_of(text: &str) -> Option<String> {
    match text.split_once(" of variation ") {
        Some((part, position)) => {
            let row = position.parse::<usize>().ok()?.checked_sub(1)?;
            Some(field_name(row, part))
        }
        None => Some(text.to_owned()),
    }
}

impl From<&ChangeError> for FormError {
    fn from(error: &ChangeError) -> FormError {
        let field = match error {
            ChangeError::Key { .. } => Some("key".to_owned()),
            ChangeError::Frozen { field: "coverage_bp" } | ChangeError::CoverageLowered { .. } => {
                Some("coverage_percent".to_owned())
            }
            ChangeError::Frozen { field: "is_aa" } => Some("kind".to_owned()),
            ChangeError::Frozen { field: "variations" } => Some(field_name(0, "key")),
            ChangeError::Frozen { field } => Some((*field).to_owned()),
        };
        FormError { field, message: sentence(&error.to_string()) }
    }
}

/// Makes a sentence of an error's fragment, with quotation marks for people where it has those of programmers.
fn sentence(fragment: &str) -> String {
    let mut text = String::with_capacity(fragment.len() + 8);
    let mut is_open = false;
    for letter in fragment.trim_end_matches('.').chars() {
        match letter {
            '`' => {
                text.push(if is_open { '”' } else { '“' });
                is_open = !is_open;
            }
            first if text.is_empty() => text.extend(first.to_uppercase()),
            other => text.push(other),
        }
    }
    text + "."
}

/// Where a field stands on the page, so that errors are listed in the order they are met.
pub(super) fn place_on_page(error: &FormError) -> usize {
    let field = error.field.as_deref().unwrap_or_default();
    [
        "",
        "name",
        "key",
        "flag",
        "owner",
        "planned_days",
        "hypothesis",
        "variation_",
        "who_",
        "condition",
        "layer",
        "prerequisites",
        "kind",
        "coverage_percent",
        "ramp",
        "planned_units",
        "primary_metric",
        "method",
        "bandit",
        "guardrails",
        "metrics",
        "correction",
        "strata",
        "seed",
        "reason",
    ]
    .into_iter()
    .rposition(|begin| field.starts_with(begin))
    .unwrap_or_default()
}
