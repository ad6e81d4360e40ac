//! What sells: the pieces of each product ordered within the window that the shop looks back.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use arc_swap::ArcSwap;
use cart_core::Sku;

use crate::store::{self, Store, readers};

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// Holds the newest sums for everybody.
#[derive(Debug, Default)]
pub struct Sellers {
    sales: ArcSwap<HashMap<Sku, u64>>,
    /// The first day and the place in the outbox that the sums are of.
    seen: Mutex<Option<(i64, u64)>>,
}

impl Sellers {
    /// Returns the sums as of now.
    pub fn get(&self) -> Arc<HashMap<Sku, u64>> {
        self.sales.load_full()
    }

    /// Reads the sums of the last so many days, today's included, where orders were rolled up since or a day has begun.
    ///
    /// # Errors
    /// What the store says; the earlier sums stay.
    pub async fn refresh(&self, store: &dyn Store, days: u32, now_ms: i64) -> store::Result<()> {
        let first = now_ms.div_euclid(DAY_MS) - i64::from(days) + 1;
        let place = store.cursor(readers::ROLLUPS).await?;
        let seen = *self.seen.lock().expect("no thread panics with the lock held");
        if seen == Some((first, place)) {
            return Ok(());
        }
        self.sales.store(Arc::new(store.sales_since(first).await?));
        *self.seen.lock().expect("no thread panics with the lock held") = Some((first, place));
        Ok(())
    }
}
