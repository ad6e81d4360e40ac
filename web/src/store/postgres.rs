//! PostgreSQL behind the trait: any number of processes may share it.

mod accounts;
mod admins;
mod audit;
mod carts;
mod catalogue;
mod cells;
mod deliveries;
mod documents;
mod error;
mod experiments;
mod gift_cards;
mod histories;
mod listen;
mod lists;
mod orders;
mod outbox;
mod payments;
mod pool;
mod report_links;
mod rollups;
mod schema;
mod search;
mod shares;
mod shelf;
mod shelf_counts;
mod stock;
mod stock_requests;
mod transaction;
mod turn;
mod users;
mod webhooks;

use async_trait::async_trait;
use deadpool_postgres::{Client, Pool};
use pool::Drive;
use shelf::Shelf;
use transaction::bounded;
use turn::tell::Teller;
use uuid::Uuid;

use super::{Result, Store};

/// Keeps the state in a PostgreSQL database of version 13 or later.
pub struct PostgresStore {
    pool: Pool,
    /// The connections of turns, each driven by its shard's own thread: a turn waits for nobody else to be woken, which on a
    /// busy machine takes longer than the server's work.
    turns: Pool,
    config: tokio_postgres::Config,
    /// Tells this process's notifications from those of others.
    node: String,
    teller: Teller,
    shelf: Shelf,
    prepared: turn::Prepared,
}

impl PostgresStore {
    /// Connects to the database of an address and brings its schema up to date. The connections live on the runtime
    /// that calls this; those of turns on their callers'.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`](super::StoreError::Unavailable) where the address cannot be read or nothing useful
    /// answers there.
    pub async fn connect(url: &str, connections: usize) -> Result<Self> {
        let config = pool::config(url)?;
        let pool = pool::open(&config, connections, &Drive::Here)?;
        let turns = pool::open(&config, connections, &Drive::ByCaller)?;
        schema::migrate(pool::first(&pool).await?).await?;
        let node = Uuid::new_v4().simple().to_string();
        let teller = Teller::new(pool.clone(), &node);
        Ok(Self {
            pool,
            turns,
            config,
            node,
            teller,
            shelf: Shelf::default(),
            prepared: turn::Prepared::default(),
        })
    }

    async fn client(&self) -> Result<Client> {
        self.pool.get().await.map_err(error::of_pool)
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn ping(&self) -> Result<()> {
        bounded(pool::ping(&self.client().await?)).await
    }

    async fn audit(&self) -> Result<Vec<String>> {
        audit::run(self.client().await?).await
    }
}
