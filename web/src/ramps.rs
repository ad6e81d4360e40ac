//! Takes the steps of ramps when they are due, in one process at a time.

use std::time::Duration;

use actix_web::web::Data;
use experiments::{Experiment, Status, definition::WHOLE_BP};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    clock,
    problem::Problem,
    results,
    revisions::{self, Saved, step_due_at_ms, write},
    shop::Shop,
    store::StoreError,
    storefront::cart::sentence,
};

/// The lease under which one process at a time takes steps.
pub const LEASE: &str = "ramps";
/// Who the history says took them.
pub const NAME: &str = "ramp schedule";
/// How often it is looked whether a step is due: steps are hours apart.
const PERIOD: Duration = Duration::from_secs(2);
/// After how many such looks the numbers are weighed although no step is due, which takes more time: what is wrong stands
/// in the history before anybody waits for a step.
const WEIGHED_EVERY: u64 = 5;

/// Takes steps, and says when a hold begins and ends, for ever.
pub async fn run(shop: Data<Shop>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for look in 0_u64.. {
        ticks.tick().await;
        let definitions = shop.definitions.get();
        let rising = definitions.experiments().iter().filter(|experiment| {
            let is_rising = experiment.next_step().is_some() || experiment.held().is_some();
            experiment.status() == Status::Running && is_rising
        });
        for experiment in rising {
            let Some(stored) = definitions.stored(experiment.key()) else { continue };
            let is_weighed = look.is_multiple_of(WEIGHED_EVERY);
            if let Err(problem) = step(&shop, experiment, stored.revision, is_weighed, clock::now_ms()).await
            {
                let why = problem.detail();
                tracing::warn!(experiment = experiment.key(), why, "a step of a ramp could not be taken");
            }
        }
    }
}

/// Brings a ramp on by one entry of its history: a hold that begins or ends, or else the step that is due where none holds it.
async fn step(
    shop: &Shop,
    experiment: &Experiment,
    revision: u64,
    is_weighed: bool,
    now_ms: i64,
) -> Result<(), Problem> {
    let history = revisions::of(shop, experiment.key()).await?;
    let is_due = step_due_at_ms(experiment, &history).is_some_and(|due_at_ms| now_ms >= due_at_ms);
    if !is_due && !is_weighed {
        return Ok(());
    }
    let analysis = results::of(shop, experiment).await?.analysis;
    let (next, reason) = match experiment.weighed(&analysis, shop.definitions.get().experiments(), now_ms) {
        Some(next) => {
            let reason = said(&next);
            (next, reason)
        }
        None if is_due && experiment.held().is_none() => {
            let raised = experiment.clone().raised();
            let percent = f64::from(raised.coverage_bp()) / f64::from(WHOLE_BP) * 100.0;
            (raised, format!("The step to {percent} % was due."))
        }
        None => return Ok(()),
    };
    match write(shop, &next, Some(revision), Saved { by: NAME, reason: &reason }).await {
        // Somebody, or another node, has changed it meanwhile: the next look decides anew.
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Says why a hold has begun, or has ended.
fn said(next: &Experiment) -> String {
    match next.held() {
        Some(held) => sentence(&held.why),
        None if next.next_step().is_none() => "There is no step left to take.".into(),
        None => "Nothing is wrong any more.".into(),
    }
}
