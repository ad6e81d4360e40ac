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

/// Returns what an event moves in the stock, line by line; movements of nothing are left out.
pub fn movements(event: &CartEvent) -> Vec<(&Sku, Movement)> {
    let all: Vec<(&Sku, Movement)> = match event {
        CartEvent::LineAdded { sku, hold, .. } => vec![(sku, Movement::hold(i64::from(*hold)))],
        CartEvent::QuantitySet { line, hold, release, .. } => {
            vec![(line.sku(), Movement::hold(i64::from(*hold) - i64::from(*release)))]
        }
        CartEvent::LineRemoved { line, release } | CartEvent::LineSaved { line, release } => {
            vec![(line.sku(), Movement::hold(-i64::from(*release)))]
        }
        CartEvent::CartCleared { releases } | CartEvent::HoldsExpired { releases } => {
            releases.iter().map(|(line, n)| (line.sku(), Movement::hold(-i64::from(*n)))).collect()
        }
        CartEvent::OrderPlaced(order) => order
            .lines
            .iter()
            .map(|l| (&l.sku, Movement::sell(i64::from(l.from_held), i64::from(l.from_available))))
            .collect(),
        CartEvent::CartOpened { .. }
        | CartEvent::SavedLineDropped { .. }
        | CartEvent::CodeApplied { .. }
        | CartEvent::CodeRemoved { .. }
        | CartEvent::NoteSet { .. }
        | CartEvent::PricesAccepted { .. }
        | CartEvent::CheckoutStarted
        | CartEvent::StepCompleted { .. } => vec![],
    };
    all.into_iter().filter(|(_, m)| !m.is_none()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        CartId, Currency, Order, OrderId, OrderLine, Properties, StepDetails, StockPolicy, VisitorId,
    };

    fn sku(text: &str) -> Sku {
        Sku::parse(text).unwrap()
    }

    fn added(pieces: u32, hold: u32) -> CartEvent {
        CartEvent::LineAdded {
            sku: sku("MUG"),
            properties: Properties::default(),
            name: "Mug".into(),
            policy: StockPolicy::HoldOnAdd,
            quantity: pieces,
            unit_price_minor: 1_250,
            hold,
            holds_expire_at_ms: None,
        }
    }

    fn set(hold: u32, release: u32) -> CartEvent {
        CartEvent::QuantitySet {
            line: sku("MUG").into(),
            quantity: 3,
            unit_price_minor: 1_250,
            hold,
            release,
            holds_expire_at_ms: None,
        }
    }

    fn ordered(from_held: u32, from_available: u32) -> CartEvent {
        CartEvent::OrderPlaced(Order {
            order_id: OrderId::parse("o1").unwrap(),
            cart: CartId::parse("c1").unwrap(),
            owner: VisitorId::parse("ada").unwrap(),
            placed_at_ms: 0,
            currency: Currency::parse("GBP").unwrap(),
            note: String::new(),
            lines: vec![OrderLine {
                sku: sku("MUG"),
                properties: Properties::default(),
                name: "Mug".into(),
                quantity: 3,
                unit_price_minor: 1_250,
                discount_minor: 0,
                from_held,
                from_available,
            }],
            shipping: None,
            quote: None,
            shipping_minor: 0,
            total_minor: 3_750,
            payment_reference: "p1".into(),
        })
    }

    #[test]
    fn each_event_moves_its_pieces_and_no_others() {
        let released = |pieces| CartEvent::HoldsExpired { releases: vec![(sku("MUG").into(), pieces)] };
        let cleared = |pieces| CartEvent::CartCleared { releases: vec![(sku("MUG").into(), pieces)] };
        // Ten pieces, four of them held by carts: what is available, held and sold after the event.
        for (event, after) in [
            (added(3, 3), (3, 7, 0)),
            (added(3, 0), (6, 4, 0)),
            (set(2, 0), (4, 6, 0)),
            (set(0, 1), (7, 3, 0)),
            (set(0, 0), (6, 4, 0)),
            (CartEvent::LineRemoved { line: sku("MUG").into(), release: 4 }, (10, 0, 0)),
            (cleared(2), (8, 2, 0)),
            (released(4), (10, 0, 0)),
            (ordered(3, 0), (6, 1, 3)),
            (ordered(1, 2), (4, 3, 3)),
            (ordered(0, 0), (6, 4, 0)),
            (CartEvent::CheckoutStarted, (6, 4, 0)),
            (CartEvent::StepCompleted { details: StepDetails::Payment }, (6, 4, 0)),
        ] {
            let level = StockLevel { supplied: 10, available: 6, held: 4, sold: 0 };
            let mut levels = StockLevels::from_iter([(sku("MUG"), level), (sku("CUP"), level)]);
            levels.apply(&event);
            let mug = levels.get(&sku("MUG")).unwrap();
            assert_eq!((mug.available, mug.held, mug.sold), after, "{event:?}");
            assert!(mug.is_conserved(), "{event:?}");
            assert_eq!(levels.get(&sku("CUP")), Some(level), "{event:?}");
        }
    }

    #[test]
    fn movements_of_nothing_are_left_out() {
        for event in [added(3, 0), set(0, 0), ordered(0, 0), CartEvent::CheckoutStarted] {
            assert_eq!(movements(&event), vec![], "{event:?}");
        }
        let mut levels = StockLevels::default();
        levels.apply(&added(3, 0));
        assert_eq!((levels.get(&sku("MUG")), levels.available(&sku("MUG"))), (None, 0));
    }

    #[test]
    fn a_level_that_lost_invented_or_owes_pieces_is_not_conserved() {
        for (supplied, available, held, sold, conserved) in [
            (6, 3, 2, 1, true),
            (0, 0, 0, 0, true),
            (7, 3, 2, 1, false),
            (5, 3, 2, 1, false),
            (6, -1, 6, 1, false),
            (6, 7, -1, 0, false),
            (6, 7, 0, -1, false),
        ] {
            let level = StockLevel { supplied, available, held, sold };
            assert_eq!(level.is_conserved(), conserved, "{level:?}");
        }
    }

    #[test]
    fn movements_of_one_product_add_up() {
        let mut sum = Movement::hold(3);
        sum.add(Movement::sell(2, 1));
        assert_eq!(sum, Movement { available: -4, held: 1, sold: 3 });
        sum.add(Movement { available: 4, held: -1, sold: -3 });
        assert!(sum.is_none());
    }
}
