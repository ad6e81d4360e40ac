//! What is on its way to sinks outside the shop, has arrived there or never will.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{OutboxEvent, Result};

/// The most tries of one delivery that are kept, the newest.
pub const TRIES_MAX: usize = 20;

/// Keeps deliveries. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait DeliveryStore: Send + Sync {
    /// Lets a reader that has no cursor begin at the end of the outbox: what happened before is not for it.
    async fn begin_cursor(&self, reader: &str) -> Result<()>;

    /// Inserts or replaces deliveries and moves a cursor over the events that they came from.
    ///
    /// # Errors
    /// [`StoreError::Conflict`](super::StoreError::Conflict) where the cursor is not where the step begins: another process did it.
    async fn save_deliveries(&self, step: &DeliveryStep) -> Result<()>;

    /// Returns waiting deliveries of a sink whose time has come, the longest due first, each with its event.
    async fn due_deliveries(
        &self,
        sink: &str,
        now_ms: i64,
        limit: usize,
    ) -> Result<Vec<(Delivery, OutboxEvent)>>;

    /// Returns deliveries of a sink, the one that changed last first.
    async fn deliveries(&self, sink: &str, wanted: &DeliveryQuery) -> Result<Vec<Delivery>>;

    /// Counts the deliveries of a sink that wait and those that are dead.
    async fn count_deliveries(&self, sink: &str) -> Result<DeliveryCounts>;

    /// Makes deliveries of a sink due at `now_ms`, whatever became of them, their tries counted anew: the one of a
    /// position, or all dead ones. Returns how many.
    async fn redeliver(&self, sink: &str, position: Option<u64>, now_ms: i64) -> Result<u64>;

    /// Forgets deliveries of a sink that changed last before some time, arrived ones and others apart, and arrived ones
    /// beyond the newest `keep`. Returns how many.
    async fn forget_deliveries(&self, sink: &str, before: &Forgetting) -> Result<u64>;
}

/// Says how far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It failed and will be tried again.
    Waiting,
    /// It arrived.
    Delivered,
    /// It failed for good, until somebody sends it again.
    Dead,
}

impl DeliveryState {
    /// Lists all states.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Dead];

    /// Returns the name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// Finds a state by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Is one try of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Try {
    /// When it began, in Unix milliseconds.
    pub at_ms: i64,
    /// How long it took.
    pub took_ms: u64,
    /// The receiver's status, where it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What went wrong; none where it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Is an event on its way to a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The sink.
    pub sink: String,
    /// The event's place in the outbox; with the sink, the delivery's name.
    pub position: u64,
    /// The event's name in the world.
    pub event: Uuid,
    /// The event's type.
    pub kind: String,
    /// How far it has come.
    pub state: DeliveryState,
    /// Tries since it was sent first, or last sent again by hand.
    pub attempts: u32,
    /// When it is tried next, in Unix milliseconds, where it waits.
    pub due_at_ms: Option<i64>,
    /// When it changed last, in Unix milliseconds.
    pub changed_at_ms: i64,
    /// The newest tries, at most [`TRIES_MAX`], oldest first.
    pub tries: Vec<Try>,
}

/// Is one step of a sink's courier.
#[derive(Clone, Debug, Default)]
pub struct DeliveryStep {
    /// The cursor that moves, where the deliveries are first tries.
    pub moved: Option<CursorMove>,
    /// Deliveries to insert or replace.
    pub deliveries: Vec<Delivery>,
}

/// Moves a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorMove {
    /// The cursor's reader.
    pub reader: String,
    /// Where it must be.
    pub from: u64,
    /// Where it goes.
    pub to: u64,
}

/// Says which deliveries are wanted.
#[derive(Clone, Debug)]
pub struct DeliveryQuery {
    /// Only those in this state.
    pub state: Option<DeliveryState>,
    /// Only those that stand behind this one, by the time of its last change and its position.
    pub before: Option<(i64, u64)>,
    /// The most of them.
    pub limit: usize,
}

/// Counts deliveries of a sink.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryCounts {
    /// They will be tried again.
    pub waiting: u64,
    /// They will not.
    pub dead: u64,
}

/// Says what is forgotten.
#[derive(Clone, Copy, Debug)]
pub struct Forgetting {
    /// Arrived deliveries that changed last before, in Unix milliseconds.
    pub delivered_before_ms: i64,
    /// Other deliveries that changed last before, in Unix milliseconds.
    pub other_before_ms: i64,
    /// The most arrived deliveries of the sink that are kept.
    pub keep: usize,
}
