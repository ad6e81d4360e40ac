//! The weights of a bandit: what they are, how they moved, and when they move next.

use experiments::bandit::Policy;
use experiments::definition::WHOLE_BP;
use experiments::redraw::{EPOCH_UNITS_MIN, Epoch, halted};
use experiments::{ArmSums, Status};
use serde::Serialize;

use super::ExperimentPage;
use crate::chart::{Layout, SharesChart, Step};
use crate::figure::{count, counted, percent};
use crate::moment::Moment;

#[derive(Serialize)]
pub(super) struct View<'a> {
    sentence: String,
    due: Option<Moment>,
    /// Why none are drawn at all, until somebody has looked.
    halted: Option<String>,
    /// What the present epoch waits for where it should be over.
    waits: Option<String>,
    rows: Vec<Row<'a>>,
    charts: Vec<SharesChart>,
    epochs: Vec<EpochView>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    first: String,
    now: String,
    average: String,
    units: String,
}

#[derive(Serialize)]
struct EpochView {
    number: u64,
    from: Option<Moment>,
    weights: Vec<String>,
    units: String,
}

/// Returns what there is to say of a bandit that has started.
pub(super) fn view<'a>(page: &'a ExperimentPage<'_>) -> Option<View<'a>> {
    let experiment = page.experiment;
    let draws = experiment.draws().filter(|_| experiment.status().has_started())?;
    let (first, now) = (page.epochs.first()?, page.epochs.last()?);
    let share = |weight_bp: u32| f64::from(weight_bp) / f64::from(WHOLE_BP);
    let names: Vec<&str> = experiment.variations().iter().map(|one| one.name()).collect();
    let row = |(index, &name): (usize, &&'a str)| Row {
        name,
        first: percent(share(first.weights_bp[index])),
        now: percent(share(now.weights_bp[index])),
        average: page.analysis.arms.get(index).map_or_else(String::new, |arm| percent(arm.weight)),
        units: count(now.arms[index].units()),
    };
    let steps = steps(page);
    let title = "The share of visitors that each variation got, over time";
    let draw = |layout| SharesChart::draw("weights", &steps, &names, title, layout);
    let of_policy = match draws.policy {
        Policy::Thompson => "its chance to be the best (Thompson sampling)",
        Policy::TopTwo => "its chance to be among the two best (top-two sampling)",
    };
    let sentence = format!(
        "This is a bandit: every {} the weights are drawn again, so that each variation gets new visitors by {of_policy}, and at \
         least {} of them. Who has met a variation counts for that one, and an open cart keeps its workflow.",
        counted(draws.every_hours.into(), "hour").trim_start_matches("1\u{a0}").trim_start_matches("1 "),
        percent(share(draws.floor_bp)),
    );
    let due = page.draw_due_at_ms;
    let is_late = due.is_some_and(|due_at_ms| due_at_ms <= page.as_of_ms);
    let short = now.arms.iter().zip(&names).find(|(arm, _)| arm.units() < EPOCH_UNITS_MIN);
    let waits = short.filter(|_| is_late).map(|(arm, name)| {
        format!("the draw waits until each variation has {EPOCH_UNITS_MIN} visitors since the last one; {name} has {}", count(arm.units()))
    });
    let is_running = experiment.status() == Status::Running;
    let halted = halted(page.analysis).filter(|_| is_running).map(|why| why.to_string());
    Some(View {
        sentence,
        due: due.filter(|_| !is_late && halted.is_none()).map(Moment::of),
        halted,
        waits: waits.or_else(|| {
            is_late.then(|| "the draw waits until each variation has 100 visitors, of whom some count towards the deciding metric and some do not".into())
        }),
        rows: names.iter().enumerate().map(row).collect(),
        charts: [Layout::Wide, Layout::Narrow].into_iter().filter_map(draw).collect(),
        epochs: epochs(page.epochs, &steps),
    })
}

/// The times of the epochs: each begins where the one before ended.
fn steps(page: &ExperimentPage<'_>) -> Vec<Step> {
    let mut from_ms = page.started_at_ms.unwrap_or(page.as_of_ms);
    let end_ms = page.stopped_at_ms.unwrap_or(page.as_of_ms);
    let mut steps = vec![];
    for epoch in page.epochs {
        let until_ms = epoch.until_ms.unwrap_or(end_ms).max(from_ms);
        let share = |weight_bp: &u32| f64::from(*weight_bp) / f64::from(WHOLE_BP);
        steps.push(Step { from_ms, until_ms, shares: epoch.weights_bp.iter().map(share).collect() });
        from_ms = until_ms;
    }
    steps
}

/// The epochs as a table, the newest first.
fn epochs(epochs: &[Epoch], steps: &[Step]) -> Vec<EpochView> {
    let view = |((number, epoch), step): ((u64, &Epoch), &Step)| EpochView {
        number,
        from: Some(Moment::of(step.from_ms)),
        weights: step.shares.iter().map(|share| percent(*share)).collect(),
        units: count(epoch.arms.iter().map(ArmSums::units).sum()),
    };
    let mut views: Vec<EpochView> = (1..).zip(epochs).zip(steps).map(view).collect();
    views.reverse();
    views
}
