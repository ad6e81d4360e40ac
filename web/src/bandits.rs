//! Draws the weights of bandits again when their epochs are over, in one process at a time.

use std::time::Duration;

use actix_web::web::Data;
use dashboards::Revision;
use experiments::{Experiment, Status, redraw::halted};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    clock,
    problem::Problem,
    results,
    revisions::{self, Saved, write},
    shop::Shop,
    store::StoreError,
};

/// The lease under which one process at a time draws.
pub const LEASE: &str = "bandits";
/// Who the history says drew them.
pub const NAME: &str = "bandit";
/// How often it is looked whether an epoch is over: epochs are hours long.
const PERIOD: Duration = Duration::from_secs(2);

/// Returns when the present epoch of a bandit began: when it first ran, or when its weights were last drawn.
pub fn epoch_since_ms(history: &[Revision]) -> Option<i64> {
    let mut since: Option<(usize, i64)> = None;
    for revision in history {
        let Some(definition) = &revision.definition else { continue };
        let epoch =
            definition.draws().map(|draws| draws.epoch()).filter(|_| definition.status().has_started());
        if let Some(epoch) = epoch.filter(|epoch| since.is_none_or(|(known, _)| known != *epoch)) {
            since = Some((epoch, revision.at_ms));
        }
    }
    since.map(|(_, at_ms)| at_ms)
}

/// Draws, for ever.
pub async fn run(shop: Data<Shop>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let definitions = shop.definitions.get();
        let is_bandit = |one: &&Experiment| one.status() == Status::Running && one.draws().is_some();
        for experiment in definitions.experiments().iter().filter(is_bandit) {
            let Some(stored) = definitions.stored(experiment.key()) else { continue };
            if let Err(problem) = draw(&shop, experiment, stored.revision, clock::now_ms()).await {
                let why = problem.detail();
                tracing::warn!(experiment = experiment.key(), why, "a bandit's weights could not be drawn");
            }
        }
    }
}

/// Begins a bandit's next epoch where the present one is over and long enough; weights that must stay say why to whoever looks.
async fn draw(shop: &Shop, experiment: &Experiment, revision: u64, now_ms: i64) -> Result<(), Problem> {
    let history = revisions::of(shop, experiment.key()).await?;
    let due_at_ms = epoch_since_ms(&history).and_then(|since_ms| experiment.draw_due_at_ms(since_ms));
    if due_at_ms.is_none_or(|due_at_ms| now_ms < due_at_ms) {
        return Ok(());
    }
    let results::Results { epochs, analysis, .. } = results::of(shop, experiment).await?;
    // Its page says so, until somebody has looked at it.
    if halted(&analysis).is_some() {
        return Ok(());
    }
    let metric = shop.experiment_metrics.get(experiment.primary_metric());
    let next = metric.and_then(|metric| experiment.redrawn(&metric, &epochs, now_ms).ok());
    let Some(next) = next else { return Ok(()) };
    let epoch = next.draws().map_or(0, |draws| draws.epoch());
    let reason = format!("Epoch {} begins: weights were drawn again from the results so far.", epoch + 1);
    match write(shop, &next, Some(revision), Saved { by: NAME, reason: &reason }).await {
        // Somebody has changed it meanwhile: the next look decides anew.
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
