//! Stock arithmetic: every piece that was supplied is available, held or sold, and moves between these.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CartEvent, HoldMove, LocationId, OrderLine, Product, Sku, location::Slot};

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

    fn restock(pieces: i64) -> Self {
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

/// Is pieces of one product that a line holds, or gives back: parts of a bundle, or pieces of a plain line that do not
/// all lie in the main location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pick {
    /// The product.
    pub sku: Sku,
    /// Where they lie.
    #[serde(default, skip_serializing_if = "LocationId::is_main")]
    pub location: LocationId,
    /// The pieces, at least 1.
    pub pieces: u32,
}

/// Is pieces of one product that a line of an order took from the stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// The product.
    pub sku: Sku,
    /// Where they were.
    #[serde(default, skip_serializing_if = "LocationId::is_main")]
    pub location: LocationId,
    /// Pieces that came out of the line's hold.
    pub from_held: u32,
    /// Pieces that came out of the free stock.
    pub from_available: u32,
    /// Pieces that went back to the stock.
    #[serde(default, skip_serializing_if = "crate::line::is_zero")]
    pub restocked: u32,
}

impl Pick {
    /// Returns pieces of a product in the main location.
    pub fn new(sku: Sku, pieces: u32) -> Self {
        Self { sku, location: LocationId::default(), pieces }
    }

    /// Reports whether it is pieces of that product in that location.
    pub fn is_of(&self, sku: &Sku, location: &LocationId) -> bool {
        self.sku == *sku && self.location == *location
    }
}

/// Returns the part of what lies in several places that goes with `of` of `all`, place by place. Of each product goes what
/// would go if it lay in one place; what was put there last goes first.
///
/// ```
/// use cart_core::{LocationId, Sku, stock::parts};
/// let (mug, north) = (Sku::parse("MUG").unwrap(), LocationId::parse("north").unwrap());
/// let held = [(&mug, LocationId::main(), 3), (&mug, &north, 2)];
/// assert_eq!(parts(&held, 4, 5), [2, 2]);
/// ```
pub fn parts(held: &[(&Sku, &LocationId, u32)], of: u32, all: u32) -> Vec<u32> {
    let mut gone = vec![0; held.len()];
    for (at, (sku, ..)) in held.iter().enumerate().rev() {
        let of_sku = |n: &usize| held[*n].0 == *sku;
        let pieces = (0..held.len()).filter(of_sku).map(|n| held[n].2).sum();
        let gone_before: u32 = (at + 1..held.len()).filter(of_sku).map(|n| gone[n]).sum();
        gone[at] = held[at].2.min(part(pieces, of, all) - gone_before);
    }
    gone
}

/// Returns the part of some pieces that goes with `of` of `all`: rounded up, and with the last of them all that is left.
///
/// ```
/// use cart_core::stock::part;
/// assert_eq!((part(6, 1, 3), part(4, 2, 2), part(0, 1, 1), part(3, 0, 0)), (2, 4, 0, 0));
/// ```
pub fn part(pieces: u32, of: u32, all: u32) -> u32 {
    let stays = u64::from(pieces) * u64::from(all.saturating_sub(of)) / u64::from(all.max(1));
    let stays = u32::try_from(stays).unwrap_or(pieces);
    if of == 0 { 0 } else { pieces - stays }
}

fn moved(sku: &Sku, pieces: u32, picks: &[Pick], movement: fn(i64) -> Movement) -> Vec<(Slot, Movement)> {
    match picks {
        [] => vec![(sku.clone().into(), movement(i64::from(pieces)))],
        picks => picks.iter().map(|pick| moved_pick(pick, movement)).collect(),
    }
}

fn moved_pick(pick: &Pick, movement: fn(i64) -> Movement) -> (Slot, Movement) {
    (Slot::new(&pick.sku, &pick.location), movement(i64::from(pick.pieces)))
}

/// Is what the locations together have of a product.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Supply {
    /// Pieces that may be taken from the shelves.
    pub there: i64,
    /// Pieces that are missing until each location has as many as it should.
    pub lacking: i64,
    owed_max: i64,
}

impl Supply {
    /// Counts a location in that has so many free pieces, or lacks them.
    pub fn add(&mut self, free: i64, owed_max: i64) {
        self.there += free.max(0);
        self.lacking += (-free).max(0);
        self.owed_max = self.owed_max.max(owed_max);
    }

