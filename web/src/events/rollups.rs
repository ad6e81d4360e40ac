//! The roll-ups: events fold into units, arms and looks, from which the statistics are computed.
//!
//! An order counts when it is placed, and goes on counting where it is cancelled or refunded later: an experiment measures
//! what shoppers decided at the till, and its figures must not fall while they are looked at.
//!
//! The fold depends on nothing but the events in their order and the metrics that an experiment began with or was given later
//! ([`late_key`]), which its definition keeps as they were, so a rebuild from position 0 gives the same rows, bit for bit. An event counts by its own time: one that
//! arrives late counts where it belongs, and an exposure that is reported late claims the orders since (other events before the
//! news of it are not kept). What arrives twice has been dropped by its id before.

mod clicks;
mod fold;
mod late;
mod sums;
mod unit;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use cart_core::VisitorId;
use experiments::{Experiment, Metric, definition::LateMetric};
use serde::Deserialize;

pub use self::{
    clicks::DERIVED,
    fold::{Fold, Known},
    sums::Sums,
};
use self::{
    clicks::feeding,
    late::{Behind, Late},
};
use super::{
    reader::{ReadError, Reader},
    window::READ_EVENTS_MAX,
};
use crate::{
    definitions::DefinitionsCell,
    experiment_metrics::ExperimentMetrics,
    store::{
        ArmRow, KNOWN, LateStep, OutboxEvent, RollUp, RolledExperiment, RolledUp, Store, StoreError,
        late_key, readers,
    },
};

/// The segment that counts the units that met two variations. What is left out for other reasons stands in brackets, too.
pub const CROSSED: &str = "(crossed)";

/// How a segment begins that counts the units which a bandit assigned in one epoch: `~3`, and those of another segment among them:
/// `~3 device=phone`. Of the latter only the metric that decides is summed.
pub const EPOCH: char = '~';

/// How a segment begins that counts the units of another one which were exposed on one day: `@20422 device=phone`. An experiment
/// has them whose deciding metric leaves units out until their days are over, and only that metric is summed.
pub const DAILY: char = '@';

/// The first look at an experiment, in units over all arms.
const FIRST_LOOK_UNITS: u64 = 50;

/// Reports whether an experiment is looked at when it has this many units: every 50 at first, every 2 % later, so
/// that a chart of any length has some hundreds of points.
///
/// ```
/// # use web::events::rollups::is_look;
/// assert_eq!((1..=200).filter(|n| is_look(*n)).collect::<Vec<_>>(), [50, 100, 150, 200]);
/// assert!((1..=1_000_000).filter(|n| is_look(*n)).count() < 400);
/// ```
pub fn is_look(units: u64) -> bool {
    let mut look = FIRST_LOOK_UNITS;
    while look < units {
        look += (look / 50).max(FIRST_LOOK_UNITS);
    }
    look == units
}

/// Keeps the roll-ups of a store up to date.
pub struct RollUps {
    definitions: Arc<DefinitionsCell>,
    metrics: Arc<ExperimentMetrics>,
    /// What was rolled up when the cursor stood there: nobody else moves it while this process holds the lease.
    rolled: Option<Rolled>,
}

/// Is what is rolled up when the cursor stands at a position: what goes along with it, and what is counted behind it.
struct Rolled {
    at: u64,
    along: Sums,
    late: Late,
}

impl Rolled {
    fn open(at: u64, rolled: RolledUp) -> Self {
        let (late, along): (Vec<_>, Vec<_>) =
            rolled.experiments.into_iter().partition(|row| row.position.is_some());
        let is_late = |arm: &ArmRow| late.iter().any(|row| row.experiment == arm.experiment);
        let (of_late, of_along) = rolled.arms.into_iter().partition(is_late);
        Self {
            at,
            along: Sums::open(RolledUp { experiments: along, arms: of_along }),
            late: Late::open(RolledUp { experiments: late, arms: of_late }),
        }
    }

    fn knows(&self, key: &str) -> bool {
        self.along.knows(key) || self.late.knows(key)
    }
}

impl RollUps {
    /// Rolls up the experiments of a shop.
    pub fn new(definitions: Arc<DefinitionsCell>, metrics: Arc<ExperimentMetrics>) -> Self {
        Self { definitions, metrics, rolled: None }
    }

