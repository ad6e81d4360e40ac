//! Takes the steps of ramps when they are due, in one process at a time.

use std::time::Duration;

use actix_web::web::Data;
use experiments::{Experiment, Status, definition::WHOLE_BP, ramp};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    admin::{
        experiments::{Saved, history, step_due_at_ms, write},
        results,
    },
    clock,
    problem::Problem,
    shop::Shop,
    store::StoreError,
};

/// The lease under which one process at a time takes steps.
pub const LEASE: &str = "ramps";
/// Who the history says took them.
pub const NAME: &str = "ramp schedule";
/// How often it is looked whether a step is due: steps are hours apart.
const PERIOD: Duration = Duration::from_secs(2);

/// Takes steps for ever.
pub async fn run(shop: Data<Shop>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let definitions = shop.definitions.get();
        let rising = definitions
            .experiments()
            .iter()
            .filter(|experiment| experiment.status() == Status::Running && experiment.next_step().is_some());
        for experiment in rising {
            let Some(stored) = definitions.stored(experiment.key()) else { continue };
            if let Err(problem) = step(&shop, experiment, stored.revision, clock::now_ms()).await {
                let why = problem.detail();
                tracing::warn!(experiment = experiment.key(), why, "a step of a ramp could not be taken");
            }
        }
    }
}

/// Takes the next step of an experiment at a revision where it is due and nothing holds it.
async fn step(shop: &Shop, experiment: &Experiment, revision: u64, now_ms: i64) -> Result<(), Problem> {
    let history = history(shop, experiment.key()).await?;
    if step_due_at_ms(experiment, &history).is_none_or(|due_at_ms| now_ms < due_at_ms) {
        return Ok(());
    }
    let analysis = results::of(shop, experiment).await?.analysis;
    if let Some(hold) = ramp::hold(experiment, &analysis, shop.definitions.get().experiments()) {
        tracing::debug!(experiment = experiment.key(), %hold, "a ramp is held");
        return Ok(());
    }
    let raised = experiment.clone().raised();
    let percent = f64::from(raised.coverage_bp()) / f64::from(WHOLE_BP) * 100.0;
    let reason = format!("The step to {percent} % was due.");
    match write(shop, &raised, Some(revision), Saved { by: NAME, reason: &reason }).await {
        // Somebody has changed it meanwhile: the next look decides anew.
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
