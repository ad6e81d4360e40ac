//! The list of experiments.

use super::sample::Sample;
use super::states::{experiments, interaction, rivals};
use super::{AS_OF_MS, DAY_MS, HOSTILE, session};
use crate::money::Currency;
use crate::overview::{ExperimentRow, Overview, Search, ShopFigures};

/// The list of experiments, and the shop's figures.
pub fn overview() -> Overview {
    let row = |(_, sample): &(&str, Sample)| ExperimentRow {
        key: sample.experiment.key().into(),
        name: sample.experiment.name().into(),
        status: sample.experiment.status(),
        shipped: sample.experiment.rollout().map(|index| sample.experiment.variations()[index].name().into()),
        units: sample.analysis.arms.iter().map(|arm| arm.units).sum(),
        verdict: Some(sample.analysis.verdict.clone()),
        sentence: sample.analysis.sentence.clone(),
        learned: sample.experiment.learned().into(),
        started_at_ms: (sample.experiment.status().has_started()).then_some(AS_OF_MS - 14 * DAY_MS),
    };
    let shown: Vec<(&str, Sample)> = experiments()
        .into_iter()
        .filter(|(name, _)| {
            !matches!(
                *name,
                "first-look"
                    | "hostile"
                    | "ramping"
                    | "ramp-held"
                    | "behind"
                    | "off-on-phones"
                    | "beside"
                    | "refused"
            )
        })
        .collect();
    Overview {
        session: session(),
        notice: None,
        search: Search::default(),
        owners: vec!["mara".into()],
        flags: vec!["checkout_workflow".into()],
        archived: 2,
        shop: ShopFigures {
            orders: 3_412,
            revenue_minor: 14_103_296,
            carts: 51_877,
            currency: Currency::new("GBP", 2),
        },
        experiments: shown.iter().map(row).collect(),
        running: rivals(),
        interactions: vec![interaction()],
        as_of_ms: AS_OF_MS,
    }
}

/// Returns the list of a shop without experiments.
pub fn empty_overview() -> Overview {
    Overview {
        shop: ShopFigures { orders: 0, revenue_minor: 0, carts: 0, currency: Currency::new("JPY", 0) },
        experiments: Vec::new(),
        archived: 0,
        ..overview()
    }
}

/// Returns what a search finds, and one that finds nothing.
pub fn searches() -> [Overview; 2] {
    let search = |q: &str| Search { q: q.into(), status: "stopped".into(), ..Search::default() };
    let found = overview().experiments.into_iter().filter(|row| row.status.is_over()).collect();
    [
        Overview { search: search("checkout"), experiments: found, ..overview() },
        Overview { search: search(HOSTILE), experiments: Vec::new(), ..overview() },
    ]
}
