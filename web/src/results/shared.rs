//! Experiments that share units: from roll-ups to interactions.

use std::collections::BTreeMap;

use experiments::{
    ArmSums, Experiment, Plan, Status,
    arm::caps,
    interaction::{Interaction, Shared, interactions},
};

use super::{corrupt, plan};
use crate::{
    definitions::Definitions,
    experiment_metrics::ExperimentMetrics,
    problem::Problem,
    store::{RolledUp, SHARED, Store},
};

/// Compares all pairs of running experiments, and those of one more, which may be over. A draft has none.
///
/// # Errors
/// Where the store does not answer, or holds rows that fit no experiment.
pub async fn of(
    store: &dyn Store,
    metrics: &ExperimentMetrics,
    definitions: &Definitions,
    one_more: Option<&str>,
) -> Result<Vec<Interaction>, Problem> {
    let is_compared = |experiment: &&Experiment| {
        let is_named = one_more == Some(experiment.key()) && experiment.status().has_started();
        // In a bandit who shares it changes with its weights, so that a difference may be one of days.
        experiment.draws().is_none() && (experiment.status() == Status::Running || is_named)
    };
    let compared: Vec<&Experiment> = definitions.experiments().iter().filter(is_compared).collect();
    if compared.len() < 2 {
        return Ok(vec![]);
    }
    let rolled = store.shared_arms().await?;
    let mut pairs: Vec<(&str, Plan, Vec<Shared>)> = vec![];
    for experiment in &compared {
        let plan = plan(metrics, experiment, &rolled)?;
        // Which units of these are complete is not known.
        if plan.primary_metric().complete_after_ms().is_none() {
            let shared = shared(&rolled, experiment, &plan, &compared)?;
            pairs.push((experiment.key(), plan, shared));
        }
    }
    Ok(interactions(pairs.iter().map(|(key, plan, shared)| (*key, plan, shared.as_slice()))))
}

/// The units that an experiment shares with others.
fn shared(
    rolled: &RolledUp,
    experiment: &Experiment,
    plan: &Plan,
    others: &[&Experiment],
) -> Result<Vec<Shared>, Problem> {
    let mut found: BTreeMap<&str, Vec<Vec<ArmSums>>> = BTreeMap::new();
    for row in rolled.arms.iter().filter(|row| row.experiment == experiment.key()) {
        let named = row.segment.strip_prefix(SHARED).and_then(|segment| segment.rsplit_once('='));
        let Some((other, variation)) = named else { continue };
        let Some(other) = others.iter().find(|one| one.key() == other) else { continue };
        let none = || vec![vec![ArmSums::default(); experiment.variations().len()]; other.variations().len()];
        let arms = found.entry(other.key()).or_insert_with(none);
        let cell = variation.parse().ok().and_then(|variation: usize| arms.get_mut(variation));
        if let Some(sums) = cell.and_then(|arms| arms.get_mut(row.variation as usize)) {
            *sums = ArmSums::parse(&row.sums).map_err(|error| corrupt(&error))?;
        }
    }
    for arms in found.values_mut() {
        let caps = caps(&[plan.primary_metric()], arms.iter().flatten());
        arms.iter_mut().flatten().for_each(|arm| arm.cap(&caps));
    }
    Ok(found.into_iter().map(|(other, arms)| Shared { other: other.to_owned(), arms }).collect())
}
