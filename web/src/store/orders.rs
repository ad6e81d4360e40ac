//! Orders that came from elsewhere, and the sum of our own.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cart_core::{Order, OrderId, Sku, VisitorId};

use super::Result;

/// Keeps orders. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait OrderStore: Send + Sync {
    /// Reads an order.
    async fn order(&self, id: &OrderId) -> Result<Option<Order>>;

    /// Returns the visitor's newest orders first, imported ones included, at most `limit`.
    async fn orders_of(&self, owner: &VisitorId, limit: usize) -> Result<Vec<Order>>;

    /// Returns what stands in the visitor's newest orders, imported ones included, at most so many of them.
    async fn bought_by(&self, owner: &VisitorId, orders: usize) -> Result<BTreeSet<Sku>>;

    /// Returns orders, the newest first, at most `limit`.
    async fn find_orders(&self, query: &OrderQuery, limit: usize) -> Result<Vec<Order>>;

    /// Inserts orders of another system that are not there yet, each with its `order_placed` event at the order's
    /// own time and `"source":"import"`; returns how many were new. Stock is not touched.
    async fn import_orders(&self, orders: &[ImportedOrder]) -> Result<u64>;

    /// Sums carts, and the shop's own orders and their revenue in minor units.
    async fn totals(&self) -> Result<ShopTotals>;
}

/// Says which orders are looked for; what is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct OrderQuery {
    /// Who placed them.
    pub owner: Option<VisitorId>,
    /// How far they have come: the name of an [`cart_core::OrderStatus`].
    pub status: Option<&'static str>,
    /// The name of the order, or where questions about it go, in lower case.
    pub text: Option<String>,
    /// The time and name of the order that stands before the first one.
    pub before: Option<(i64, OrderId)>,
}

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
