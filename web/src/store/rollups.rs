//! The rows that are derived from the outbox for the statistics.

use cart_core::VisitorId;

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
}
