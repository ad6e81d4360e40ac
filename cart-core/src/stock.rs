//! Stock arithmetic: every piece that was supplied is available, held or sold, and moves between these.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{CartEvent, Sku};

/// Counts the pieces of one product. `supplied = available + held + sold`, none of them negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLevel {
    /// All pieces that ever arrived.
    pub supplied: i64,
    /// Pieces that a cart may still take.
    pub available: i64,
    /// Pieces reserved by lines of carts.
    pub held: i64,
    /// Pieces that left with an order.
    pub sold: i64,
}

impl StockLevel {
    /// Returns the level of a fresh supply.
    pub fn of_supply(pieces: i64) -> Self {
        Self { supplied: pieces, available: pieces, held: 0, sold: 0 }
    }

    /// Reports whether no piece was invented or lost.
    ///
    /// ```
    /// use cart_core::{Movement, StockLevel};
    /// let mut level = StockLevel::of_supply(5);
    /// level.apply(Movement { available: -2, held: 2, sold: 0 });
    /// assert!(level.is_conserved());
    /// ```
    pub fn is_conserved(&self) -> bool {
        let parts = [self.available, self.held, self.sold];
        parts.iter().all(|p| *p >= 0) && parts.iter().sum::<i64>() == self.supplied
    }

    /// Moves pieces between the parts.
    pub fn apply(&mut self, movement: Movement) {
        self.available += movement.available;
        self.held += movement.held;
        self.sold += movement.sold;
    }
}

/// Is a change of the three parts of a level; its sum is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Movement {
    /// Change of the available pieces.
    pub available: i64,
    /// Change of the held pieces.
    pub held: i64,
    /// Change of the sold pieces.
    pub sold: i64,
}

impl Movement {
    fn hold(pieces: i64) -> Self {
        Self { available: -pieces, held: pieces, sold: 0 }
    }

    fn sell(held: i64, available: i64) -> Self {
        Self { available: -available, held: -held, sold: held + available }
    }

    /// Reports whether nothing moves.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Adds another movement of the same product.
    pub fn add(&mut self, other: Self) {
        self.available += other.available;
        self.held += other.held;
        self.sold += other.sold;
    }
}

/// Holds the levels that a decision may need; a product without an entry has no pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StockLevels(BTreeMap<Sku, StockLevel>);

impl StockLevels {
    /// Returns the pieces of a product that a cart may still take.
    pub fn available(&self, sku: &Sku) -> i64 {
        self.0.get(sku).map_or(0, |level| level.available)
    }

    /// Returns the level of a product, where it is known.
    pub fn get(&self, sku: &Sku) -> Option<StockLevel> {
        self.0.get(sku).copied()
    }

    /// Sets the level of a product.
    pub fn insert(&mut self, sku: Sku, level: StockLevel) {
        self.0.insert(sku, level);
    }

    /// Moves the pieces that an event moves.
    pub fn apply(&mut self, event: &CartEvent) {
        for (sku, movement) in movements(event) {
            self.0.entry(sku.clone()).or_default().apply(movement);
        }
    }

    /// Visits the levels in the order of their SKUs.
    pub fn iter(&self) -> impl Iterator<Item = (&Sku, &StockLevel)> {
        self.0.iter()
    }
}

impl FromIterator<(Sku, StockLevel)> for StockLevels {
    fn from_iter<I: IntoIterator<Item = (Sku, StockLevel)>>(levels: I) -> Self {
        Self(levels.into_iter().collect())
    }
}

/// Returns what an event moves in the stock, product by product; movements of nothing are left out.
pub fn movements(event: &CartEvent) -> Vec<(&Sku, Movement)> {
    let all: Vec<(&Sku, Movement)> = match event {
        CartEvent::LineAdded { sku, hold, .. } => vec![(sku, Movement::hold(i64::from(*hold)))],
        CartEvent::QuantitySet { sku, hold, release, .. } => {
            vec![(sku, Movement::hold(i64::from(*hold) - i64::from(*release)))]
        }
        CartEvent::LineRemoved { sku, release } => vec![(sku, Movement::hold(-i64::from(*release)))],
        CartEvent::CartCleared { releases } | CartEvent::HoldsExpired { releases } => {
            releases.iter().map(|(sku, n)| (sku, Movement::hold(-i64::from(*n)))).collect()
        }
        CartEvent::OrderPlaced(order) => order
            .lines
            .iter()
            .map(|l| (&l.sku, Movement::sell(i64::from(l.from_held), i64::from(l.from_available))))
            .collect(),
        CartEvent::CartOpened { .. } | CartEvent::CheckoutStarted | CartEvent::StepCompleted { .. } => vec![],
    };
    all.into_iter().filter(|(_, m)| !m.is_none()).collect()
}
