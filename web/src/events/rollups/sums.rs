//! What is rolled up of experiments, opened: their metrics, and the sums of their arms.

use std::collections::BTreeMap;

use experiments::{ArmSums, Metric};

use super::clicks::feeding;
use crate::store::{ArmRow, LATE, RolledUp};

/// The key of an arm's sums: experiment, segment, variation.
pub(super) type ArmKey = (String, String, u32);

/// Is what is rolled up of all experiments, opened.
#[derive(Debug, Default)]
pub struct Sums {
    /// The metrics of each.
    pub(super) experiments: BTreeMap<String, Vec<Metric>>,
    /// What the units of each arm did, whole and in segments.
    pub(super) arms: BTreeMap<ArmKey, ArmSums>,
}

impl Sums {
    /// Opens the rows; one that cannot be read is reported and begins anew, until the roll-ups are rebuilt.
    pub fn open(rolled: RolledUp) -> Self {
        let mut sums = Self::default();
        for row in rolled.experiments {
            match serde_json::from_str::<Vec<Metric>>(&row.metrics) {
                Ok(metrics) => _ = sums.experiments.insert(row.experiment, metrics),
                Err(error) => tracing::error!(row.experiment, %error, "its metrics cannot be read"),
            }
        }
        for ArmRow { experiment, segment, variation, sums: text } in rolled.arms {
            match ArmSums::parse(&text) {
                Ok(arm) => _ = sums.arms.insert((experiment, segment, variation), arm),
                Err(error) => {
                    tracing::error!(experiment, segment, variation, %error, "an arm cannot be read")
                }
            }
        }
        sums
    }

    /// Reports whether an experiment has units.
    pub fn knows(&self, experiment: &str) -> bool {
        self.experiments.contains_key(experiment)
    }

    /// Lists the keys of experiments that have units.
    pub(super) fn experiments(&self) -> impl Iterator<Item = &String> {
        self.experiments.keys()
    }

    /// Takes in the sums of other experiments.
    pub(super) fn absorb(&mut self, other: Self) {
        self.experiments.extend(other.experiments);
        self.arms.extend(other.arms);
    }

    /// Reports whether some experiment counts events of a type, or what it makes of them.
    pub fn listens_to(&self, kind: &str) -> bool {
        self.kinds().any(|fed| fed == kind)
    }

    /// Reports whether a metric of some experiment adjusts its numbers by events of a type that came before. Late metrics do not count:
    /// when they are added is no event, so that nobody who counts again could know what they had kept.
    pub fn looks_back_at(&self, kind: &str) -> bool {
        let planned = self.experiments.iter().filter(|(key, _)| !key.contains(LATE));
        planned
            .flat_map(|(_, metrics)| metrics)
            .any(|metric| metric.is_number_of_units() && metric.listens_to(kind))
    }

    /// Lists the types of events that experiments count, or make others of.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.experiments.values().flatten().flat_map(feeding)
    }
}
