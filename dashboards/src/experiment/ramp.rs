//! The schedule by which the coverage rises: what was taken, what is next, and why it holds.

use experiments::definition::WHOLE_BP;
use experiments::ramp::{RampStep, hold};
use serde::Serialize;

use super::ExperimentPage;
use crate::figure::{counted, short_percent};
use crate::moment::Moment;

#[derive(Serialize)]
pub(super) struct View {
    steps: Vec<Step>,
    /// What the next step covers; none once all are taken.
    next: Option<String>,
    due: Option<Moment>,
    hold: Option<String>,
    /// Since when the history has it so.
    held_since: Option<Moment>,
}

#[derive(Serialize)]
struct Step {
    after: String,
    coverage: String,
    state: &'static str,
}

/// Returns what there is to say while it runs or is paused; none without a ramp.
pub(super) fn view(page: &ExperimentPage<'_>) -> Option<View> {
    let experiment = page.experiment;
    let is_under_way = experiment.status().has_started() && !experiment.status().is_over();
    if experiment.ramp().is_empty() || !is_under_way {
        return None;
    }
    let next = experiment.next_step();
    let step = |step: &RampStep| Step {
        after: counted(step.after_hours.into(), "hour"),
        coverage: share(step.coverage_bp),
        state: match next {
            Some(next) if next == *step => "next",
            Some(next) if step.coverage_bp > next.coverage_bp => "later",
            _ => "taken",
        },
    };
    Some(View {
        steps: experiment.ramp().iter().map(step).collect(),
        next: next.map(|step| share(step.coverage_bp)),
        due: page.step_due_at_ms.map(Moment::of),
        hold: hold(page.experiment, page.analysis, page.running)
            .map(|hold| hold.to_string())
            .or_else(|| experiment.held().map(|held| held.why.clone())),
        held_since: experiment.held().map(|held| Moment::of(held.since_ms)),
    })
}

/// Says a step in a line: `24 h: 50 %`.
pub(super) fn step_words(step: &RampStep) -> String {
    format!("{} h: {}", step.after_hours, share(step.coverage_bp))
}

fn share(bp: u32) -> String {
    short_percent(f64::from(bp) / f64::from(WHOLE_BP))
}