    /// Returns the pieces that may be had where at most `owed_max` may be owed in all locations together.
    pub fn obtainable(self, owed_max: u32) -> i64 {
        self.there + (i64::from(owed_max).min(self.owed_max) - self.lacking).max(0)
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

/// Returns what an event moves in the stock, line by line; movements of nothing are left out.
pub fn movements(event: &CartEvent) -> Vec<(Slot, Movement)> {
    let all: Vec<(Slot, Movement)> = match event {
        CartEvent::LineAdded { sku, hold, picks, .. } | CartEvent::GiftAdded { sku, hold, picks, .. } => {
            moved(sku, *hold, picks, Movement::hold)
        }
        CartEvent::QuantitySet { line, hold, release: 0, picks, .. } => {
            moved(line.sku(), *hold, picks, Movement::hold)
        }
        CartEvent::QuantitySet { line, release, picks, .. }
        | CartEvent::LineRemoved { line, release, picks }
        | CartEvent::GiftWithdrawn { line, release, picks }
        | CartEvent::LineSaved { line, release, picks } => {
            moved(line.sku(), *release, picks, Movement::release)
        }
        CartEvent::LinesHeld { holds, .. } => {
            holds.iter().flat_map(|h| moved(h.line.sku(), h.hold, &h.picks, Movement::hold)).collect()
        }
        CartEvent::HoldsMoved { moves } => {
            let moved = |m: &HoldMove| {
                let gone = m.from.iter().map(|pick| moved_pick(pick, Movement::release));
                gone.chain(m.to.iter().map(|pick| moved_pick(pick, Movement::hold))).collect::<Vec<_>>()
            };
            moves.iter().flat_map(moved).collect()
        }
        // What a merged line brought along is held as before, only by another cart.
        CartEvent::LineMerged { sku, hold, picks, .. } => moved(sku, *hold, picks, Movement::hold),
        CartEvent::CartMerged { releases, .. }
        | CartEvent::CartCleared { releases }
        | CartEvent::HoldsExpired { releases }
        | CartEvent::CartExpired { releases } => {
            releases.iter().flat_map(|r| moved(r.line.sku(), r.pieces, &r.picks, Movement::release)).collect()
        }
        CartEvent::OrderPlaced(order) => order
            .lines
            .iter()
            .flat_map(OrderLine::all_taken)
            .map(|(sku, location, held, available)| {
                (Slot::new(sku, location), Movement::sell(i64::from(held), i64::from(available)))
            })
            .collect(),
        CartEvent::OrderCancelled { refund, .. } | CartEvent::OrderRefunded { refund, .. } => refund
            .lines
            .iter()
            .flat_map(|l| moved(l.line.sku(), l.restocked, &l.picks, Movement::restock))
            .collect(),
        CartEvent::CartOpened { .. }
        | CartEvent::CartClaimed { .. }
        | CartEvent::LineLaidAside { .. }
        | CartEvent::SavedLineDropped { .. }
        | CartEvent::CodeApplied { .. }
        | CartEvent::CodeRemoved { .. }
        | CartEvent::GiftDeclined { .. }
        | CartEvent::GiftAccepted { .. }
        | CartEvent::GiftsOutOfStock { .. }
        | CartEvent::GiftCardApplied { .. }
        | CartEvent::GiftCardRemoved { .. }
        | CartEvent::StoreCreditSet { .. }
        | CartEvent::BalancesNoted { .. }
        | CartEvent::NoteSet { .. }
        | CartEvent::PricesAccepted { .. }
        | CartEvent::CheckoutStarted
        | CartEvent::StepCompleted { .. }
        | CartEvent::PaymentBegun { .. }
        | CartEvent::PaymentChallenged { .. }
        | CartEvent::PaymentFailed { .. }
        | CartEvent::PaymentCancelled { .. }
        | CartEvent::PaymentVoided { .. }
        | CartEvent::PaymentCaptured { .. }
        | CartEvent::PaymentRefunded { .. }
        | CartEvent::ParcelSent { .. }
        | CartEvent::OrderFulfilled { .. }
        | CartEvent::CartAbandoned(_)
        | CartEvent::CartReopened { .. } => vec![],
    };
    all.into_iter().filter(|(_, m)| !m.is_none()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        CartId, Currency, LineRelease, Order, OrderId, OrderLine, Properties, StepDetails, StockPolicy,
        VisitorId,
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
            parts: vec![],
            digital: false,
            quantity: pieces,
            unit_price_minor: 1_250,
            hold,
            picks: vec![],
            backordered: 0,
            ships_from_ms: None,
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
            picks: vec![],
            backordered: 0,
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
                from_held,
                from_available,
                ..OrderLine::new(sku("MUG"), "Mug", 3, 1_250)
            }],
            shipping: None,
            quote: None,
            shipping_minor: 0,
            total_minor: 3_750,
            payment_reference: "p1".into(),
            postings: vec![],
            payment: None,
            email: String::new(),
            state: crate::OrderState::default(),
        })
    }

    #[test]
    fn each_event_moves_its_pieces_and_no_others() {
        let release = |pieces| vec![LineRelease { line: sku("MUG").into(), pieces, picks: vec![] }];
        let released = |pieces| CartEvent::HoldsExpired { releases: release(pieces) };
        let cleared = |pieces| CartEvent::CartCleared { releases: release(pieces) };
        // Ten pieces, four of them held by carts: what is available, held and sold after the event.
        for (event, after) in [
            (added(3, 3), (3, 7, 0)),
            (added(3, 0), (6, 4, 0)),
            (set(2, 0), (4, 6, 0)),
            (set(0, 1), (7, 3, 0)),
            (set(0, 0), (6, 4, 0)),
            (CartEvent::LineRemoved { line: sku("MUG").into(), release: 4, picks: vec![] }, (10, 0, 0)),
            (cleared(2), (8, 2, 0)),
            (released(4), (10, 0, 0)),
            (ordered(3, 0), (6, 1, 3)),
            (ordered(1, 2), (4, 3, 3)),
            (ordered(0, 0), (6, 4, 0)),
            (CartEvent::CheckoutStarted, (6, 4, 0)),
            (CartEvent::StepCompleted { details: StepDetails::Payment }, (6, 4, 0)),
        ] {
            let level = StockLevel { supplied: 10, available: 6, held: 4, ..StockLevel::default() };
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
        for (supplied, available, held, sold, owed_max, conserved) in [
            (6, 3, 2, 1, 0, true),
            (0, 0, 0, 0, 0, true),
            (7, 3, 2, 1, 0, false),
            (5, 3, 2, 1, 0, false),
            (6, -1, 6, 1, 0, false),
            (6, -1, 6, 1, 1, true),
            (6, -2, 7, 1, 1, false),
            (6, 7, -1, 0, 0, false),
            (6, 7, 0, -1, 0, false),
        ] {
            let level = StockLevel { supplied, available, held, sold, owed_max, safety: 0 };
            assert_eq!(level.is_conserved(), conserved, "{level:?}");
        }
    }

    #[test]
    fn what_a_cart_may_take_is_the_shelf_without_the_safety_stock_and_what_may_be_owed() {
        for (available, safety, row, product, free, obtainable) in [
            (5, 0, 0, 0, 5, 5),
            (5, 2, 0, 0, 3, 3),
            (1, 2, 0, 0, -1, -1),
            (0, 0, 4, 4, 0, 4),
            (-3, 0, 4, 4, -3, 1),
            (5, 2, 4, 4, 3, 7),
            (0, 0, 4, 1, 0, 1),
            (0, 0, 1, 4, 0, 1),
        ] {
            let level = StockLevel { available, safety, owed_max: row, ..StockLevel::default() };
            assert_eq!((level.free(), level.obtainable(product)), (free, obtainable), "{level:?} {product}");
        }
    }

    #[test]
    fn a_supply_fills_what_is_owed_and_never_leaves_more_owed_than_may_be() {
        let level = StockLevel { supplied: 5, available: 2, held: 2, sold: 1, ..StockLevel::default() };
        let put = |supplied, safety, owed_max| {
            level.put(supplied, safety, owed_max).map(|l| (l.supplied, l.available, l.safety, l.owed_max))
        };
        assert_eq!(put(None, None, 0), Ok((5, 2, 0, 0)));
        assert_eq!(put(Some(3), Some(4), 0), Ok((3, 0, 4, 0)), "a high safety stock only ends the sale");
        assert_eq!(put(Some(2), None, 0), Err(3));
        assert_eq!(put(Some(2), None, 1), Ok((2, -1, 0, 1)));
        let owing = StockLevel { supplied: 1, available: -3, held: 4, owed_max: 5, ..StockLevel::default() };
        let put = |supplied, owed_max| owing.put(supplied, None, owed_max).map(|l| (l.available, l.owed_max));
        assert_eq!(put(None, 0), Ok((-3, 3)), "what is owed stays owed, and nothing more");
        assert_eq!(put(Some(2), 0), Ok((-2, 2)), "some of it came");
        assert_eq!(put(Some(0), 3), Err(4));
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
