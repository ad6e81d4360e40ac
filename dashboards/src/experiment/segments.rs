//! The effect in segments: weeks since the start, weekdays, and what is known of the visitors.

use experiments::Verdict;
use experiments::verdict::{SegmentRow, Segments};
use serde::Serialize;

use super::ExperimentPage;
use super::forest::Lift;
use crate::chart::{IntervalBar, widest};
use crate::figure::{count, p_value, signed_percent};

/// Below this chance the effect is taken to differ between segments.
const DIFFERS_BELOW: f64 = 0.01;

/// Is one way to divide the units.
#[derive(Debug, Clone)]
pub struct Dimension {
    /// Its name: `week`, `weekday`, or that of an attribute.
    pub name: String,
    /// What each treatment does in each segment.
    pub segments: Vec<Segments>,
}

#[derive(Serialize)]
pub(super) struct View<'a> {
    id: String,
    heading: String,
    sentence: String,
    rows: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    units: String,
    lift: Lift,
}

/// Shows dimensions in which at least two segments can be compared.
pub(super) fn views<'a>(page: &'a ExperimentPage<'_>) -> Vec<View<'a>> {
    if is_hidden(page) {
        return vec![];
    }
    let of = |dimension: &'a Dimension| {
        let shown = dimension.segments.iter().filter(|segments| segments.rows.len() > 1);
        shown.map(move |segments| view(page, dimension, segments))
    };
    page.dimensions.iter().flat_map(of).collect()
}

/// Whether nothing may be seen of them: before a planned look they would tell what the whole must not.
fn is_hidden(page: &ExperimentPage<'_>) -> bool {
    matches!(page.analysis.verdict, Verdict::NotRead { .. })
}

/// Says why there are no segments, or whom they leave out.
pub(super) fn note(page: &ExperimentPage<'_>) -> Option<&'static str> {
    let waits =
        page.analysis.arms.iter().any(|arm| arm.values.first().is_some_and(|value| value.units < arm.units));
    let is_told =
        page.dimensions.iter().flat_map(|one| &one.segments).any(|segments| segments.rows.len() > 1);
    let is_some_off = page.splits.iter().any(|part| part.split.is_mismatch);
    match page.experiment.draws() {
        _ if page.is_mismatch() => None,
        _ if is_hidden(page) => Some("Parts are not read before the planned look, as the whole is not."),
        _ if is_some_off => Some(
            "Parts that are not split as planned are left out: what they seem to show may be whom they lost. See the check of the split.",
        ),
        Some(_) if is_told => Some(
            "Each part is read epoch by epoch, as the whole is, so that weights which moved make no difference between its variations.",
        ),
        Some(_) if page.dimensions.is_empty() && page.analysis.arms.iter().any(|arm| arm.units > 0) => Some(
            "This is not told of this bandit: its first visitors came before parts were counted by epoch, and without that the weights \
             that moved would seem to be a difference. Bandits that start from now on tell it.",
        ),
        Some(_) => None,
        None if is_told && page.analysis.method.is_scheduled() => Some(
            "For orientation: parts are read as they stand now, by intervals that hold at every look. The verdict stands by the planned looks alone.",
        ),
        None => (waits && is_told).then_some("Visitors whose days are not over yet are left out here, too."),
    }
}

fn view<'a>(page: &'a ExperimentPage<'_>, dimension: &'a Dimension, segments: &'a Segments) -> View<'a> {
    let analysis = page.analysis;
    let title = match dimension.name.as_str() {
        "week" => "By week since the start".to_owned(),
        "weekday" => "By weekday".to_owned(),
        name => format!("By {}", name.replace('_', " ")),
    };
    let heading = match analysis.arms.len() {
        ..3 => title,
        _ => format!("{title}: {}", analysis.arms[segments.variation].name),
    };
    let reach = widest(segments.rows.iter().map(|row| &row.lift));
    View {
        id: format!("segments-{}-{}", dimension.name, segments.variation),
        heading,
        sentence: sentence(dimension, segments),
        rows: segments.rows.iter().map(|row| row_of(page, row, reach)).collect(),
    }
}

fn sentence(dimension: &Dimension, segments: &Segments) -> String {
    let p = segments.p_of_same_effect.unwrap_or(1.0);
    let differs = p < DIFFERS_BELOW;
    let found = match (dimension.name.as_str(), differs) {
        ("week", true) => {
            "The effect changes with time: it may wear off once visitors are used to it, or grow as they learn"
        }
        ("week", false) => "The effect does not change with time, as far as can be told",
        (_, true) => "The effect is not the same in all of them",
        (_, false) => "The effect is the same in all of them, as far as can be told",
    };
    format!(
        "{found} (one look, p\u{a0}{}, corrected for all ways to divide). Intervals hold in all parts together, whatever they are \
         divided by.",
        p_value(p)
    )
}

fn row_of<'a>(page: &ExperimentPage<'_>, row: &'a SegmentRow, reach: f64) -> Row<'a> {
    let is_up = row.lift.value > 0.0;
    let is_good = is_up == matches!(page.analysis.primary().better, experiments::bayes::Better::Higher);
    let tone = match row.is_significant {
        false => "calm",
        true if is_good => "good",
        true => "bad",
    };
    let mark = row.is_significant.then_some(if is_good { "better" } else { "worse" });
    Row {
        name: &row.name,
        units: count(row.units),
        lift: Lift {
            tone,
            value: signed_percent(row.lift.value),
            range: format!("{} to {}", signed_percent(row.lift.lower), signed_percent(row.lift.upper)),
            bar: IntervalBar::draw(&row.lift, reach, tone),
            mark,
            icon: row.is_significant.then_some(if is_up { "up" } else { "down" }),
        },
    }
}
