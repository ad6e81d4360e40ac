//! What came back of imported orders, as tills export it: rows of negative quantity, mostly of orders of their own, such as
//! `C536379`, that do not say which order they take back.
//!
//! A row takes its pieces from the order that it stands in, and from there on from the orders of the same visitor that were placed
//! before it (or at the same time), the latest first, of the same SKU. What finds no such order, or more pieces than were bought, takes back nothing more, and is
//! counted. Orders of which nothing is left are not imported.

use std::collections::BTreeMap;

use cart_core::{Order, OrderId, Sku, VisitorId};

/// Is a row that takes pieces back.
pub struct Return {
    /// The order in which it stands.
    pub order: OrderId,
    /// Whose it is, where that is known.
    pub visitor: Option<VisitorId>,
    /// What came back.
    pub sku: Sku,
    /// How many pieces.
    pub pieces: u32,
    /// When, Unix milliseconds.
    pub at_ms: i64,
}

/// Counts what became of returns.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Rows whose pieces were all taken from orders.
    pub rows: u64,
    /// Rows that found too few pieces, or none.
    pub short: u64,
    /// Orders of which nothing is left.
    pub orders: u64,
}

/// Takes returns from orders, the earliest return first; orders of which nothing is left go.
pub fn take_back(orders: &mut BTreeMap<OrderId, Order>, mut returns: Vec<Return>) -> Taken {
    let mut taken = Taken::default();
    if returns.is_empty() {
        return taken;
    }
    returns.sort_by_key(|one| one.at_ms);
    // The orders of each visitor by their time.
    let mut of_visitors: BTreeMap<VisitorId, Vec<(i64, OrderId)>> = BTreeMap::new();
    for order in orders.values() {
        let of_one = of_visitors.entry(order.owner.clone()).or_default();
        of_one.push((order.placed_at_ms, order.order_id.clone()));
    }
    of_visitors.values_mut().for_each(|of_one| of_one.sort());
    for one in &returns {
        let earlier = one.visitor.as_ref().and_then(|visitor| of_visitors.get(visitor));
        let earlier = earlier.into_iter().flatten().rev().filter(|(at_ms, _)| *at_ms <= one.at_ms);
        let mut left = one.pieces;
        for id in std::iter::once(&one.order).chain(earlier.map(|(_, id)| id)) {
            if left == 0 {
                break;
            }
            left -= orders.get_mut(id).map_or(0, |order| take(order, &one.sku, left));
        }
        if left == 0 { taken.rows += 1 } else { taken.short += 1 }
    }
    let before = orders.len();
    orders.retain(|_, order| !order.lines.is_empty());
    taken.orders = (before - orders.len()) as u64;
    taken
}

/// Takes at most so many pieces from an order, and returns how many.
fn take(order: &mut Order, sku: &Sku, most: u32) -> u32 {
    let Some(line) = order.lines.iter_mut().find(|line| line.sku == *sku) else { return 0 };
    let pieces = most.min(line.quantity);
    line.quantity -= pieces;
    order.total_minor -= i64::from(pieces) * line.unit_price_minor;
    order.lines.retain(|line| line.quantity > 0);
    pieces
}