    /// Returns the metrics of experiments that the events name first, late ones under keys of their own.
    async fn fresh(
        &self,
        store: &dyn Store,
        rolled: &Rolled,
        events: &[OutboxEvent],
    ) -> Result<BTreeMap<String, Vec<Metric>>, StoreError> {
        #[derive(Deserialize)]
        struct Named {
            experiment: String,
        }
        let named = events.iter().filter(|event| event.kind == EXPOSURE);
        let keys = named.filter_map(|event| serde_json::from_str::<Named>(event.data.get()).ok());
        let fresh: BTreeSet<String> =
            keys.map(|named| named.experiment).filter(|key| !rolled.along.knows(key)).collect();
        if !fresh.is_empty() {
            self.definitions.refresh(store).await?;
            self.metrics.refresh(store).await?;
        }
        let definitions = self.definitions.get();
        let of = |key: String| {
            let experiment = definitions.experiment(&key);
            let metrics = experiment.map(|experiment| self.metrics.of(experiment));
            let metrics = metrics.filter(|metrics| !metrics.is_empty());
            let late = experiment.map_or_else(Vec::new, |experiment| self.late_of(experiment));
            let late = late.into_iter().map(|(key, metric)| (key, vec![metric]));
            std::iter::once((key, metrics.unwrap_or_else(|| self.metrics.unnamed("")))).chain(late)
        };
        let all = fresh.into_iter().flat_map(of);
        Ok(all.filter(|(key, _)| !rolled.knows(key)).collect())
    }

    /// The late metrics of an experiment, by the keys under which they are rolled up.
    fn late_of(&self, experiment: &Experiment) -> Vec<(String, Metric)> {
        let of = |late: &LateMetric| {
            let kept = experiment.kept_metric(&late.metric).cloned();
            Some((late_key(experiment.key(), &late.metric), kept.or_else(|| self.metrics.get(&late.metric))?))
        };
        experiment.late_metrics().iter().filter_map(of).collect()
    }

    /// Begins to count, from the beginning of the outbox, metrics that were added to experiments which have units.
    async fn begin(
        &self,
        store: &dyn Store,
        rolled: &mut Rolled,
    ) -> Result<Vec<RolledExperiment>, StoreError> {
        let mut begun = vec![];
        for experiment in self.definitions.get().experiments() {
            let is_new = |late: &LateMetric| !rolled.knows(&late_key(experiment.key(), &late.metric));
            if !rolled.along.knows(experiment.key()) || !experiment.late_metrics().iter().any(is_new) {
                continue;
            }
            let mut new = self.late_of(experiment);
            new.retain(|(key, _)| !rolled.knows(key));
            let rows = store.arms(experiment.key()).await?.experiments;
            let own = rows.into_iter().find(|row| row.experiment == experiment.key());
            let since_ms = own.map_or(0, |row| row.since_ms);
            for (key, metric) in new {
                let metrics = serde_json::Value::from_iter([metric.to_value()]).to_string();
                let row = RolledExperiment { experiment: key, metrics, since_ms, position: Some(0) };
                rolled.late.put(0, Sums::open(RolledUp { experiments: vec![row.clone()], arms: vec![] }));
                begun.push(row);
            }
        }
        Ok(begun)
    }

    /// Brings on what is counted behind the cursor.
    async fn catch_up(&self, store: &dyn Store, rolled: &mut Rolled) -> Result<(), StoreError> {
        let begun = self.begin(store, rolled).await?;
        let Some(Behind { from, until, mut sums }) = rolled.late.next(rolled.at) else { return Ok(()) };
        let kinds: Vec<&str> = ALWAYS.into_iter().chain(sums.kinds()).collect();
        let (events, looked) = store.outbox_through(&kinds, from, LOOK_EVENTS_MAX, READ_EVENTS_MAX).await?;
        let to = looked.min(until);
        let events: Vec<&OutboxEvent> = events.iter().filter(|event| event.position <= to).collect();
        let known = known(store, &events, from, |key| sums.knows(key)).await?;
        let none = BTreeMap::new();
        let mut fold = Fold::new(&mut sums, &none, known);
        events.into_iter().for_each(|event| fold.add(event));
        // Orders, people and sales have been noted where the cursor passed.
        let RollUp { units, arms, looks, .. } = fold.into_step(rolled.at, rolled.at);
        let step = |experiment: &String| LateStep { experiment: experiment.clone(), from, to: Some(to) };
        let late = sums.experiments().map(step).collect();
        let step = RollUp { experiments: begun, units, arms, looks, late, ..RollUp::at(rolled.at) };
        store.save_roll_up(&step).await?;
        rolled.late.put(to, sums);
        Ok(())
    }
}

