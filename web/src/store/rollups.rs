//! The rows that are derived from the outbox for the statistics.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use cart_core::{Sku, VisitorId};

use super::Result;

/// How a segment begins that counts the units which an experiment shares with another: `&checkout=1` are those that met variation
/// 1 of `checkout`, too. Only the metric that decides is summed.
pub const SHARED: char = '&';

/// What stands between an experiment and a metric in the key under which a late metric is rolled up; it stands in no other key.
pub const LATE: char = '\u{1f}';

/// Returns the key under which a metric is rolled up that was added to an experiment.
pub fn late_key(experiment: &str, metric: &str) -> String {
    format!("{experiment}{LATE}{metric}")
}

/// Keeps what is derived from the events for the experiments' results. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait RollUpStore: Send + Sync {
    /// Reads the roll-up rows of some units, over all experiments.
    async fn units(&self, units: &BTreeSet<VisitorId>) -> Result<Vec<UnitRow>>;

    /// Reads what is rolled up of all experiments: their metrics, and the sums of every arm and segment.
    async fn rolled_up(&self) -> Result<RolledUp>;

    /// Reads the sums of an experiment's arms and segments, and those of its late metrics
    /// ([`late_key`]).
    async fn arms(&self, experiment: &str) -> Result<RolledUp>;

    /// Reads the sums of the whole arms of every experiment.
    async fn whole_arms(&self) -> Result<RolledUp>;

    /// Reads the sums of the units that experiments share ([`SHARED`]).
    async fn shared_arms(&self) -> Result<RolledUp>;

    /// Reads the looks of an experiment in order.
    async fn looks(&self, experiment: &str) -> Result<Vec<LookRow>>;

    /// Reads the looks of some experiments, each one's in order.
    async fn looks_of(&self, experiments: &[&str]) -> Result<Vec<LookRow>>;

    /// Reads the orders of some units up to a position, each unit's in the order of the outbox.
    async fn pasts(&self, units: &BTreeSet<VisitorId>, until: u64) -> Result<Vec<PastRow>>;

    /// Says as which units some visitors were known at a position, since they had logged in; who had not is left out.
    async fn people(
        &self,
        visitors: &BTreeSet<VisitorId>,
        until: u64,
    ) -> Result<BTreeMap<VisitorId, VisitorId>>;

    /// Sums the pieces of each product that were ordered on a day, counted from 1970-01-01 in UTC, or later.
    async fn sales_since(&self, day: i64) -> Result<HashMap<Sku, u64>>;

    /// Writes a step of the roll-ups and moves their cursor (reader `rollups`).
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the cursor is not `roll_up.from`, or something late is not where it was: another process did
    /// this step.
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
    /// Whether it has met another variation, too: it then counts in no arm.
    pub is_crossed: bool,
    /// What it did, as JSON.
    pub did: String,
}

/// Names the metrics of an experiment as they were when its first unit was exposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolledExperiment {
    /// The experiment's key.
    pub experiment: String,
    /// The metrics as a JSON array, the one that decides first.
    pub metrics: String,
    /// When the first unit was exposed, in Unix milliseconds.
    pub since_ms: i64,
    /// How far its events are counted, where that is behind the cursor; `None` where it goes along.
    pub position: Option<u64>,
}

/// Says how far something has come that is counted behind the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateStep {
    /// The key under which it is rolled up.
    pub experiment: String,
    /// Where it must be.
    pub from: u64,
    /// Where it goes; `None` where it goes along with the cursor from now on.
    pub to: Option<u64>,
}

/// Says as which unit a visitor is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// The visitor.
    pub visitor: VisitorId,
    /// The unit.
    pub unit: VisitorId,
    /// The place in the outbox of the event that said so.
    pub position: u64,
}

/// Sums the units of one arm, or of one segment of it. All sums are whole numbers, so a rebuild gives the same ones, bit
/// for bit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArmRow {
    /// The experiment's key.
    pub experiment: String,
    /// The segment, such as `device=phone`; empty for the whole arm.
    pub segment: String,
    /// The variation.
    pub variation: u32,
    /// The sums, as [`experiments::ArmSums::to_text`] writes them.
    pub sums: String,
}

/// Is what is rolled up of some experiments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RolledUp {
    /// Their metrics, by key.
    pub experiments: Vec<RolledExperiment>,
    /// Their arms and segments, by key, segment and variation.
    pub arms: Vec<ArmRow>,
}

/// Is an order of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRow {
    /// The unit.
    pub unit: VisitorId,
    /// The event's place in the outbox.
    pub position: u64,
    /// When it was placed, in Unix milliseconds.
    pub at_ms: i64,
    /// The event's data.
    pub data: String,
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
    /// The sums of the arms by variation, each on a line of its own.
    pub arms: String,
}

/// Is one step of the roll-ups.
#[derive(Clone, Debug, Default)]
pub struct RollUp {
    /// Where the cursor must be.
    pub from: u64,
    /// Where the cursor goes.
    pub to: u64,
    /// Experiments whose first units were exposed.
    pub experiments: Vec<RolledExperiment>,
    /// Units to insert or replace.
    pub units: Vec<UnitRow>,
    /// Arms to insert or replace.
    pub arms: Vec<ArmRow>,
    /// Looks to insert; one that stands already stays.
    pub looks: Vec<LookRow>,
    /// Orders to insert.
    pub pasts: Vec<PastRow>,
    /// Visitors that are known as a unit; one that is known already stays.
    pub people: Vec<PersonRow>,
    /// What is counted behind the cursor.
    pub late: Vec<LateStep>,
    /// Pieces ordered, by day and product, to be added to those that stand.
    pub sales: BTreeMap<(i64, Sku), u64>,
}

impl RollUp {
    /// Begins a step that leaves the cursor where it is.
    pub fn at(cursor: u64) -> Self {
        Self { from: cursor, to: cursor, ..Self::default() }
    }
}
