//! Metrics that were added after the start: their sums beside those of the others.

use std::collections::BTreeMap;

use dashboards::Uncounted;
use experiments::{ArmSums, Experiment, Metric};

use super::corrupt;
use crate::{
    experiment_metrics::ExperimentMetrics,
    problem::Problem,
    store::{ArmRow, LookRow, RolledUp, late_key},
};

/// Is a late metric of which all units are counted.
pub(super) struct Counted {
    pub key: String,
    pub metric: Metric,
}

/// Holds the late metrics of an experiment: those that are counted, and those that are not.
pub(super) struct Late {
    pub counted: Vec<Counted>,
    pub uncounted: Vec<Uncounted>,
}

/// Tells the late metrics of an experiment apart, where the roll-ups have come to a position.
pub(super) fn of(
    metrics: &ExperimentMetrics,
    experiment: &Experiment,
    rolled: &RolledUp,
    cursor: u64,
) -> Result<Late, Problem> {
    let has_units = rolled.experiments.iter().any(|row| row.experiment == experiment.key());
    let of_all = units(rolled, experiment.key())?;
    let mut found = Late { counted: vec![], uncounted: vec![] };
    for late in experiment.late_metrics() {
        let key = late_key(experiment.key(), &late.metric);
        let named = metrics.get(&late.metric);
        let row = rolled.experiments.iter().find(|row| row.experiment == key);
        let kept: Option<Vec<Metric>> =
            row.map(|row| serde_json::from_str(&row.metrics)).transpose().map_err(|error| corrupt(&error))?;
        // Nobody has met an experiment without units: there is nothing to catch up on.
        let metric = kept.and_then(|mut kept| kept.pop()).or_else(|| named.clone().filter(|_| !has_units));
        let is_behind = row.is_some_and(|row| row.position.is_some_and(|position| position < cursor));
        // What is no longer in the outbox cannot be counted any more.
        let is_short = row.is_some() && !is_behind && units(rolled, &key)? != of_all;
        match metric {
            Some(metric) if !is_behind && !is_short => found.counted.push(Counted { key, metric }),
            _ => found.uncounted.push(Uncounted {
                name: named.map_or_else(|| late.metric.clone(), |metric| metric.name().to_owned()),
                added_at_ms: late.added_at_ms,
                is_short,
            }),
        }
    }
    Ok(found)
}

/// The units of each whole arm.
fn units(rolled: &RolledUp, key: &str) -> Result<BTreeMap<u32, u64>, Problem> {
    let rows = rolled.arms.iter().filter(|row| row.experiment == key && row.segment.is_empty());
    let units = |row: &ArmRow| {
        Ok((row.variation, ArmSums::parse(&row.sums).map_err(|error| corrupt(&error))?.units()))
    };
    rows.map(units).filter(|units| !matches!(units, Ok((_, 0)))).collect()
}

/// Puts the sums of late metrics behind those of an experiment's `planned` metrics.
pub(super) fn beside(
    mut rolled: RolledUp,
    experiment: &Experiment,
    planned: usize,
    late: &[Counted],
) -> Result<RolledUp, Problem> {
    let sums = |rolled: &RolledUp, key: &str| -> BTreeMap<(String, u32), String> {
        let rows = rolled.arms.iter().filter(|row| row.experiment == key);
        rows.map(|row| ((row.segment.clone(), row.variation), row.sums.clone())).collect()
    };
    for (place, late) in late.iter().enumerate() {
        let of_late = sums(&rolled, &late.key);
        for row in rolled.arms.iter_mut().filter(|row| row.experiment == experiment.key()) {
            if let Some(text) = of_late.get(&(row.segment.clone(), row.variation)) {
                row.sums = joined(&row.sums, planned + place, text)?;
            }
        }
    }
    Ok(rolled)
}

/// Puts what a late metric was at each look behind what the others were.
pub(super) fn look_beside(looks: &mut [LookRow], place: usize, of_late: &[LookRow]) -> Result<(), Problem> {
    for look in looks {
        let Some(late) = of_late.iter().find(|late| late.units == look.units) else { continue };
        let arms = look.arms.lines().zip(late.arms.lines()).map(|(arm, late)| joined(arm, place, late));
        look.arms = arms.collect::<Result<Vec<_>, _>>()?.join("\n");
    }
    Ok(())
}

fn joined(sums: &str, place: usize, late: &str) -> Result<String, Problem> {
    let read = |text: &str| ArmSums::parse(text).map_err(|error| corrupt(&error));
    Ok(read(sums)?.beside(place, read(late)?).to_text())
}
