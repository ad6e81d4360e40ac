//! The levels of several products in several locations.

use std::collections::BTreeMap;

use super::{OnOffer, StockLevel, movements};
use crate::{CartEvent, LocationId, Product, Sku, location::Slot};

/// Is what the locations together have of a product.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Supply {
    /// Pieces that may be taken from the shelves.
    pub there: i64,
    /// Pieces that are missing until each location has as many as it should.
    pub lacking: i64,
    lacking_elsewhere: i64,
    owed_max: i64,
}

impl Supply {
    /// Counts a location in that has so many free pieces, or lacks them.
    pub fn add(&mut self, free: i64, owed_max: i64) {
        self.there += free.max(0);
        self.lacking += (-free).max(0);
        self.owed_max = self.owed_max.max(owed_max);
    }

    /// Counts in what a location lacks that sends nothing of this: it may be owed only once.
    pub fn add_elsewhere(&mut self, free: i64) {
        self.lacking_elsewhere += (-free).max(0);
    }

    /// Returns the pieces that may be had where at most `owed_max` may be owed in all locations together.
    pub fn obtainable(self, owed_max: u32) -> i64 {
        let owed_max = i64::from(owed_max).min(self.owed_max);
        self.there + (owed_max - self.lacking - self.lacking_elsewhere).max(0)
    }
}

/// Holds the levels that a decision may need; a product without an entry has no pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StockLevels(BTreeMap<Slot, StockLevel>);

impl StockLevels {
    /// Returns the pieces of a product that a cart may still take from the shelves.
    pub fn available(&self, sku: &Sku) -> i64 {
        self.supply(sku).there
    }

    /// Returns the pieces of a product that may be had where at most so many may be owed.
    pub fn obtainable(&self, sku: &Sku, owed_max: u32) -> i64 {
        self.supply(sku).obtainable(owed_max)
    }

    /// Returns the pieces of a product that one location can give, where all together may owe so many.
    pub(crate) fn obtainable_at(&self, slot: &Slot, owed_max: u32) -> i64 {
        let Some(level) = self.at(slot) else { return 0 };
        let lacking = self.supply(&slot.sku).lacking;
        level.free().max(0) + (i64::from(owed_max).min(level.owed_max) - lacking).max(0)
    }

    /// Sums what all known locations have.
    fn supply(&self, sku: &Sku) -> Supply {
        let mut supply = Supply::default();
        self.of(sku).for_each(|(_, level)| supply.add(level.free(), level.owed_max));
        supply
    }

    /// Returns the pieces of a product that may be bought; `None` where the shop never runs out.
    pub fn on_offer(&self, product: &Product, now_ms: i64) -> Option<OnOffer> {
        if product.bundle.is_some() {
            return self.bundles_on_offer(product, now_ms);
        }
        let supply = self.supply(&product.sku);
        let all = supply.obtainable(product.owed_max(now_ms));
        product.stock_policy.is_tracked().then_some(OnOffer { there: supply.there, all })
    }

    /// Returns the level of a product over all known locations, where one is known.
    pub fn get(&self, sku: &Sku) -> Option<StockLevel> {
        self.of(sku).map(|(_, level)| *level).reduce(|sum, level| StockLevel {
            supplied: sum.supplied + level.supplied,
            available: sum.available + level.available,
            held: sum.held + level.held,
            sold: sum.sold + level.sold,
            safety: sum.safety + level.safety,
            owed_max: sum.owed_max.max(level.owed_max),
        })
    }

    /// Returns the level of a product in one location, where it is known.
    pub fn at(&self, slot: &Slot) -> Option<StockLevel> {
        self.0.get(slot).copied()
    }

    /// Visits the locations that keep a product, the main one first.
    pub fn of(&self, sku: &Sku) -> impl Iterator<Item = (&LocationId, &StockLevel)> {
        let levels = self.0.range(Slot::from(sku.clone())..);
        levels.take_while(move |(slot, _)| slot.sku == *sku).map(|(slot, level)| (&slot.location, level))
    }

    /// Keeps the levels of some locations only.
    #[must_use]
    pub fn within(mut self, locations: &[LocationId]) -> Self {
        self.0.retain(|slot, _| locations.contains(&slot.location));
        self
    }

    /// Visits the rows whose levels are known, in order.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.0.keys()
    }

    /// Sets the level of a product: in the main location, where none is said.
    pub fn insert(&mut self, slot: impl Into<Slot>, level: StockLevel) {
        self.0.insert(slot.into(), level);
    }

    /// Moves the pieces that an event moves.
    pub fn apply(&mut self, event: &CartEvent) {
        for (slot, movement) in movements(event) {
            self.0.entry(slot).or_default().apply(movement);
        }
    }

    /// Visits the levels in the order of their SKUs and locations.
    pub fn iter(&self) -> impl Iterator<Item = (&Slot, &StockLevel)> {
        self.0.iter()
    }
}

impl Extend<(Slot, StockLevel)> for StockLevels {
    fn extend<I: IntoIterator<Item = (Slot, StockLevel)>>(&mut self, levels: I) {
        self.0.extend(levels);
    }
}

impl IntoIterator for StockLevels {
    type Item = (Slot, StockLevel);
    type IntoIter = std::collections::btree_map::IntoIter<Slot, StockLevel>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<S: Into<Slot>> FromIterator<(S, StockLevel)> for StockLevels {
    fn from_iter<I: IntoIterator<Item = (S, StockLevel)>>(levels: I) -> Self {
        Self(levels.into_iter().map(|(slot, level)| (slot.into(), level)).collect())
    }
}
