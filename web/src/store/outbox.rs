//! The outbox's rows, as readers meet them.

use async_trait::async_trait;
use cart_core::{CartId, VisitorId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::Result;

/// Gives the events to their readers, and remembers how far each has come. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait OutboxStore: Send + Sync {
    /// Returns events after a position, in order, at most `limit`; never one before which another may still appear.
    async fn outbox_after(&self, position: u64, limit: usize) -> Result<Vec<OutboxEvent>>;

    /// Returns the events of some types after a position, as [`OutboxStore::outbox_after`], and how far was looked for them.
    async fn outbox_of(&self, kinds: &[&str], position: u64, limit: usize) -> Result<Stretch>;

    /// Returns the position that the newest `count` events follow; 0 where there are no more than that.
    async fn outbox_before(&self, count: u64) -> Result<u64>;

    /// Returns how far a reader has come; 0 for a new one.
    async fn cursor(&self, reader: &str) -> Result<u64>;

    /// Notes how far a reader has come.
    async fn set_cursor(&self, reader: &str, position: u64) -> Result<()>;

    /// Takes or renews the lease of a reader for a process until `until_ms`; answers whether the process holds it. So
    /// one process at a time runs a reader, and another takes over when it dies.
    async fn lease(&self, reader: &str, process: &str, now_ms: i64, until_ms: i64) -> Result<bool>;

    /// Counts the events a reader has yet to read; counting stops at `at_most`.
    async fn outbox_lag(&self, reader: &str, at_most: u64) -> Result<u64>;
}

/// Is what a stretch of the outbox holds of some types of events.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    /// The events, in order.
    pub events: Vec<OutboxEvent>,
    /// Where it ends: nothing of these types up to there is missing, nor will appear there any more.
    pub through: u64,
}

impl Stretch {
    /// Returns the stretch between two positions of which at most `limit` events were read: it ends with the last of so many.
    pub(super) fn read(events: Vec<OutboxEvent>, limit: usize, from: u64, to: u64) -> Self {
        let last = events.last().filter(|_| events.len() >= limit);
        let through = last.map_or(to, |event| event.position).max(from);
        Self { events, through }
    }
}

/// Is one event with its place; serialised, a line of an event file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutboxEvent {
    /// Its place in the one order of all events; grows, with gaps.
    pub position: u64,
    /// Its name in the world.
    pub id: Uuid,
    /// When it happened, in Unix milliseconds.
    pub at_ms: i64,
    /// Its type, past tense.
    #[serde(rename = "type")]
    pub kind: String,
    /// The cart it is about.
    pub cart: Option<CartId>,
    /// The unit it is about.
    pub unit: VisitorId,
    /// Its data, a JSON object.
    pub data: Box<RawValue>,
}
