//! The check of the split, in words and numbers.

use experiments::Analysis;
use serde::Serialize;

use crate::figure::{NONE, count, p_value, percent, short_percent, signed};

#[derive(Serialize)]
pub(super) struct View<'a> {
    tone: &'static str,
    icon: &'static str,
    label: &'static str,
    sentence: String,
    rows: Vec<Row<'a>>,
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

pub(super) fn view(analysis: &Analysis) -> View<'_> {
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
    View { tone, icon, label, sentence, rows: rows(analysis, units) }
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
