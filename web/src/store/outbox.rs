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

    /// Looks through the next `through` events after a position; returns those of some types, in order, at most `limit`, and the
    /// position up to which it looked, which is never one before which another may still appear.
    async fn outbox_through(
        &self,
        kinds: &[&str],
        position: u64,
        through: usize,
        limit: usize,
    ) -> Result<(Vec<OutboxEvent>, u64)>;

    /// Returns the events of some types that a place does not know, in order, at most `limit`, and the place that does. What has
    /// appeared comes at once, and again when nothing can appear before it any more: for those to whom to be told twice, or in
    /// another order, is the same.
    async fn outbox_of(
        &self,
        kinds: &[&str],
        place: Place,
        limit: usize,
    ) -> Result<(Vec<OutboxEvent>, Place)>;

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

/// Is how far somebody has come who does not wait for what may still appear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Nothing that is not known will appear up to here.
    pub settled: u64,
    /// What had appeared up to here is known; more may appear before it.
    pub ahead: u64,
}

impl Place {
    /// Returns the place after `limit` events at the most were read up to `end`, the last of which is at `last`.
    pub(super) fn after(self, end: u64, last: Option<u64>, is_whole: bool) -> Self {
        let settled = if is_whole { end } else { last.map_or(end, |last| last.min(end)) };
        let settled = settled.max(self.settled);
        Self { settled, ahead: self.ahead.max(settled).max(last.unwrap_or(0)) }
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
