//! The rules of letting another location send what waits of an order.

use std::collections::BTreeMap;

use super::{
    Facts,
    allocation::serving,
    parcel::{add, invalid, packed},
};
use crate::{
    Cart, CartEvent, Order, OrderStatus, Packed, Rejection, Relocation, RelocationWish, Sku, Slot,
    limits::ORDER_RELOCATIONS_MAX, stock::Movement,
};

/// Moves what is named, or all that waits in a location, to another one that serves where the order goes to: its shelf gives
/// the pieces or, as far as they may be owed, it owes them from now on. What nobody counts waits nowhere, and is not moved.
///
/// # Errors
/// [`Rejection::OutOfStock`] where the other location has too few, counted without those that go back to the first one's shelf.
pub(super) fn relocate(
    cart: &Cart,
    facts: &Facts<'_>,
    order: &Order,
    wish: &RelocationWish,
) -> Result<Vec<CartEvent>, Rejection> {
    let RelocationWish { from, to, contents } = wish;
    let state = &order.state;
    if state.status != OrderStatus::Placed {
        return Err(Rejection::OrderState { status: state.status.name().into() });
    }
    if from == to {
        return Err(invalid("to", format!("is {to}, where it waits already; name another location")));
    }
    let serving = serving(cart, facts);
    if !serving.contains(to) {
        let names: Vec<_> = serving.iter().filter(|id| *id != from).map(|id| id.as_str()).collect();
        let others = if names.is_empty() {
            "and no other location does".into()
        } else {
            format!("name one of {}", names.join(", "))
        };
        return Err(invalid("to", format!("is {to}, which does not send where the order goes; {others}")));
    }
    let mut waiting = order.unsent(state);
    waiting.retain(|waiting| waiting.location.as_ref() == Some(from));
    let named = packed(Some(from), facts, order, contents, waiting)?;
    let mut contents = vec![];
    named.into_iter().for_each(|(_, packed)| add(&mut contents, packed));
    if contents.is_empty() {
        return Err(invalid("from", format!("is {from}, where no counted pieces of the order wait")));
    }
    if state.relocations.len() >= ORDER_RELOCATIONS_MAX {
        return Err(invalid("to", format!("makes more than {ORDER_RELOCATIONS_MAX} moves of the order")));
    }
    can_give(facts, wish, &contents)?;
    let relocation = Relocation { at_ms: facts.now_ms, from: from.clone(), to: to.clone(), contents };
    Ok(vec![CartEvent::OrderRelocated { order_id: order.order_id.clone(), relocation }])
}

/// The pieces are put back in thought: what the first location owes of them, the other may.
fn can_give(facts: &Facts<'_>, wish: &RelocationWish, contents: &[Packed]) -> Result<(), Rejection> {
    let mut sums: BTreeMap<&Sku, u32> = BTreeMap::new();
    for packed in contents {
        *sums.entry(&packed.sku).or_default() += packed.pieces;
    }
    let mut stock = facts.stock.clone();
    for (sku, wanted) in sums {
        let from = Slot::new(sku, &wish.from);
        if let Some(mut level) = stock.at(&from) {
            level.apply(Movement::restock(wanted.into()));
            stock.insert(from, level);
        }
        let owed_max = facts.products.product(sku).map_or(0, |product| product.owed_max(facts.now_ms));
        let available = stock.obtainable_at(&Slot::new(sku, &wish.to), owed_max);
        if available < i64::from(wanted) {
            return Err(Rejection::OutOfStock { sku: sku.clone(), available, wanted });
        }
    }
    Ok(())
}
