//! The rows that are derived from the outbox for the statistics.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use cart_core::{Sku, VisitorId};

use super::Result;

/// Keeps what is derived from the events for the experiments' results. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait RollUpStore: Send + Sync {
    /// Reads the roll-up rows of some units, over all experiments.
    async fn units(&self, units: &BTreeSet<VisitorId>) -> Result<Vec<UnitRow>>;

    /// Reads the totals of every experiment's arms, by experiment key.
    async fn arms(&self) -> Result<BTreeMap<String, Vec<ArmRow>>>;

    /// Reads the looks of an experiment in order.
    async fn looks(&self, experiment: &str) -> Result<Vec<LookRow>>;

    /// Sums the pieces of each product that were ordered on a day, counted from 1970-01-01 in UTC, or later.
    async fn sales_since(&self, day: i64) -> Result<HashMap<Sku, u64>>;

    /// Writes a step of the roll-ups and moves their cursor (reader `rollups`).
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the cursor is not `roll_up.from`: another process did this step.
    async fn save_roll_up(&self, roll_up: &RollUp) -> Result<()>;

    /// Empties the roll-ups and sets their cursor to 0, so that they are rebuilt.
    async fn reset_roll_ups(&self) -> Result<()>;
}

/// Is what one unit did in one experiment since it was exposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitRow {
    /// The experiment's key.
    pub experiment: String,
    /// The unit.
    pub unit: VisitorId,
    /// The variation it met first.
    pub variation: u32,
    /// When, in Unix milliseconds.
    pub exposed_at_ms: i64,
    /// Orders since then.
    pub orders: u32,
    /// Their revenue in minor units.
    pub revenue_minor: i64,
}

/// Sums the units of one arm. All sums are whole numbers, so a rebuild gives the same ones, bit for bit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArmRow {
    /// The experiment's key.
    pub experiment: String,
    /// The variation.
    pub variation: u32,
    /// Units exposed.
    pub units: u64,
    /// Units with an order.
    pub conversions: u64,
    /// Orders.
    pub orders: u64,
    /// Revenue in minor units.
    pub revenue_minor: i64,
    /// The sum over units of the square of their revenue; stored as decimal text.
    pub revenue_squares: i128,
}

/// Is the state of all arms when an experiment had some number of units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookRow {
    /// The experiment's key.
    pub experiment: String,
    /// Units over all arms; the looks' order.
    pub units: u64,
    /// The time of the event that led to it, in Unix milliseconds.
    pub at_ms: i64,
    /// The arms as a JSON array of `[units, conversions, revenue_minor, "revenue_squares"]` by variation.
    pub arms: String,
}

/// Is one step of the roll-ups.
#[derive(Clone, Debug, Default)]
pub struct RollUp {
    /// Where the cursor must be.
    pub from: u64,
    /// Where the cursor goes.
    pub to: u64,
    /// Units to insert or replace.
    pub units: Vec<UnitRow>,
    /// Arms to insert or replace.
    pub arms: Vec<ArmRow>,
    /// Looks to insert; one that stands already stays.
    pub looks: Vec<LookRow>,
    /// Pieces ordered, by day and product, to be added to those that stand.
    pub sales: BTreeMap<(i64, Sku), u64>,
}
