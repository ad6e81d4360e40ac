//! What a shelf asks the store, and for how long it waits.
//!
//! A shelf never delays nor fails its page. Whatever it asks is waited for no longer than an algorithm is; what the store is slow to
//! tell, or does not, is done without and counted.

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use cart_core::{AssignedVariation, Order, Sku, StockLevels, VisitorId};

use super::{Shop, current_cart, log_exposures};
use crate::{
    metrics,
    shelves::{Shown, deadline::Failure},
    visitor::Visitor,
};

/// The orders that a visitor's taste is read from: what came before says little of it.
const TASTE_ORDERS: usize = 20;
/// The orders in which it is looked up what a visitor bought: an order every other day for five years, and some milliseconds of
/// the store.
const BOUGHT_ORDERS_MAX: usize = 1_000;
/// How long a shelf waits for the store where it is to wait for no algorithm.
const PATIENCE: Duration = Duration::from_millis(50);

impl Shop {
    /// Logs that a visitor has met who fills a shelf, where there is one to be seen.
    pub async fn expose_shelf(&self, who: &Visitor, shown: &Shown) {
        if !shown.items.is_empty() {
            self.expose_in_time(who, shown.met.clone()).await;
        }
    }

    /// As [`Shop::expose`], but where the store is slow, its page goes on and the exposure is written behind it.
    pub async fn expose_in_time(&self, who: &Visitor, met: Vec<AssignedVariation>) {
        if met.is_empty() {
            return;
        }
        let (store, exposures) = (self.store.clone(), self.exposures(who, met));
        let written = async move { log_exposures(&*store, exposures).await };
        if self.shelves.deadline.begun(self.patience(), written).await.is_err() {
            tracing::warn!("an exposure could not be logged: too many wait for the store");
            metrics::shelf_fallback("slow");
        }
    }

    /// Returns a visitor's newest orders that may say what to recommend to them; none where they want no history kept, or the store
    /// is slow to tell.
    pub async fn taste(&self, who: &Visitor) -> Vec<Order> {
        if who.circumstances.declined.is_some() {
            return vec![];
        }
        let (store, owner, unit) = (self.store.clone(), who.id.clone(), who.unit().clone());
        let telling = async move {
            let mut orders = store.orders_of(&owner, TASTE_ORDERS).await?;
            if !orders.is_empty() {
                let said = store.histories(&[unit.clone()].into()).await?;
                let said = said.get(&unit).copied().unwrap_or_default();
                orders.retain(|order| !said.leaves_out(order.placed_at_ms));
            }
            Ok::<_, crate::store::StoreError>(orders)
        };
        self.in_time(telling).await.unwrap_or_default()
    }

    /// Returns what lies in a visitor's open cart; nothing where the store is slow to tell.
    pub async fn in_open_cart(&self, who: &Visitor) -> BTreeSet<Sku> {
        let (store, carts, owner) = (self.store.clone(), self.carts.clone(), who.id.clone());
        let cart = self.in_time(async move { current_cart(&*store, &carts, &owner).await }).await.flatten();
        cart.map_or_else(BTreeSet::new, |cart| cart.lines.iter().map(|line| line.sku.clone()).collect())
    }

    /// Returns the stock of products that a shelf shows, at most half a second old, or nothing where the store is slow to tell.
    pub async fn shelf_stock(&self, skus: BTreeSet<Sku>) -> Option<Arc<StockLevels>> {
        if let Some(known) = self.shelves.levels.find(&skus) {
            return Some(known);
        }
        let (store, terms) = (self.store.clone(), self.terms.get());
        let read = async move {
            let levels = store.stock(&skus).await?;
            Ok::<_, crate::store::StoreError>(levels.within(terms.locations.ids()))
        };
        self.in_time(read).await.map(Arc::new)
    }

    /// Looks up what a visitor bought; nothing is known where the store does not say in time.
    pub(super) async fn bought_by(&self, who: &VisitorId) -> Option<BTreeSet<Sku>> {
        let (store, who) = (self.store.clone(), who.clone());
        self.in_time(async move { store.bought_by(&who, BOUGHT_ORDERS_MAX).await }).await
    }

    fn patience(&self) -> Duration {
        match self.config.shelves.deadline_ms {
            0 => PATIENCE,
            ms => Duration::from_millis(ms),
        }
    }

    /// Waits for an answer of the store for as long as a shelf may.
    async fn in_time<T, E>(&self, question: impl Future<Output = Result<T, E>> + Send + 'static) -> Option<T>
    where
        T: Send + 'static,
        E: fmt::Display + Send + 'static,
    {
        match self.shelves.deadline.answered(self.patience(), question).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the store could not tell what a shelf asked");
                metrics::shelf_fallback("store");
                None
            }
            Err(Failure::Late) => {
                metrics::shelf_fallback("slow");
                None
            }
            Err(Failure::Broken) => {
                metrics::shelf_fallback("broken");
                None
            }
        }
    }
}
