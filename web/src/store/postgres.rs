//! PostgreSQL behind the trait: any number of processes may share it.

mod accounts;
mod audit;
mod carts;
mod catalogue;
mod cells;
mod documents;
mod error;
mod experiments;
mod listen;
mod orders;
mod outbox;
mod pool;
mod rollups;
mod schema;
mod transaction;
mod turn;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart_core::{Cart, CartId, Order, OrderId, Sku, StockLevels, VisitorId};
use deadpool_postgres::{Client, Pool};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    AdminSession, AdminUser, ArmRow, CatalogueSnapshot, Decision, Exposure, ImportedOrder, LookRow,
    OutboxEvent, Outcome, ProductSupply, Result, RollUp, ShopTotals, Store, StoredDefinitions,
    StoredDocuments, StoredExperiment, SupplyOutcome, UnitRow, Wants,
};
use transaction::bounded;

/// Keeps the state in a PostgreSQL database of version 13 or later.
pub struct PostgresStore {
    pool: Pool,
    config: tokio_postgres::Config,
    /// Tells this process's notifications from those of others.
    node: String,
}

impl PostgresStore {
    /// Connects to the database of an address and brings its schema up to date. The connections live on the runtime
    /// that calls this.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`](super::StoreError::Unavailable) where the address cannot be read or nothing useful
    /// answers there.
    pub async fn connect(url: &str, connections: usize) -> Result<Self> {
        let config = pool::config(url)?;
        let pool = pool::open(&config, connections)?;
        schema::migrate(pool::first(&pool).await?).await?;
        Ok(Self { pool, config, node: Uuid::new_v4().simple().to_string() })
    }

