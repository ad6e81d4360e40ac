//! Orders.

use std::collections::BTreeSet;

use async_trait::async_trait;
use cart_core::{Order, OrderId, Sku, VisitorId};

use super::super::{ImportedOrder, OrderQuery, OrderStore, Result, ShopTotals};
use super::MemoryStore;

#[async_trait]
impl OrderStore for MemoryStore {
    async fn order(&self, id: &OrderId) -> Result<Option<Order>> {
        Ok(self.state.lock().await.orders.get(id).map(|row| row.order.clone()))
    }

    async fn orders_of(&self, owner: &VisitorId, limit: usize) -> Result<Vec<Order>> {
        let state = self.state.lock().await;
        let mut orders: Vec<&Order> =
            state.orders.values().map(|row| &row.order).filter(|o| o.owner == *owner).collect();
        orders.sort_by(|a, b| (b.placed_at_ms, &b.order_id).cmp(&(a.placed_at_ms, &a.order_id)));
        Ok(orders.into_iter().take(limit).cloned().collect())
    }

    async fn bought_by(&self, owner: &VisitorId, orders: usize) -> Result<BTreeSet<Sku>> {
        let orders = self.orders_of(owner, orders).await?;
        Ok(orders.iter().flat_map(|order| &order.lines).map(|line| line.sku.clone()).collect())
    }

    async fn find_orders(&self, query: &OrderQuery, limit: usize) -> Result<Vec<Order>> {
        let state = self.state.lock().await;
        let OrderQuery { owner, status, text, before } = query;
        let fits = |o: &&Order| {
            owner.as_ref().is_none_or(|owner| o.owner == *owner)
                && status.is_none_or(|status| o.state.status.name() == status)
                && text.as_ref().is_none_or(|t| o.order_id.as_str() == t || o.email.to_lowercase() == *t)
                && before.as_ref().is_none_or(|(at, id)| (o.placed_at_ms, &o.order_id) < (*at, id))
        };
        let mut orders: Vec<&Order> = state.orders.values().map(|row| &row.order).filter(fits).collect();
        orders.sort_by(|a, b| (b.placed_at_ms, &b.order_id).cmp(&(a.placed_at_ms, &a.order_id)));
        Ok(orders.into_iter().take(limit).cloned().collect())
    }

    async fn import_orders(&self, orders: &[ImportedOrder]) -> Result<u64> {
        Ok(self.state.lock().await.import_orders(orders))
    }

    async fn totals(&self) -> Result<ShopTotals> {
        Ok(self.state.lock().await.totals())
    }
}
