//! What the shop's people change in the stock by hand, location by location.

use async_trait::async_trait;
use cart_core::{LocationId, Sku, Slot, StockLevel, StockLevels, VisitorId, limits::SUPPLY_MAX};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{EventWrite, Result};

/// The unit of events about the shop itself, which no visitor is.
const SHOP: &str = "shop";

/// Keeps the stock of each location. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait StockStore: Send + Sync {
    /// Makes changes one after the other; notes each, and tells it in the outbox. Answers one outcome a change, in order. A
    /// refused change leaves its neighbours made.
    async fn change_stock(&self, changes: &[StockChange]) -> Result<Vec<StockOutcome>>;

    /// Returns the newest changes of a product, the newest first.
    async fn stock_changes(&self, sku: &Sku, limit: usize) -> Result<Vec<NotedChange>>;

    /// Returns the change that was noted under a key.
    async fn stock_change(&self, key: &str) -> Result<Option<NotedChange>>;

    /// Returns the products behind one, in order, of which some location has at most so many pieces that carts may take.
    async fn low_stock(&self, at_most: i64, after: Option<&Sku>, limit: usize) -> Result<Vec<Sku>>;
}

/// Is a change of the stock of a product, with who made it and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// A name by which it is made once, however often it is asked for.
    #[serde(skip)]
    pub key: Option<String>,
}

/// Is a change that was made, with what it led to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotedChange {
    /// The change.
    #[serde(flatten)]
    pub change: StockChange,
    /// The levels of its locations after it; none of changes that are older than this member.
    #[serde(default)]
    pub after: Vec<(LocationId, StockLevel)>,
}

/// Is what may be done to the stock of a product by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum StockAct {
    /// Says how many pieces a location ever had or has now, and how many of them stay on the shelf.
    Set {
        /// The location.
        #[serde(default, skip_serializing_if = "LocationId::is_main")]
        location: LocationId,
        /// All pieces that ever arrived; none leaves them as they are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        supplied: Option<i64>,
        /// The pieces that are there, those that carts hold among them; none leaves them as they are. What arrived is
        /// reckoned from them, where it is not told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_hand: Option<i64>,
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
    /// It was so already; nothing was written, and it was noted only where it has a key.
    Unchanged,
    /// It was made before, under the same key; nothing was written.
    Repeated,
    /// Another change was made before under the same key; nothing was written.
    KeyReused,
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
    /// Returns the locations that it is about.
    pub fn locations(&self) -> Vec<&LocationId> {
        match self {
            Self::Set { location, .. } | Self::Adjust { location, .. } => vec![location],
            Self::Move { from, to, .. } => vec![from, to],
        }
    }

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
            Self::Set { location, supplied, on_hand, safety } => {
                let supplied =
                    supplied.or_else(|| Some(on_hand.as_ref()?.saturating_add(stood(location).1.sold)));
                vec![put(location, supplied, *safety)?]
            }
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

/// Is what a change comes to on rows that cannot change meanwhile: each store writes it as it stands.
#[derive(Debug)]
pub struct Prepared {
    /// What became of it.
    pub outcome: StockOutcome,
    /// The rows to write.
    pub rows: Vec<(Slot, StockLevel)>,
    /// What to note.
    pub note: Option<NotedChange>,
    /// What to tell.
    pub event: Option<EventWrite>,
}

impl Prepared {
    /// Prepares a change of a product of which so many pieces may be owed, where there is such a product, beside what was
    /// noted before under the change's key.
    pub fn of(
        change: &StockChange,
        levels: &StockLevels,
        owed_max: Option<u32>,
        noted: Option<&NotedChange>,
    ) -> Self {
        let nothing = |outcome| Self { outcome, rows: vec![], note: None, event: None };
        if let Some(NotedChange { change: before, .. }) = noted {
            let asked = |c: &StockChange| (c.sku.clone(), c.act.clone(), c.reason.clone());
            return nothing(match asked(before) == asked(change) {
                true => StockOutcome::Repeated,
                false => StockOutcome::KeyReused,
            });
        }
        let Some(owed_max) = owed_max else { return nothing(StockOutcome::UnknownProduct) };
        let rows = match change.act.rows(&change.sku, levels, owed_max) {
            Ok(rows) => rows,
            Err(outcome) => return nothing(outcome),
        };
        let mut after = levels.clone();
        after.extend(rows.iter().cloned());
        let level = |location: &LocationId| after.at(&Slot::new(&change.sku, location)).unwrap_or_default();
        let after = change.act.locations().into_iter().map(|at| (at.clone(), level(at))).collect();
        let noted = NotedChange { change: change.clone(), after };
        match rows.is_empty() {
            true => Self { note: change.key.is_some().then_some(noted), ..nothing(StockOutcome::Unchanged) },
            false => {
                Self { outcome: StockOutcome::Changed, rows, event: Some(noted.event()), note: Some(noted) }
            }
        }
    }
}

impl NotedChange {
    /// Tells it. Who did it and why stays in the store, as what people write does.
    fn event(&self) -> EventWrite {
        let StockChange { sku, act, at_ms, .. } = &self.change;
        let level = |(location, level): &(LocationId, StockLevel)| {
            json!({
                "location": location, "on_hand": level.on_hand(), "held": level.held,
                "safety_stock": level.safety, "available": level.free(),
            })
        };
        let locations: Vec<_> = self.after.iter().map(level).collect();
        EventWrite {
            id: Uuid::new_v4(),
            at_ms: *at_ms,
            kind: "stock_changed",
            cart: None,
            unit: VisitorId::parse(SHOP).expect("the shop has a name"),
            data: json!({ "sku": sku, "change": act, "locations": locations }).to_string(),
        }
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
        let set =
            |pieces| StockAct::Set { location: main(), supplied: Some(pieces), on_hand: None, safety: None };
        let count =
            |pieces| StockAct::Set { location: main(), supplied: None, on_hand: Some(pieces), safety: None };
        let adjust = |location, pieces| StockAct::Adjust { location, pieces };
        let go = |pieces| StockAct::Move { from: main(), to: north.clone(), pieces };
        for (act, after) in [
            (set(4), Ok(vec![(4, 0)])),
            (set(3), Err(StockOutcome::SupplyTooLow { taken: 4 })),
            (set(10), Ok(vec![])),
            (count(9), Ok(vec![])),
            (count(3), Ok(vec![(4, 0)])),
            (count(2), Err(StockOutcome::SupplyTooLow { taken: 4 })),
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
