//! Orders that came from elsewhere, and the sum of our own.

use cart_core::Order;

/// Is an order of another system. Its cart and payment are named after the order.
#[derive(Clone, Debug)]
pub struct ImportedOrder(pub Order);

/// Sums what the shop did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShopTotals {
    /// Carts ever opened.
    pub carts: u64,
    /// The shop's own orders; imported ones are not among them.
    pub orders: u64,
    /// Their revenue in minor units.
    pub revenue_minor: i64,
}
