//! The page of an experiment, and its report.

use experiments::{Experiment, Status};

use super::sample::Sample;
use super::states::experiments;
use super::{AS_OF_MS, DAY_MS, HOSTILE, session};
use crate::edit::MetricChoice;
use crate::experiment::{ExperimentPage, FreshLink, Link, Links, Revision, Uncounted};
use crate::money::Currency;
use crate::pages::{PageError, Pages};
use crate::session::{Notice, Session};

/// Renders the page of a sample.
///
/// # Errors
/// [`PageError`], when a template does not fit its model.
pub fn render(pages: &Pages, sample: &Sample, notice: Option<Notice>) -> Result<String, PageError> {
    render_for(pages, sample, Some(&session()), notice)
}

/// Renders the report of every sample that has started, by name.
///
/// # Errors
/// [`PageError`], when a template does not fit its model.
pub fn render_reports(pages: &Pages) -> Result<Vec<(String, String)>, PageError> {
    let started = experiments().into_iter().filter(|(_, sample)| sample.experiment.status().has_started());
    started
        .map(|(name, sample)| Ok((format!("report-{name}"), render_for(pages, &sample, None, None)?)))
        .collect()
}

/// Returns what an experiment went through until now: made, mended, started and, of one that is over, stopped.
fn history(experiment: &Experiment) -> Vec<Revision> {
    let changed = |changes: &[(&str, serde_json::Value)]| {
        let mut definition = experiment.to_value();
        for (field, value) in changes {
            definition[field] = value.clone();
        }
        Experiment::parse_value(&definition).ok()
    };
    let (draft, running) = (("status", "draft".into()), ("status", "running".into()));
    let mut life = vec![
        ("", changed(&[draft.clone(), ("coverage_bp", 1_000.into()), ("hypothesis", "".into())])),
        ("", changed(&[draft, ("coverage_bp", 1_000.into())])),
    ];
    if experiment.status().has_started() {
        life.push((
            "The shop is quiet this week.",
            changed(&[running.clone(), ("coverage_bp", 1_000.into())]),
        ));
        life.push(("Nothing is broken on the first tenth.", changed(&[running])));
        if experiment.status() != Status::Running {
            life.push((HOSTILE, Some(experiment.clone())));
        }
    }
    let revision = |(at, (reason, definition)): (usize, (&str, Option<Experiment>))| Revision {
        number: at as u64 + 1,
        at_ms: AS_OF_MS - 16 * DAY_MS + at as i64 * DAY_MS,
        by: "mara".into(),
        reason: reason.into(),
        definition,
    };
    life.into_iter().enumerate().map(revision).collect()
}

fn links(has_any: bool) -> Links {
    if !has_any {
        return Links::default();
    }
    let link = |id: &str, note: &str, days: i64| Link {
        id: id.into(),
        note: note.into(),
        made_by: "mara".into(),
        created_at_ms: AS_OF_MS - 2 * DAY_MS,
        ends_at_ms: AS_OF_MS + days * DAY_MS,
    };
    let url = "https://shop.example/reports/0f6c1f7b2d0e4a5c9d3e0f6c1f7b2d0e4a5c9d3e0f6c1f7b2d0e4a5c9d3e";
    Links {
        living: vec![link("1", "the board", 28), link("2", "", 5)],
        fresh: Some(FreshLink { url: url.into() }),
    }
}

/// The late metrics of a sample that its sums do not have.
fn uncounted(sample: &Sample) -> Vec<Uncounted> {
    let late = sample.experiment.late_metrics().iter();
    late.filter(|late| sample.analysis.place_of(&late.metric).is_none())
        .map(|late| Uncounted { name: late.metric.clone(), added_at_ms: late.added_at_ms, is_short: false })
        .collect()
}

fn render_for(
    pages: &Pages,
    sample: &Sample,
    session: Option<&Session>,
    notice: Option<Notice>,
) -> Result<String, PageError> {
    let is_over = sample.experiment.status().is_over();
    let previews: Vec<String> = if is_over || session.is_none() {
        Vec::new()
    } else {
        (0..sample.experiment.variations().len())
            .map(|index| format!("/?{}={index}", sample.experiment.key()))
            .collect()
    };
    pages.experiment(&ExperimentPage {
        session,
        notice,
        reason: "",
        history: &history(&sample.experiment),
        experiment: &sample.experiment,
        is_shipped: sample.experiment.rollout().is_some(),
        step_due_at_ms: sample.experiment.due_at_ms(AS_OF_MS - 14 * DAY_MS, AS_OF_MS - DAY_MS),
        revision: 3,
        saved_at_ms: Some(AS_OF_MS - 14 * DAY_MS),
        started_at_ms: (sample.experiment.status().has_started()).then_some(AS_OF_MS - 14 * DAY_MS),
        stopped_at_ms: is_over.then_some(AS_OF_MS - DAY_MS),
        analysis: &sample.analysis,
        dimensions: &sample.dimensions,
        splits: &sample.splits,
        growth: &sample.growth,
        outlook: sample.outlook,
        epochs: &sample.epochs,
        draw_due_at_ms: sample.experiment.draw_due_at_ms(AS_OF_MS - DAY_MS / 2),
        running: &sample.running,
        interactions: &sample.interactions,
        left_out: &sample.left_out,
        uncounted: &uncounted(sample),
        metrics: &["conversion", "refunded", "orders"]
            .map(|key| MetricChoice { key: key.into(), name: key.into() }),
        looks: sample.looks,
        previews: &previews,
        links: &links(sample.experiment.status().has_started() && session.is_some()),
        currency: &Currency::new("GBP", 2),
        as_of_ms: AS_OF_MS,
    })
}
