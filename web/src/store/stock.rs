//! What the shop's people change in the stock by hand, location by location.

use async_trait::async_trait;
use cart_core::{LocationId, Sku, Slot, StockLevel, StockLevels, limits::SUPPLY_MAX};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Result;

/// Keeps the stock of each location. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait StockStore: Send + Sync {
    /// Makes changes one after the other and notes each; answers one outcome a change, in order. A refused change leaves
    /// its neighbours made.
    async fn change_stock(&self, changes: &[StockChange]) -> Result<Vec<StockOutcome>>;

    /// Returns the newest changes of a product, the newest first.
    async fn stock_changes(&self, sku: &Sku, limit: usize) -> Result<Vec<StockChange>>;
}

/// Is a change of the stock of a product, with who made it and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockChange {
    /// The product.
    pub sku: Sku,
    /// What is done.
    #[serde(flatten)]
    pub act: StockAct,
    /// Why; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Who does it.
    pub by: String,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
}

/// Is what may be done to the stock of a product by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum StockAct {
    /// Says how many pieces a location ever had, and how many of them stay on the shelf.
    Set {
        /// The location.
        #[serde(default, skip_serializing_if = "LocationId::is_main")]
        location: LocationId,
        /// All pieces that ever arrived; none leaves them as they are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        supplied: Option<i64>,
        /// Pieces that stay on the shelf; none leaves them as they are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        safety: Option<i64>,
    },
    /// Pieces arrive, or are gone: counted, broken, lost.
    Adjust {
        /// The location.
        #[serde(default, skip_serializing_if = "LocationId::is_main")]
        location: LocationId,
        /// The pieces, below zero those that are gone.
        pieces: i64,
    },
    /// Pieces go from the shelf of one location to that of another.
    Move {
        /// Where they were.
        #[serde(default, skip_serializing_if = "LocationId::is_main")]
        from: LocationId,
        /// Where they go.
        #[serde(default, skip_serializing_if = "LocationId::is_main")]
        to: LocationId,
        /// The pieces.
        pieces: i64,
    },
}

/// Says what became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StockOutcome {
    /// It was made.
    Changed,
    /// It was so already; nothing was written or noted.
    Unchanged,
    /// There is no such product.
    UnknownProduct,
    /// The location would have fewer pieces than are held or sold of it and may be owed; nothing was written.
    SupplyTooLow {
        /// Pieces held or sold.
        taken: i64,
    },
    /// The location has fewer pieces on the shelf than were to leave it; nothing was written.
    TooFew {
        /// Pieces on the shelf.
        available: i64,
    },
    /// The location would have had more pieces than a row counts; nothing was written.
    TooMany,
}

impl StockAct {
    /// Returns the rows that the act leads to, of a product of which so many may be owed; none where it changes nothing.
    ///
    /// # Errors
    /// The outcome, where it is none that changes or leaves the rows.
    pub fn rows(
        &self,
        sku: &Sku,
        levels: &StockLevels,
        owed_max: u32,
    ) -> std::result::Result<Vec<(Slot, StockLevel)>, StockOutcome> {
        let stood = |location: &LocationId| {
            let slot = Slot::new(sku, location);
            let level = levels.at(&slot);
            (slot, level.unwrap_or_default(), level.is_none())
        };
        let put = |location, supplied: Option<i64>, safety| {
            let (slot, level, is_new) = stood(location);
            if supplied.is_some_and(|supplied| supplied > SUPPLY_MAX) {
                return Err(StockOutcome::TooMany);
            }
            let too_low = |taken| StockOutcome::SupplyTooLow { taken };
            if supplied.is_some_and(|supplied| supplied < 0) {
                return Err(too_low(level.held + level.sold));
            }
            let after = level.put(supplied, safety, owed_max).map_err(too_low)?;
            Ok((slot, after, is_new || after != level))
        };
        let rows = match self {
            Self::Set { location, supplied, safety } => vec![put(location, *supplied, *safety)?],
            Self::Adjust { location, pieces } => {
                let (_, level, _) = stood(location);
                vec![put(location, Some(level.supplied.saturating_add(*pieces)), None)?]
            }
            Self::Move { from, to, .. } if from == to => vec![],
            Self::Move { from, to, pieces } => {
                let available = stood(from).1.available;
                if *pieces > available {
                    return Err(StockOutcome::TooFew { available });
                }
                let supplied = |location| stood(location).1.supplied;
                vec![
                    put(from, Some(supplied(from) - pieces), None)?,
                    put(to, Some(supplied(to) + pieces), None)?,
                ]
            }
        };
        Ok(rows
            .into_iter()
            .filter(|(.., is_changed)| *is_changed)
            .map(|(slot, level, _)| (slot, level))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_by_hand_leaves_nobody_without_the_pieces_they_were_promised() {
        let (mug, north) = (Sku::parse("MUG").unwrap(), LocationId::parse("north").unwrap());
        let level = StockLevel { supplied: 10, available: 6, held: 3, sold: 1, ..StockLevel::default() };
        let levels = StockLevels::from_iter([(mug.clone(), level)]);
        let main = LocationId::default;
        let set = |pieces| StockAct::Set { location: main(), supplied: Some(pieces), safety: None };
        let adjust = |location, pieces| StockAct::Adjust { location, pieces };
        let go = |pieces| StockAct::Move { from: main(), to: north.clone(), pieces };
        for (act, after) in [
            (set(4), Ok(vec![(4, 0)])),
            (set(3), Err(StockOutcome::SupplyTooLow { taken: 4 })),
            (set(10), Ok(vec![])),
            (adjust(main(), -6), Ok(vec![(4, 0)])),
            (adjust(main(), -7), Err(StockOutcome::SupplyTooLow { taken: 4 })),
            (adjust(main(), -11), Err(StockOutcome::SupplyTooLow { taken: 4 })),
            (adjust(main(), i64::MAX), Err(StockOutcome::TooMany)),
            (adjust(north.clone(), 2), Ok(vec![(2, 2)])),
            (go(6), Ok(vec![(4, 0), (6, 6)])),
            (go(7), Err(StockOutcome::TooFew { available: 6 })),
        ] {
            let rows = act.rows(&mug, &levels, 0);
            let rows = rows.map(|rows| rows.iter().map(|(_, l)| (l.supplied, l.available)).collect());
            assert_eq!(rows, after, "{act:?}");
        }
        assert_eq!(set(3).rows(&mug, &levels, 1).unwrap()[0].1.available, -1, "one may be owed");
    }
}
