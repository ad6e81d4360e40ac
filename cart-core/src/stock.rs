//! Stock arithmetic: every piece that was supplied is available, held or sold, and moves between these.

mod levels;
mod movement;
mod pick;

use serde::{Deserialize, Serialize};

pub use levels::StockLevels;
pub(crate) use levels::Supply;
pub use movement::movements;
pub use pick::{Pick, Taken, part, parts};

/// Counts the pieces of one product in one location. `supplied = available + held + sold`; the last two are never negative, and
/// what is available is so only by pieces that are owed to customers: back-ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLevel {
    /// All pieces that ever arrived.
    pub supplied: i64,
    /// Pieces on the shelf; below zero, pieces that are owed.
    pub available: i64,
    /// Pieces reserved by lines of carts.
    pub held: i64,
    /// Pieces that left with an order.
    pub sold: i64,
    /// Pieces that stay on the shelf: no cart may take them.
    pub safety: i64,
    /// The most pieces that may ever be owed.
    pub owed_max: i64,
}

impl StockLevel {
    /// Returns the level of a fresh supply.
    pub fn of_supply(pieces: i64) -> Self {
        Self { supplied: pieces, available: pieces, ..Self::default() }
    }

    /// Returns the level after its product was put, where that leaves none of the pieces that are held or sold
    /// without a place: those beyond the supply are owed. What is owed already stays allowed.
    ///
    /// ```
    /// use cart_core::StockLevel;
    /// let three_of_two = StockLevel { supplied: 2, available: -1, held: 3, owed_max: 1, ..StockLevel::default() };
    /// let filled = three_of_two.put(Some(10), None, 0).unwrap();
    /// assert_eq!((filled.available, filled.owed_max), (7, 0));
    /// assert_eq!(three_of_two.put(Some(1), None, 1), Err(3), "one more would be owed than may be");
    /// ```
    ///
    /// # Errors
    /// The pieces that are held or sold, where the supply would leave more of them owed than may be.
    pub fn put(self, supplied: Option<i64>, safety: Option<i64>, owed_max: u32) -> Result<Self, i64> {
        let (taken, supplied) = (self.held + self.sold, supplied.unwrap_or(self.supplied));
        let available = supplied - taken;
        let owed = (-available).max(0);
        let is_less = supplied < self.supplied;
        if is_less && owed > i64::from(owed_max) {
            return Err(taken);
        }
        let owed_max = owed.max(i64::from(owed_max));
        Ok(Self { supplied, available, safety: safety.unwrap_or(self.safety), owed_max, ..self })
    }

    /// Returns the pieces that are there, those that carts hold among them; below zero, pieces that are owed.
    pub fn on_hand(&self) -> i64 {
        self.supplied - self.sold
    }

    /// Returns the pieces that a cart may take from the shelf; below zero, what is missing until it may take one.
    pub fn free(&self) -> i64 {
        self.available - self.safety
    }

    /// Returns the pieces that a cart may take where at most `owed_max` may be owed, from the shelf or not.
    pub fn obtainable(&self, owed_max: u32) -> i64 {
        self.free() + i64::from(owed_max).min(self.owed_max)
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
        let is_owed_within = self.available >= -self.owed_max;
        let is_positive = self.held >= 0 && self.sold >= 0 && self.safety >= 0 && self.owed_max >= 0;
        is_owed_within && is_positive && self.available + self.held + self.sold == self.supplied
    }

    /// Moves pieces between the parts.
    pub fn apply(&mut self, movement: Movement) {
        self.available += movement.available;
        self.held += movement.held;
        self.sold += movement.sold;
    }
}

/// Says how many pieces of a product may be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnOffer {
    /// Pieces that ship at once.
    pub there: i64,
    /// All pieces, those that ship later among them.
    pub all: i64,
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

    fn release(pieces: i64) -> Self {
        Self::hold(-pieces)
    }

    pub(crate) fn restock(pieces: i64) -> Self {
        Self { available: pieces, held: 0, sold: -pieces }
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

#[cfg(test)]
mod tests;
