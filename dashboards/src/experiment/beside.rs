//! What an experiment does beside others that run on the same visitors.

use experiments::definition::Method;
use experiments::interaction::Interaction;
use experiments::{Experiment, Verdict};
use serde::Serialize;

use super::ExperimentPage;
use crate::figure::{count, p_cell, signed_percent};
use crate::interplay::Names;

#[derive(Serialize)]
pub(super) struct View<'a> {
    /// What was found, where something was.
    warnings: Vec<String>,
    /// How far the table may be trusted, which depends on how the experiment is read.
    reading: &'static str,
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
    // Lifts would tell before the planned look what the whole must not.
    let is_hidden = matches!(page.analysis.verdict, Verdict::NotRead { .. });
    (!rows.is_empty() && !is_hidden).then_some(View {
        warnings,
        reading: reading(page.analysis.method),
        rows,
    })
}

/// Says how often the table may be read: its p-values are those of intervals that hold at every look, whatever the verdict keeps.
fn reading(method: Method) -> &'static str {
    match method {
        Method::Sequential | Method::Mixture { .. } => {
            "Read it as often as you like, as the verdict; it is corrected for all pairs of running experiments."
        }
        Method::FixedHorizon | Method::GroupSequential { .. } => {
            "Unlike the verdict, which stands by its planned looks alone, this comparison holds at every look; it is corrected for all pairs \
             of running experiments. Its lifts are as they stand now: do not take them for a verdict."
        }
        Method::Bayesian { .. } => {
            "Unlike the verdict, which is a belief, this comparison bounds how often it is wrong, at whatever look; it is corrected for \
             all pairs of running experiments."
        }
    }
}
