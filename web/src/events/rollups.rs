//! The roll-ups: events fold into units, arms and looks, from which the statistics are computed.
//!
//! An order counts when it is placed, and goes on counting where it is cancelled or refunded later: an experiment measures
//! what shoppers decided at the till, and its figures must not fall while they are looked at.
//!
//! The fold depends on nothing but the events in their order and the metrics that an experiment had when its first unit was
//! exposed, so a rebuild from position 0 gives the same rows, bit for bit. An event counts by its own time: one that
//! arrives late counts where it belongs, and an exposure that is reported late claims the orders since (other events before the
//! news of it are not kept). What arrives twice has been dropped by its id before.

mod clicks;
mod fold;
mod unit;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use cart_core::VisitorId;
use experiments::Metric;
use serde::Deserialize;

use self::clicks::feeds;
pub use self::{
    clicks::DERIVED,
    fold::{Fold, Known, Sums},
};
use super::reader::{ReadError, Reader};
use crate::{
    definitions::DefinitionsCell,
    experiment_metrics::ExperimentMetrics,
    store::{KNOWN, OutboxEvent, Store, StoreError},
};

/// The segment that counts the units that met two variations. What is left out for other reasons stands in brackets, too.
pub const CROSSED: &str = "(crossed)";

/// How a segment begins that counts the units which an experiment shares with another: `&checkout=1` are those that met variation
/// 1 of `checkout`, too. Only the metric that decides is summed.
pub const SHARED: char = '&';

/// How a segment begins that counts the units which a bandit assigned in one epoch: `~3`.
pub const EPOCH: char = '~';

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

/// Names the reader.
pub const READER: &str = "rollups";

/// Keeps the roll-ups of a store up to date.
pub struct RollUps {
    definitions: Arc<DefinitionsCell>,
    metrics: Arc<ExperimentMetrics>,
    /// What was rolled up when the cursor stood there: nobody else moves it while this process holds the lease.
    sums: Option<(u64, Sums)>,
}

impl RollUps {
    /// Rolls up the experiments of a shop.
    pub fn new(definitions: Arc<DefinitionsCell>, metrics: Arc<ExperimentMetrics>) -> Self {
        Self { definitions, metrics, sums: None }
    }

    /// Returns the metrics of experiments that the events name first.
    async fn fresh(
        &self,
        store: &dyn Store,
        sums: &Sums,
        events: &[OutboxEvent],
    ) -> Result<BTreeMap<String, Vec<Metric>>, StoreError> {
        #[derive(Deserialize)]
        struct Named {
            experiment: String,
        }
        let named = events.iter().filter(|event| event.kind == EXPOSURE);
        let keys = named.filter_map(|event| serde_json::from_str::<Named>(event.data.get()).ok());
        let fresh: BTreeSet<String> =
            keys.map(|named| named.experiment).filter(|key| !sums.knows(key)).collect();
        if !fresh.is_empty() {
            self.definitions.refresh(store).await?;
            self.metrics.refresh(store).await?;
        }
        let definitions = self.definitions.get();
        let of = |key: String| {
            let metrics = definitions.experiment(&key).map(|experiment| self.metrics.of(experiment));
            (key, metrics.filter(|metrics| !metrics.is_empty()).unwrap_or_else(|| self.metrics.unnamed("")))
        };
        Ok(fresh.into_iter().map(of).collect())
    }
}

const EXPOSURE: &str = "exposure_logged";

#[async_trait]
impl Reader for RollUps {
    fn name(&self) -> &'static str {
        READER
    }

    async fn take(&mut self, store: &dyn Store, from: u64, events: &[OutboxEvent]) -> Result<(), ReadError> {
        let Some(last) = events.last() else { return Ok(()) };
        // Taken out, so that a step that fails is done again from what the store holds.
        let mut sums = match self.sums.take() {
            Some((at, sums)) if at == from => sums,
            _ => Sums::open(store.rolled_up().await?),
        };
        let fresh = self.fresh(store, &sums, events).await?;
        let is_of_interest = |event: &&OutboxEvent| {
            matches!(event.kind.as_str(), EXPOSURE | "order_placed" | KNOWN)
                || sums.listens_to(&event.kind)
                || fresh.values().flatten().any(|metric| feeds(&event.kind, metric))
        };
        let events: Vec<&OutboxEvent> = events.iter().filter(is_of_interest).collect();
        let known = known(store, &events).await?;
        let mut fold = Fold::new(&mut sums, &fresh, known);
        events.into_iter().for_each(|event| fold.add(event));
        store.save_roll_up(&fold.into_step(from, last.position)).await?;
        self.sums = Some((last.position, sums));
        Ok(())
    }
}

/// Reads what the store knows of the units that events speak of.
async fn known(store: &dyn Store, events: &[&OutboxEvent]) -> Result<Known, StoreError> {
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
        let found = store.people(&asked).await?;
        asked = found.values().filter(|unit| !units.contains(*unit)).cloned().collect();
        units.extend(asked.iter().cloned());
        people.extend(found);
    }
    let exposed = events.iter().filter(|event| event.kind == EXPOSURE);
    let exposed: BTreeSet<VisitorId> = exposed.map(|event| fold::person(&people, &event.unit)).collect();
    let pasts = if exposed.is_empty() { vec![] } else { store.pasts(&exposed).await? };
    Ok(Known { units: store.units(&units).await?, pasts, people })
}
