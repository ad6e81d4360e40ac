//! What is checked of carts, stock and accounts at every turn.

use std::collections::{BTreeMap, BTreeSet};

use cart_core::{
    Balances, Cart, Command, Line, Order, Posting, Slot, Stage, StockLevels, limits::LINE_QUANTITY_MAX,
};
use proptest::prelude::*;

use crate::world::{Check, HOLD_MS, Turn, World, issued};

/// What was issued and what orders have posted make each balance, and none is below zero.
pub fn audit_accounts(balances: &Balances, posted: &[Posting]) -> Check {
    for (account, balance) in balances.iter() {
        let moved: i64 = posted.iter().filter(|p| p.account == *account).map(|p| p.delta).sum();
        prop_assert!(balance >= 0, "{account} at {balance}");
        prop_assert_eq!(balance, issued().get(account).unwrap_or(0) + moved, "{}", account);
    }
    Ok(())
}

/// Checks that all locations together owe no more of a product than may be owed, or was before.
pub fn owed_within_the_limits(world: &World, turn: &Turn) -> Check {
    let before = |slot: &Slot| {
        let all: i64 = turn
            .outcome
            .iter()
            .flatten()
            .flat_map(cart_core::stock::movements)
            .filter(|(moved, _)| moved == slot)
            .map(|(_, m)| m.available)
            .sum();
        world.stock.at(slot).map_or(0, |level| level.free()) - all
    };
    for sku in world.products.keys() {
        let lacking = |free: &dyn Fn(&Slot) -> i64| -> i64 {
            let slots = world.stock.of(sku).map(|(location, _)| Slot::new(sku, location));
            slots.map(|slot| (-free(&slot)).max(0)).sum()
        };
        let now = lacking(&|slot| world.stock.at(slot).map_or(0, |level| level.free()));
        let owed_max = i64::from(world.products[sku].owed_max(world.now_ms));
        let was = lacking(&before);
        prop_assert!(now <= was.max(owed_max), "{sku}: {now} lacking, {was} before, {owed_max} may be owed");
    }
    Ok(())
}

/// Sums what lines hold, by product and location; what a plain line does not say is in the main location.
pub fn holds_of(carts: &[Cart]) -> Result<BTreeMap<Slot, i64>, TestCaseError> {
    let mut holds: BTreeMap<Slot, i64> = BTreeMap::new();
    for line in carts.iter().flat_map(|c| &c.lines) {
        prop_assert!(line.held <= line.quantity);
        let said: u32 = line.picks.iter().map(|pick| pick.pieces).sum();
        prop_assert!(said == line.held || line.picks.is_empty(), "{line:?}");
        for pick in &line.picks {
            prop_assert_eq!(&pick.sku, &line.sku);
            *holds.entry(Slot::new(&pick.sku, &pick.location)).or_default() += i64::from(pick.pieces);
        }
        *holds.entry(line.sku.clone().into()).or_default() += i64::from(line.held - said);
    }
    Ok(holds)
}

/// Checks that an order takes every counted piece once from where its address is served, and enters what was sold.
pub fn audit_pieces(order: &Order, cart: &Cart, sold: &mut BTreeMap<Slot, i64>) -> Check {
    let is_french = cart.address.as_ref().is_some_and(|address| address.country == "FR");
    prop_assert_eq!(order.lines.len(), cart.lines.len());
    for (bought, line) in order.lines.iter().zip(&cart.lines) {
        prop_assert_eq!((bought.id(), &bought.gift_of), (line.id(), &line.gift_of));
        prop_assert!(bought.gift_of.is_none() || bought.unit_price_minor == 0, "{bought:?}");
        prop_assert_eq!(bought.quantity, line.quantity);
        prop_assert_eq!(bought.from_held, line.held);
        let taken = bought.from_held + bought.from_available;
        if line.policy.is_tracked() {
            prop_assert_eq!(taken, bought.quantity);
        } else {
            prop_assert_eq!(bought.from_available, 0);
        }
        let said: u32 = bought.taken.iter().map(|t| t.from_held + t.from_available).sum();
        prop_assert!(said == taken || bought.taken.is_empty(), "{bought:?}");
        for part in &bought.taken {
            prop_assert!(!is_french || part.location.as_str() != "north", "{bought:?}");
            let slot = Slot::new(&part.sku, &part.location);
            *sold.entry(slot).or_default() += i64::from(part.from_held + part.from_available);
        }
        *sold.entry(bought.sku.clone().into()).or_default() += i64::from(taken - said);
    }
    Ok(())
}

/// Checks the stock against what arrived, what the carts hold and what the orders took.
pub fn audit_stock(
    stock: &StockLevels,
    carts: &[Cart],
    supplied: &BTreeMap<Slot, i64>,
    sold: &BTreeMap<Slot, i64>,
) -> Check {
    let holds = holds_of(carts)?;
    prop_assert_eq!(stock.iter().count(), supplied.len(), "no product enters the stock by itself");
    for (sku, level) in stock.iter() {
        let held = holds.get(sku).copied().unwrap_or_default();
        prop_assert!(level.is_conserved(), "{sku}: {level:?}");
        prop_assert_eq!(Some(&level.supplied), supplied.get(sku));
        prop_assert_eq!(level.held, held, "held of {}", sku);
        prop_assert_eq!(level.sold, sold.get(sku).copied().unwrap_or_default(), "sold of {}", sku);
    }
    Ok(())
}

pub fn audit_lines(cart: &Cart) -> Check {
    let ids: BTreeSet<_> = cart.lines.iter().map(Line::id).collect();
    prop_assert_eq!(ids.len(), cart.lines.len(), "equal lines are one");
    for line in &cart.lines {
        prop_assert!((1..=LINE_QUANTITY_MAX).contains(&line.quantity), "{line:?}");
        prop_assert!(line.held <= line.quantity && line.backordered <= line.quantity, "{line:?}");
    }
    Ok(())
}

pub fn audit_holds(world: &World, turn: &Turn) -> Check {
    let cart = &world.carts[turn.cart];
    let holds = |cart: &Cart| cart.lines.iter().map(|l| u64::from(l.held)).sum::<u64>();
    prop_assert_eq!(cart.holds_expire_at_ms.is_some(), holds(cart) > 0, "holds have an end: {:?}", cart);
    if holds(cart) > holds(&turn.before) {
        prop_assert_eq!(
            cart.holds_expire_at_ms,
            Some(world.now_ms + cart.workflow.hold_ms().unwrap_or(HOLD_MS)),
            "a new hold renews the time"
        );
    }
    if turn.request.command == Command::ExpireHolds && turn.outcome.is_ok() {
        let ended = turn.before.holds_expire_at_ms.is_some_and(|end| end <= world.now_ms);
        prop_assert_eq!(holds(cart), if ended { 0 } else { holds(&turn.before) });
    }
    if matches!(cart.stage, Stage::Ordered { .. }) {
        prop_assert_eq!(holds(cart), 0, "an order holds nothing");
    }
    Ok(())
}
