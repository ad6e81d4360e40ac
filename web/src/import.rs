//! Importing what a shop already has: tables of products and orders, with the bad rows told apart from the good.

pub mod orders;
pub mod products;
pub mod purses;
pub mod returns;
pub mod row;
pub mod stock;
pub mod table;

use std::collections::BTreeMap;

/// Is what became of a table.
#[derive(Debug, Default)]
pub struct Report {
    /// Rows read.
    pub rows: u64,
    /// Rows passed over because their SKU is on the list of those to skip.
    pub skipped: u64,
    /// Rows left out: their number in the file, from 1 without the header, and the reason.
    pub bad: Vec<(u64, String)>,
    /// What came of the rest, by name.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Report {
    /// Counts something that came of the rows.
    pub fn count(&mut self, what: &'static str, by: u64) {
        *self.counts.entry(what).or_default() += by;
    }
}
