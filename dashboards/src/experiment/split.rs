//! The check of the split, in words and numbers.

use experiments::Analysis;
use experiments::sample_ratio::PartSplit;
use serde::Serialize;

use super::ExperimentPage;

use crate::figure::{NONE, count, counted, p_cell, p_value, percent, short_percent, signed};

/// Holds the split of one segment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SegmentSplit {
    /// The dimension: `week`, `weekday`, or the name of an attribute.
    pub dimension: String,
    /// The segment.
    pub segment: String,
    /// Its split.
    #[serde(flatten)]
    pub split: PartSplit,
}

#[derive(Serialize)]
pub(super) struct View<'a> {
    tone: &'static str,
    icon: &'static str,
    label: &'static str,
    sentence: String,
    rows: Vec<Row<'a>>,
    /// What the same check found in parts of the visitors; none of them checked, nothing said.
    parts: Option<String>,
    faults: Vec<Fault<'a>>,
}

/// A part whose split is not the planned one.
#[derive(Serialize)]
struct Fault<'a> {
    dimension: String,
    segment: &'a str,
    units: String,
    planned: String,
    p: String,
    cause: String,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    planned: String,
    seen: String,
    expected: String,
    units: String,
    difference: String,
}

pub(super) fn view<'a>(page: &'a ExperimentPage<'_>) -> View<'a> {
    let analysis = page.analysis;
    let check = &analysis.sample_ratio;
    let units: u64 = analysis.arms.iter().map(|arm| arm.units).sum();
    let (p, threshold) = (p_value(check.sequential_p), check.threshold);
    let (tone, icon, label, sentence) = if units == 0 {
        ("calm", "wait", "No units yet", "There is nothing to check before the first visitor.".to_owned())
    } else if check.is_mismatch {
        (
            "alarm",
            "warning",
            "No",
            format!(
                "If visitors were split as planned, a split this far off would ever be seen with a chance below {} \
                 (sequential test, p\u{a0}{p}). So some are lost or counted twice, and the verdict is withheld.",
                short_percent(threshold)
            ),
        )
    } else {
        (
            "good",
            "check",
            "Yes",
            format!(
                "The difference from the plan is what chance alone brings (sequential test, p\u{a0}{p}). The verdict would be \
                 withheld below {threshold}; that holds however often this is read."
            ),
        )
    };
    let faults: Vec<Fault<'a>> =
        page.splits.iter().filter(|part| part.split.is_mismatch).map(fault).collect();
    let parts = (!page.splits.is_empty()).then(|| told_of_parts(page, faults.len()));
    View { tone, icon, label, sentence, rows: rows(analysis, units), parts, faults }
}

fn told_of_parts(page: &ExperimentPage<'_>, faults: usize) -> String {
    let parts = counted(page.splits.len() as u64, "part");
    match (faults, page.is_mismatch()) {
        (0, false) => format!(
            "The same holds in each of {parts} of the visitors that were checked: weeks, weekdays, and what is known of them."
        ),
        (0, true) => format!(
            "None of {parts} of the visitors (weeks, weekdays, and what is known of them) is off by itself: the cause is \
             everywhere alike."
        ),
        (_, false) => format!(
            "Of {parts} of the visitors that were checked, these are not split as planned. The verdict stands, since all together \
             are; but do not read these parts by themselves, and find the cause."
        ),
        (_, true) => format!(
            "Of {parts} of the visitors that were checked, it is these that are off: look there first."
        ),
    }
}

fn fault(part: &SegmentSplit) -> Fault<'_> {
    let name = part.dimension.replace('_', " ");
    let cause = match part.dimension.as_str() {
        "week" => "Something changed then: a release, an outage, a cache. Compare the dates with the history below.".into(),
        "weekday" => "Something runs on that day only: a campaign that links to one variation, a robot, a nightly job.".into(),
        "device" => "One variation may fail or be slow there, so that visitors leave before they are counted. Compare errors and \
                     page latency."
            .into(),
        _ => format!("Something that goes with the {name} loses visitors of one variation: a redirect, a cache, a blocked script."),
    };
    let in_all = |arms: Vec<String>| arms.join(" : ");
    Fault {
        dimension: name,
        segment: &part.segment,
        units: in_all(part.split.units.iter().map(|units| count(*units)).collect()),
        planned: in_all(part.split.expected.iter().map(|units| count(units.round() as u64)).collect()),
        p: p_cell(part.split.adjusted_p),
        cause,
    }
}

fn rows(analysis: &Analysis, units: u64) -> Vec<Row<'_>> {
    let arms = analysis.arms.iter().zip(&analysis.sample_ratio.expected);
    arms.map(|(arm, &expected)| Row {
        name: &arm.name,
        planned: short_percent(arm.weight),
        seen: if units == 0 { NONE.into() } else { percent(arm.units as f64 / units as f64) },
        expected: count(expected.round().max(0.0) as u64),
        units: count(arm.units),
        difference: signed(arm.units as f64 - expected, 0),
    })
    .collect()
}
