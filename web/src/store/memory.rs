//! The strict double: memory behind the trait, for tests.
//!
//! It is stricter than the databases: what a caller can only do by mistake (writing a cart that was not wanted, moving
//! stock that was not asked for, holds that differ from the stock's) is a panic that names the mistake. And it can be
//! told to fail, conflict, stall and crash by its [`Faults`].

mod accounts;
mod admins;
mod audit;
mod carts;
mod catalogue;
mod deliveries;
mod documents;
mod experiments;
mod faults;
mod gift_cards;
mod histories;
mod lists;
mod orders;
mod outbox;
mod payments;
mod report_links;
mod rollups;
mod rules;
mod search;
mod shares;
mod shelf_counts;
mod state;
mod stock;
mod stock_requests;
mod users;
mod webhooks;

use async_trait::async_trait;
use cart_core::{Sku, StockLevel};
use tokio::sync::Mutex;

pub use faults::{Fault, Faults};

use super::{Result, Store};
use state::State;

/// Keeps the state in memory and forgets it when dropped.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    faults: Faults,
}

impl MemoryStore {
    /// Returns an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the handle that makes turns go wrong.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// Overwrites the stock of a product as a careless hand in the tables would, past every rule.
    pub async fn overwrite_stock(&self, sku: &Sku, level: StockLevel) {
        self.state.lock().await.stock.insert(sku.clone(), level);
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    async fn audit(&self) -> Result<Vec<String>> {
        Ok(audit::audit(&*self.state.lock().await))
    }
}