const EXPOSURE: &str = "exposure_logged";
/// The types of events that may change what is summed whatever is counted.
const ALWAYS: [&str; 3] = [EXPOSURE, "order_placed", KNOWN];
/// The most events that are looked through at once for what counts: some hundredths of a second of the store's work.
const LOOK_EVENTS_MAX: usize = 100_000;

/// Reports whether an event may change what is summed.
fn is_of_interest(event: &OutboxEvent, sums: &Sums) -> bool {
    ALWAYS.contains(&event.kind.as_str()) || sums.listens_to(&event.kind)
}

#[async_trait]
impl Reader for RollUps {
    fn name(&self) -> &'static str {
        readers::ROLLUPS
    }

    async fn take(&mut self, store: &dyn Store, from: u64, events: &[OutboxEvent]) -> Result<(), ReadError> {
        let Some(last) = events.last() else { return Ok(()) };
        // Taken out, so that a step that fails is done again from what the store holds.
        let mut rolled = match self.rolled.take() {
            Some(rolled) if rolled.at == from => rolled,
            _ => Rolled::open(from, store.rolled_up().await?),
        };
        let joined = rolled.late.join(from, &mut rolled.along);
        let fresh = self.fresh(store, &rolled, events).await?;
        let is_of_interest = |event: &&OutboxEvent| {
            is_of_interest(event, &rolled.along)
                || fresh.values().flatten().flat_map(feeding).any(|kind| kind == event.kind)
        };
        let events: Vec<&OutboxEvent> = events.iter().filter(is_of_interest).collect();
        let known = known(store, &events, from, |key| !rolled.late.knows(key)).await?;
        let mut fold = Fold::new(&mut rolled.along, &fresh, known);
        events.into_iter().for_each(|event| fold.add(event));
        let step = RollUp { late: joined, ..fold.into_step(from, last.position) };
        store.save_roll_up(&step).await?;
        self.rolled = Some(Rolled { at: last.position, ..rolled });
        Ok(())
    }

    async fn rest(&mut self, store: &dyn Store) -> Result<(), ReadError> {
        let mut rolled = match self.rolled.take() {
            Some(rolled) => rolled,
            None => Rolled::open(store.cursor(readers::ROLLUPS).await?, store.rolled_up().await?),
        };
        self.catch_up(store, &mut rolled).await?;
        self.rolled = Some(rolled);
        Ok(())
    }
}

/// Reads what the store knew at a position of the units that events speak of, in the experiments that are asked for.
async fn known(
    store: &dyn Store,
    events: &[&OutboxEvent],
    at: u64,
    is_asked_for: impl Fn(&str) -> bool,
) -> Result<Known, StoreError> {
    #[derive(Deserialize)]
    struct Other {
        unit: VisitorId,
    }
    let mut units: BTreeSet<VisitorId> = events.iter().map(|event| event.unit.clone()).collect();
    if units.is_empty() {
        return Ok(Known::default());
    }
    let known = events.iter().filter(|event| event.kind == KNOWN);
    units.extend(known.filter_map(|event| Some(serde_json::from_str::<Other>(event.data.get()).ok()?.unit)));
    let mut people = BTreeMap::new();
    let mut asked = units.clone();
    while !asked.is_empty() {
        let found = store.people(&asked, at).await?;
        asked = found.values().filter(|unit| !units.contains(*unit)).cloned().collect();
        units.extend(asked.iter().cloned());
        people.extend(found);
    }
    let exposed = events.iter().filter(|event| event.kind == EXPOSURE);
    let exposed: BTreeSet<VisitorId> = exposed.map(|event| fold::person(&people, &event.unit)).collect();
    let pasts = if exposed.is_empty() { vec![] } else { store.pasts(&exposed, at).await? };
    let mut units = store.units(&units).await?;
    units.retain(|row| is_asked_for(&row.experiment));
    Ok(Known { units, pasts, people })
}

#[cfg(test)]
mod tests;
