//! The outbox's rows, as readers meet them.

use cart_core::{CartId, VisitorId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

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