    async fn client(&self) -> Result<Client> {
        self.pool.get().await.map_err(error::of_pool)
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn turn(&self, wants: Wants, decision: Box<dyn Decision>) -> Result<Outcome> {
        turn::run(self.client().await?, &self.node, &wants, decision).await
    }

    async fn cart(&self, id: &CartId) -> Result<Option<Cart>> {
        bounded(carts::cart(&self.client().await?, id)).await
    }

    async fn open_cart_of(&self, owner: &VisitorId) -> Result<Option<CartId>> {
        bounded(carts::open_cart_of(&self.client().await?, owner)).await
    }

    async fn carts_with_ended_holds(&self, now_ms: i64, limit: usize) -> Result<Vec<CartId>> {
        bounded(carts::with_ended_holds(&self.client().await?, now_ms, limit)).await
    }

    async fn forget_keys(&self, before_ms: i64) -> Result<u64> {
        carts::forget_keys(&self.client().await?, before_ms).await
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn listen(&self, changed: mpsc::Sender<CartId>) -> Result<()> {
        listen::run(&self.config, &self.node, changed).await
    }

    async fn catalogue(&self, known: u64) -> Result<Option<CatalogueSnapshot>> {
        bounded(catalogue::snapshot(&self.client().await?, known)).await
    }

    async fn put_products(&self, products: &[ProductSupply]) -> Result<Vec<SupplyOutcome>> {
        catalogue::put(self.client().await?, products).await
    }

    async fn stock(&self, skus: &BTreeSet<Sku>) -> Result<StockLevels> {
        bounded(catalogue::stock(&self.client().await?, skus)).await
    }

    async fn sold_out(&self) -> Result<BTreeSet<Sku>> {
        bounded(catalogue::sold_out(&self.client().await?)).await
    }

    async fn documents(&self, known: u64) -> Result<Option<StoredDocuments>> {
        bounded(documents::documents(&self.client().await?, known)).await
    }

    async fn put_document(&self, name: &str, text: &str, at_ms: i64) -> Result<()> {
        bounded(documents::put(&self.client().await?, name, text, at_ms)).await
    }

    async fn order(&self, id: &OrderId) -> Result<Option<Order>> {
        bounded(orders::order(&self.client().await?, id)).await
    }

    async fn orders_of(&self, owner: &VisitorId, limit: usize) -> Result<Vec<Order>> {
        bounded(orders::orders_of(&self.client().await?, owner, limit)).await
    }

    async fn import_orders(&self, orders: &[ImportedOrder]) -> Result<u64> {
        let mut new = 0;
        for chunk in orders.chunks(orders::IMPORT_MAX) {
            new += orders::import(self.client().await?, chunk).await?;
        }
        Ok(new)
    }

    async fn totals(&self) -> Result<ShopTotals> {
        bounded(orders::totals(&self.client().await?)).await
    }

    async fn definitions(&self, known: u64) -> Result<Option<StoredDefinitions>> {
        bounded(experiments::definitions(&self.client().await?, known)).await
    }

    async fn save_definition(
        &self,
        experiment: &StoredExperiment,
        expected: Option<u64>,
        by: &str,
    ) -> Result<u64> {
        experiments::save(self.client().await?, experiment, expected, by).await
    }

    async fn history(&self, key: &str) -> Result<Vec<StoredExperiment>> {
        bounded(experiments::history(&self.client().await?, key)).await
    }

    async fn expose(&self, exposures: &[Exposure]) -> Result<Vec<Exposure>> {
        experiments::expose(self.client().await?, exposures).await
    }

    async fn outbox_after(&self, position: u64, limit: usize) -> Result<Vec<OutboxEvent>> {
        bounded(outbox::after(&self.client().await?, position, limit)).await
    }

    async fn cursor(&self, reader: &str) -> Result<u64> {
        bounded(outbox::cursor(&self.client().await?, reader)).await
    }

    async fn set_cursor(&self, reader: &str, position: u64) -> Result<()> {
        bounded(outbox::set_cursor(&self.client().await?, reader, position)).await
    }

    async fn lease(&self, reader: &str, process: &str, now_ms: i64, until_ms: i64) -> Result<bool> {
        bounded(outbox::lease(&self.client().await?, reader, process, now_ms, until_ms)).await
    }

    async fn outbox_lag(&self, reader: &str, at_most: u64) -> Result<u64> {
        bounded(outbox::lag(&self.client().await?, reader, at_most)).await
    }

    async fn units(&self, units: &BTreeSet<VisitorId>) -> Result<Vec<UnitRow>> {
        bounded(rollups::units(&self.client().await?, units)).await
    }

    async fn arms(&self) -> Result<BTreeMap<String, Vec<ArmRow>>> {
        bounded(rollups::arms(&self.client().await?)).await
    }

    async fn looks(&self, experiment: &str) -> Result<Vec<LookRow>> {
        bounded(rollups::looks(&self.client().await?, experiment)).await
    }

    async fn save_roll_up(&self, roll_up: &RollUp) -> Result<()> {
        rollups::save(self.client().await?, roll_up).await
    }

    async fn reset_roll_ups(&self) -> Result<()> {
        rollups::reset(self.client().await?).await
    }

    async fn admin_user(&self, name: &str) -> Result<Option<AdminUser>> {
        bounded(accounts::user(&self.client().await?, name)).await
    }

    async fn put_admin_user(&self, user: &AdminUser) -> Result<()> {
        bounded(accounts::put_user(&self.client().await?, user)).await
    }

    async fn put_admin_session(&self, session: &AdminSession, now_ms: i64) -> Result<u64> {
        bounded(accounts::put_session(&self.client().await?, session, now_ms)).await
    }

    async fn admin_session(&self, token_hash: &str, now_ms: i64) -> Result<Option<AdminSession>> {
        bounded(accounts::session(&self.client().await?, token_hash, now_ms)).await
    }

    async fn delete_admin_session(&self, token_hash: &str) -> Result<()> {
        bounded(accounts::delete_session(&self.client().await?, token_hash)).await
    }

    async fn ping(&self) -> Result<()> {
        bounded(pool::ping(&self.client().await?)).await
    }

    async fn audit(&self) -> Result<Vec<String>> {
        audit::run(self.client().await?).await
    }
}
