//! From exposed to analysed: how many units are left out, why, and whether that is fair to all variations.

use serde::Serialize;

use super::ExperimentPage;
use crate::figure::{count, p_value};

/// Below this chance a rule takes units from the variations unevenly.
const UNEVEN_BELOW: f64 = 0.001;

/// Counts the units that are left out for one reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeftOut {
    /// The reason: `crossed`, `robot`, `staff`.
    pub reason: String,
    /// The units.
    pub units: u64,
    /// p-value of "they are split as planned"; `None` where there are none.
    pub p_of_split: Option<f64>,
}

#[derive(Serialize)]
pub(super) struct View {
    rows: Vec<Row>,
    warning: Option<String>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    units: String,
    note: String,
}

pub(super) fn view(page: &ExperimentPage<'_>) -> View {
    let analysed: u64 = page.analysis.arms.iter().map(|arm| arm.units).sum();
    let left: u64 = page.left_out.iter().map(|left| left.units).sum();
    let row = |name: &str, units: u64, note: String| Row { name: name.into(), units: count(units), note };
    let mut rows = vec![row("Exposed", analysed + left, "units that met the difference".into())];
    rows.extend(page.left_out.iter().map(|left| {
        let (name, why) = told(&left.reason);
        let split = left.p_of_split.map(|p| format!("; split as planned, p\u{a0}{}", p_value(p)));
        row(&format!("− {name}"), left.units, format!("{why}{}", split.unwrap_or_default()))
    }));
    rows.push(row("Analysed", analysed, "units that the numbers above are made of".into()));
    let uneven = |left: &&LeftOut| left.p_of_split.is_some_and(|p| p < UNEVEN_BELOW);
    let warning = page.left_out.iter().find(uneven).map(|left| {
        format!(
            "{} are left out of some variations more than of others, which would not happen if the rule had nothing to do with \
             the variation. Find out why before you trust the numbers.",
            told(&left.reason).0
        )
    });
    View { rows, warning }
}

fn told(reason: &str) -> (String, &'static str) {
    match reason {
        "crossed" => (
            "Crossed over".into(),
            "one person who met two variations, such as on two devices before logging in",
        ),
        "robot" => ("Robots".into(), "programs that say so, such as crawlers and monitors"),
        "staff" => ("Staff".into(), "browsers that have been signed in here"),
        other => (format!("Left out ({other})"), "as the program that reported them says"),
    }
}
