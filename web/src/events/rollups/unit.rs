//! One unit in one experiment: its row, opened and closed.

use experiments::{Metric, arm::UnitTallies, metric::Tally};
use serde::{Deserialize, Serialize};

use super::clicks::Clicks;
use crate::store::UnitRow;

/// Is what a row's JSON holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Did {
    /// A tally for each metric.
    #[serde(rename = "t", default)]
    tallies: Vec<Tally>,
    /// What the unit had done before, for each metric.
    #[serde(rename = "p", default)]
    pasts: Vec<i64>,
    /// The segments it counts in.
    #[serde(rename = "s", default)]
    segments: Vec<String>,
    /// What it clicked on on shelves.
    #[serde(rename = "c", default, skip_serializing_if = "Clicks::is_empty")]
    clicks: Clicks,
    /// Whether it is another unit by now, with all it did.
    #[serde(rename = "m", default, skip_serializing_if = "std::ops::Not::not")]
    is_merged: bool,
}

/// Is a unit in an experiment.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub variation: u32,
    pub exposed_at_ms: i64,
    pub is_crossed: bool,
    pub is_merged: bool,
    pub did: UnitTallies,
    pub segments: Vec<String>,
    pub clicks: Clicks,
}

impl Unit {
    /// Opens a row. One that cannot be read is reported and begins anew, until the roll-ups are rebuilt.
    pub fn open(row: &UnitRow, metrics: &[Metric]) -> Self {
        let Did { mut tallies, mut pasts, segments, clicks, is_merged } =
            serde_json::from_str(&row.did).unwrap_or_default();
        tallies.extend(metrics.iter().skip(tallies.len()).map(Metric::nothing));
        pasts.resize(metrics.len(), 0);
        Self {
            variation: row.variation,
            exposed_at_ms: row.exposed_at_ms,
            is_crossed: row.is_crossed,
            is_merged,
            did: UnitTallies { tallies, pasts },
            segments,
            clicks,
        }
    }

    /// Reports whether it counts in an arm.
    pub fn counts(&self) -> bool {
        !self.is_crossed && !self.is_merged
    }

    /// Writes the row of a unit in an experiment.
    pub fn close(self, experiment: String, unit: cart_core::VisitorId) -> UnitRow {
        let Self { variation, exposed_at_ms, is_crossed, is_merged, did, segments, clicks } = self;
        let did = Did { tallies: did.tallies, pasts: did.pasts, segments, clicks, is_merged };
        let did = serde_json::to_string(&did).expect("numbers and texts are JSON");
        UnitRow { experiment, unit, variation, exposed_at_ms, is_crossed, did }
    }
}
