//! Where pieces are taken from: the shop's locations are asked one after the other, in the order that its rule says.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::Facts;
use crate::{
    AllocationRule, Cart, Line, LocationId, Pick, Sku, Slot, StockLevels, location::fewest_parcels,
    stock::Supply,
};

/// Is the stock while a decision takes pieces from it, location by location.
pub(super) struct Allocation<'a> {
    facts: &'a Facts<'a>,
    /// The locations that serve the cart, in the order in which they are asked.
    order: Cow<'a, [LocationId]>,
    /// What is gone from the shelves.
    taken: BTreeMap<Slot, i64>,
}

impl<'a> Allocation<'a> {
    /// Returns the stock as a cart may take from it; `wants` is all that it is going to take.
    pub fn of<'w>(cart: &Cart, facts: &'a Facts<'a>, wants: impl FnOnce() -> Vec<(&'w Sku, u32)>) -> Self {
        let locations = &facts.terms.locations;
        let order = serving(cart, facts);
        let mut allocation = Self { facts, order, taken: BTreeMap::new() };
        if locations.rule() == AllocationRule::FewestParcels && allocation.order.len() > 1 {
            allocation.order = allocation.in_fewest_parcels(cart, &wants()).into();
        }
        allocation
    }

    fn in_fewest_parcels(&self, cart: &Cart, wants: &[(&Sku, u32)]) -> Vec<LocationId> {
        let mut sums: BTreeMap<&Sku, i64> = BTreeMap::new();
        for (sku, pieces) in wants.iter().filter(|(sku, _)| travels(self.facts, sku)) {
            *sums.entry(sku).or_default() += i64::from(*pieces);
        }
        let free = |sku: &Sku, location| self.free(sku, location).map_or(0, |(free, _)| free.max(0));
        let all_free = |sku: &Sku| self.order.iter().map(|location| free(sku, location)).collect();
        let wants: Vec<_> = sums.iter().map(|(sku, pieces)| (*pieces, all_free(sku))).collect();
        let sending = sending(cart, self.facts);
        let sends: Vec<_> = self.order.iter().map(|location| sending.contains(location)).collect();
        fewest_parcels(&wants, &sends).into_iter().map(|n| self.order[n].clone()).collect()
    }

    /// Returns the pieces that may still be taken in a location, below zero where it lacks some, and how many it may owe.
    fn free(&self, sku: &Sku, location: &LocationId) -> Option<(i64, i64)> {
        let slot = Slot::new(sku, location);
        let level = self.facts.stock.at(&slot)?;
        Some((level.free() - self.taken.get(&slot).copied().unwrap_or(0), level.owed_max))
    }

    /// Returns the locations that a product may come from, in the order in which they are asked: from any, where it does not
    /// travel.
    fn order_of(&self, sku: &Sku) -> &[LocationId] {
        match travels(self.facts, sku) {
            true => &self.order,
            false => self.facts.terms.locations.ids(),
        }
    }

    /// Returns what may still be taken of a product.
    pub fn supply(&self, sku: &Sku) -> Supply {
        let (mut supply, asked) = (Supply::default(), self.order_of(sku));
        for location in self.facts.terms.locations.ids() {
            match self.free(sku, location) {
                Some((free, owed_max)) if asked.contains(location) => supply.add(free, owed_max),
                Some((free, _)) => supply.add_elsewhere(free),
                None => {}
            }
        }
        supply
    }

    /// Returns how many pieces of a product may be owed to customers now.
    pub fn owed_max(&self, sku: &Sku) -> u32 {
        self.facts.products.product(sku).map_or(0, |product| product.owed_max(self.facts.now_ms))
    }

    /// Takes pieces that are to be had. What no shelf has, the first location owes that keeps the product.
    pub fn take(&mut self, sku: &Sku, pieces: u32, picks: &mut Vec<Pick>) {
        let mut left = i64::from(pieces);
        let mut taken = vec![];
        for location in self.order_of(sku) {
            let Some((free, _)) = self.free(sku, location) else { continue };
            let here = left.min(free.max(0));
            left -= here;
            taken.push((location.clone(), here));
        }
        if let Some((_, here)) = taken.first_mut() {
            *here += left;
        }
        for (location, pieces) in taken.into_iter().filter(|(_, pieces)| *pieces > 0) {
            *self.taken.entry(Slot::new(sku, &location)).or_default() += pieces;
            let pieces = u32::try_from(pieces).expect("no more than a line wants");
            picks.push(Pick { sku: sku.clone(), location, pieces });
        }
    }
}

/// Returns the locations that serve where a cart goes to, as far as that is known.
pub(super) fn serving<'f>(cart: &Cart, facts: &Facts<'f>) -> Cow<'f, [LocationId]> {
    facts.terms.locations.serving_address(cart.address.as_ref())
}

/// Reports whether pieces of a product travel, as all do of which nobody says otherwise.
pub(super) fn travels(facts: &Facts<'_>, sku: &Sku) -> bool {
    facts.products.product(sku).is_none_or(|product| !product.digital)
}

/// Returns the locations that send something of a cart as it stands.
pub(super) fn sending<'c>(cart: &'c Cart, facts: &Facts<'_>) -> BTreeSet<&'c LocationId> {
    let holds = cart.lines.iter().flat_map(Line::holds).filter(|(sku, ..)| travels(facts, sku));
    holds.map(|(_, location, _)| location).collect()
}

/// Puts all that a line holds back on the shelves.
pub(super) fn put_back(stock: &mut StockLevels, line: &Line) {
    for (sku, location, pieces) in line.holds() {
        let slot = Slot::new(sku, location);
        if let Some(mut level) = stock.at(&slot) {
            level.available += i64::from(pieces);
            level.held -= i64::from(pieces);
            stock.insert(slot, level);
        }
    }
}
