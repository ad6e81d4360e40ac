//! The rows of experiments.

use async_trait::async_trait;
use cart_core::{Sku, VisitorId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{EventWrite, Result};
use crate::circumstances::EXCLUDED;

/// Keeps definitions of experiments, their history and who was exposed to them. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait ExperimentStore: Send + Sync {
    /// Returns all definitions where their common revision differs from `known`.
    async fn definitions(&self, known: u64) -> Result<Option<StoredDefinitions>>;

    /// Saves a definition as the next revision of its key and keeps the earlier one in the history.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the key's revision is not `expected` (`None`: the key must be new).
    async fn save_definition(&self, experiment: &StoredExperiment, expected: Option<u64>) -> Result<u64>;

    /// Writes the features that were imported over those before; the caller has checked them. The revision of the
    /// definitions moves in the same transaction.
    async fn put_features(&self, features: &StoredFeatures) -> Result<()>;

    /// Returns every revision of a key, the oldest first.
    async fn history(&self, key: &str) -> Result<Vec<StoredExperiment>>;

    /// Logs exposures that are not logged yet, each with its `exposure_logged` event, and after them what programs have
    /// measured, without what has an id that was logged already or stands twice. All of it, or nothing, so that a report of
    /// both may be sent again.
    async fn report(&self, exposures: &[Exposure], events: &[TrackedEvent]) -> Result<Reported>;

    /// Logs exposures alone, as [`ExperimentStore::report`]; returns the new ones.
    async fn expose(&self, exposures: &[Exposure]) -> Result<Vec<Exposure>> {
        Ok(self.report(exposures, &[]).await?.exposed)
    }

    /// Logs events alone, as [`ExperimentStore::report`]; returns how many are new.
    async fn track(&self, events: &[TrackedEvent]) -> Result<u64> {
        Ok(self.report(&[], events).await?.tracked)
    }

    /// Forgets ids of tracked events that happened before `before_ms`; returns how many.
    async fn forget_tracked(&self, before_ms: i64) -> Result<u64>;
}

/// Is one revision of a definition as stored: its JSON, not yet parsed, and who saved it why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredExperiment {
    /// The experiment's key.
    pub key: String,
    /// The key's revision, from 1.
    pub revision: u64,
    /// The definition as JSON.
    pub definition: String,
    /// When this revision was saved, in Unix milliseconds.
    pub saved_at_ms: i64,
    /// Who saved it: a name of the dashboards, or what the server calls itself where it acts on its own.
    pub saved_by: String,
    /// Why, in the words of whoever saved it; empty where nobody was asked.
    pub reason: String,
}

/// Is the whole set of definitions at one revision.
#[derive(Clone, Debug, Default)]
pub struct StoredDefinitions {
    /// Grows with every save of any key.
    pub revision: u64,
    /// All experiments by key.
    pub experiments: Vec<StoredExperiment>,
    /// What was imported beside them, if anything ever was.
    pub features: Option<StoredFeatures>,
}

/// Is a GrowthBook payload as it was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFeatures {
    /// Its text.
    pub text: String,
    /// When it was imported, in Unix milliseconds.
    pub saved_at_ms: i64,
}

/// Says that a unit met a variation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// The experiment's key.
    pub experiment: String,
    /// The variation's position, from 0.
    pub variation: u32,
    /// Who met it.
    pub unit: VisitorId,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
    /// What is known of the unit's circumstances, such as its device.
    #[serde(default)]
    pub attributes: Map<String, Value>,
}

impl Exposure {
    /// Reports whether the unit counts, rather than being a robot or one of the shop's own people.
    pub fn counts(&self) -> bool {
        !self.attributes.contains_key(EXCLUDED)
    }

    /// Returns the data of its `exposure_logged` event.
    pub fn data(&self) -> String {
        let mut data = json!({"experiment": self.experiment, "variation": self.variation});
        if !self.attributes.is_empty() {
            data["attributes"] = self.attributes.clone().into();
        }
        data.to_string()
    }
}

/// Is what was new of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    /// The exposures, in order.
    pub exposed: Vec<Exposure>,
    /// How many events.
    pub tracked: u64,
}

/// The type of what other programs have measured.
pub const TRACKED: &str = "event_tracked";
/// The type of what says as which unit a visitor is known.
pub const KNOWN: &str = "visitor_known";
/// The type of what says that somebody looked at a product.
pub const VIEWED: &str = "product_viewed";

/// Is something that happened to a unit outside a cart, such as what another program has measured.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackedEvent {
    /// Its type, such as [`TRACKED`] or [`VIEWED`].
    pub kind: &'static str,
    /// Names it to the program that sent it.
    pub id: Option<Uuid>,
    /// Whom it is about.
    pub unit: VisitorId,
    /// When it happened, in Unix milliseconds.
    pub at_ms: i64,
    /// What was measured, a JSON object.
    pub data: String,
}

impl TrackedEvent {
    /// Says that a visitor is known as another unit since they logged in: one person.
    pub fn known(visitor: &VisitorId, unit: &VisitorId, at_ms: i64) -> Self {
        let data = json!({"unit": unit}).to_string();
        Self { kind: KNOWN, id: None, unit: visitor.clone(), at_ms, data }
    }

    /// Says that a unit looked at a product; `source` tells where.
    pub fn viewed(unit: &VisitorId, sku: &Sku, source: &str, at_ms: i64) -> Self {
        let data = json!({"sku": sku, "source": source}).to_string();
        Self { kind: VIEWED, id: None, unit: unit.clone(), at_ms, data }
    }

    /// Makes what the outbox holds of it.
    pub fn to_write(&self) -> EventWrite {
        EventWrite {
            id: Uuid::new_v4(),
            at_ms: self.at_ms,
            kind: self.kind,
            cart: None,
            unit: self.unit.clone(),
            data: self.data.clone(),
        }
    }
}
