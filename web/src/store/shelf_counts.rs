//! The rows that are derived from the outbox for the shelves' page.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart_core::VisitorId;

use super::Result;

/// Keeps what is derived from the events about shelves. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait ShelfCountStore: Send + Sync {
    /// Reads the last clicks of some units.
    async fn shelf_clicks(&self, units: &BTreeSet<VisitorId>) -> Result<Vec<ShelfClick>>;

    /// Reads the clicks of some showings that two algorithms share.
    async fn shelf_duels(&self, showings: &BTreeSet<String>) -> Result<Vec<ShelfDuel>>;

    /// Sums the counts of the days from one to another, both included.
    async fn shelf_counts(&self, from_day: i64, to_day: i64) -> Result<ShelfCounts>;

    /// Writes a step and moves the cursor (reader `shelves`).
    ///
    /// # Errors
    /// [`StoreError::Conflict`](super::StoreError::Conflict) where the cursor is not `step.from`: another process did this step.
    async fn save_shelf_step(&self, step: &ShelfStep) -> Result<()>;

    /// Empties the counts and sets their cursor to 0, so that they are made again.
    async fn reset_shelf_counts(&self) -> Result<()>;
}

/// Is the last click of a unit on a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShelfClick {
    /// The unit.
    pub unit: VisitorId,
    /// The product.
    pub sku: String,
    /// The shelf it stood on.
    pub shelf: String,
    /// The algorithm that put it there.
    pub algorithm: String,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
    /// Whether it has led to an addition to the cart.
    pub is_added: bool,
    /// Whether it has led to an order.
    pub is_ordered: bool,
}

/// Is how often a showing was clicked on that two algorithms share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShelfDuel {
    /// The showing.
    pub showing: String,
    /// Clicks on what the algorithm put there whose name sorts first.
    pub clicks: u64,
    /// Clicks on what the other one put there.
    pub clicks_against: u64,
    /// When it was clicked on last, in Unix milliseconds.
    pub at_ms: i64,
}

/// Says what is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShelfCount {
    /// The shelf.
    pub shelf: String,
    /// The algorithm.
    pub algorithm: String,
    /// What was done.
    pub what: String,
    /// To what: a SKU, a currency, another algorithm, or nothing.
    pub of: String,
}

/// Are counts of some days together.
pub type ShelfCounts = BTreeMap<ShelfCount, i64>;

/// Is one step of the counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShelfStep {
    /// Where the cursor must be.
    pub from: u64,
    /// Where the cursor goes.
    pub to: u64,
    /// Clicks to insert or replace.
    pub clicks: Vec<ShelfClick>,
    /// Units whose clicks are another's now.
    pub gone: BTreeSet<VisitorId>,
    /// Showings to insert or replace.
    pub duels: Vec<ShelfDuel>,
    /// What is to be added to the counts of each day.
    pub counts: BTreeMap<(i64, ShelfCount), i64>,
    /// Clicks before this time lead to nothing any more, and are forgotten.
    pub forget_before_ms: i64,
}
