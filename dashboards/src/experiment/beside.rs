//! What an experiment does beside others that run on the same visitors.

use experiments::Experiment;
use experiments::interaction::Interaction;
use serde::Serialize;

use super::ExperimentPage;
use crate::figure::{count, p_cell, signed_percent};
use crate::interplay::Names;

#[derive(Serialize)]
pub(super) struct View<'a> {
    /// What was found, where something was.
    warnings: Vec<String>,
    rows: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    other: &'a str,
    other_key: &'a str,
    treatment: &'a str,
    units: String,
    beside_control: String,
    other_control: &'a str,
    beside_treatment: String,
    other_treatment: &'a str,
    p: String,
    is_significant: bool,
}

/// Shows the pairs that have enough visitors in common; `None` where there are none.
pub(super) fn view<'a>(page: &'a ExperimentPage<'_>) -> Option<View<'a>> {
    let named = |key: &str| -> Option<&'a Experiment> {
        let all = page.running.iter().chain([page.experiment]);
        all.into_iter().find(|experiment| experiment.key() == key)
    };
    let of_this = page.interactions.iter().filter(|found| found.experiment == page.experiment.key());
    let found: Vec<(&'a Interaction, Names<'a>)> =
        of_this.filter_map(|found| Some((found, Names::of(found, named)?))).collect();
    let told = found.iter().filter(|(found, _)| found.is_significant).map(|(found, names)| names.told(found));
    let warnings: Vec<String> = told.collect();
    let row = |(found, names): (&'a Interaction, Names<'a>)| {
        let [beside_control, beside_treatment] = found.lifts.map(signed_percent);
        Row {
            other: names.other,
            other_key: &found.other,
            treatment: names.treatment,
            units: count(found.units),
            beside_control,
            other_control: names.other_control,
            beside_treatment,
            other_treatment: names.other_treatment,
            p: p_cell(found.adjusted_p),
            is_significant: found.is_significant,
        }
    };
    let rows: Vec<Row<'a>> = found.into_iter().map(row).collect();
    (!rows.is_empty()).then_some(View { warnings, rows })
}
