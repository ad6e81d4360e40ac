//! SQLite behind the trait: one file, one thread that writes, a few connections that read.

mod accounts;
mod audit;
mod carts;
mod catalogue;
mod columns;
mod connections;
mod documents;
mod experiments;
mod orders;
mod outbox;
mod rollups;
mod schema;
mod turn;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use async_trait::async_trait;
use cart_core::{Cart, CartId, Order, OrderId, Sku, StockLevels, VisitorId};
use tokio::sync::mpsc;

use super::{
    AdminSession, AdminUser, ArmRow, CatalogueSnapshot, Decision, Exposure, ImportedOrder, LookRow,
    OutboxEvent, Outcome, ProductSupply, Result, RollUp, ShopTotals, Store, StoredDefinitions,
    StoredDocuments, StoredExperiment, SupplyOutcome, UnitRow, Wants,
};
use connections::{Readers, Writer};

/// Keeps the state in one SQLite file.
///
/// All writes go through one connection on a thread of its own, so a transaction never waits for a lock, positions of
/// the outbox appear in order and a turn is decided where it is written. Reads have connections of their own and see
/// the newest committed state.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
}

impl SqliteStore {
    /// Opens the file, where need be creates it and its folder, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`](super::StoreError::Unavailable) where the file cannot be opened or written, and
    /// [`StoreError::Corrupt`](super::StoreError::Corrupt) where it is no SQLite file or was made by a newer version.
    pub async fn open(path: &Path) -> Result<Self> {
        let path = path.to_owned();
        connections::blocking(move || {
            let mut db = connections::create(&path)?;
            schema::migrate(&mut db)?;
            Ok(Self { writer: Writer::start(db)?, readers: Readers::new(&path) })
        })
        .await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn turn(&self, wants: Wants, decision: Box<dyn Decision>) -> Result<Outcome> {
        self.writer.run(move |db| turn::turn(db, &wants, decision)).await
    }

    async fn cart(&self, id: &CartId) -> Result<Option<Cart>> {
        let id = id.clone();
        self.readers.run(move |db| carts::cart(db, &id)).await
    }

    async fn open_cart_of(&self, owner: &VisitorId) -> Result<Option<CartId>> {
        let owner = owner.clone();
        self.readers.run(move |db| carts::open_cart_of(db, &owner)).await
    }

    async fn carts_with_ended_holds(&self, now_ms: i64, limit: usize) -> Result<Vec<CartId>> {
        self.readers.run(move |db| carts::with_ended_holds(db, now_ms, limit)).await
    }

    async fn forget_keys(&self, before_ms: i64) -> Result<u64> {
        let mut forgotten = 0;
        // A transaction a slice, so that turns need not wait for the end of a long one.
        loop {
            let slice = self.writer.run(move |db| carts::forget_keys(db, before_ms)).await?;
            forgotten += slice;
            if slice < carts::KEYS_FORGOTTEN_AT_ONCE {
                return Ok(forgotten);
            }
        }
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn listen(&self, _: mpsc::Sender<CartId>) -> Result<()> {
        std::future::pending().await
    }

    async fn catalogue(&self, known: u64) -> Result<Option<CatalogueSnapshot>> {
        self.readers.run(move |db| catalogue::snapshot(db, known)).await
    }

    async fn put_products(&self, products: &[ProductSupply]) -> Result<Vec<SupplyOutcome>> {
        let products = products.to_vec();
        self.writer.run(move |db| catalogue::put(db, &products)).await
    }

    async fn stock(&self, skus: &BTreeSet<Sku>) -> Result<StockLevels> {
        let skus = skus.clone();
        self.readers.run(move |db| catalogue::levels(db, &skus)).await
    }

    async fn sold_out(&self) -> Result<BTreeSet<Sku>> {
        self.readers.run(catalogue::sold_out).await
    }

    async fn documents(&self, known: u64) -> Result<Option<StoredDocuments>> {
        self.readers.run(move |db| documents::documents(db, known)).await
    }

    async fn put_document(&self, name: &str, text: &str, at_ms: i64) -> Result<()> {
        let (name, text) = (name.to_owned(), text.to_owned());
        self.writer.run(move |db| documents::put(db, &name, &text, at_ms)).await
    }

    async fn order(&self, id: &OrderId) -> Result<Option<Order>> {
        let id = id.clone();
        self.readers.run(move |db| orders::order(db, &id)).await
    }

    async fn orders_of(&self, owner: &VisitorId, limit: usize) -> Result<Vec<Order>> {
        let owner = owner.clone();
        self.readers.run(move |db| orders::of(db, &owner, limit)).await
    }

    async fn import_orders(&self, orders: &[ImportedOrder]) -> Result<u64> {
        let orders = orders.to_vec();
        self.writer.run(move |db| orders::import(db, &orders)).await
    }

    async fn totals(&self) -> Result<ShopTotals> {
        self.readers.run(orders::totals).await
    }

    async fn definitions(&self, known: u64) -> Result<Option<StoredDefinitions>> {
        self.readers.run(move |db| experiments::definitions(db, known)).await
    }

    async fn save_definition(
        &self,
        experiment: &StoredExperiment,
        expected: Option<u64>,
        by: &str,
    ) -> Result<u64> {
        let (experiment, by) = (experiment.clone(), by.to_owned());
        self.writer.run(move |db| experiments::save(db, &experiment, expected, &by)).await
    }

    async fn history(&self, key: &str) -> Result<Vec<StoredExperiment>> {
        let key = key.to_owned();
        self.readers.run(move |db| experiments::history(db, &key)).await
    }

    async fn expose(&self, exposures: &[Exposure]) -> Result<Vec<Exposure>> {
        if exposures.is_empty() {
            return Ok(vec![]);
        }
        let exposures = exposures.to_vec();
        self.writer.run(move |db| experiments::expose(db, exposures)).await
    }

    async fn outbox_after(&self, position: u64, limit: usize) -> Result<Vec<OutboxEvent>> {
        self.readers.run(move |db| outbox::after(db, position, limit)).await
    }

    async fn cursor(&self, reader: &str) -> Result<u64> {
        let reader = reader.to_owned();
        self.readers.run(move |db| outbox::cursor(db, &reader)).await
    }

    async fn set_cursor(&self, reader: &str, position: u64) -> Result<()> {
        let reader = reader.to_owned();
        self.writer.run(move |db| outbox::set_cursor(db, &reader, position)).await
    }

    async fn lease(&self, reader: &str, process: &str, now_ms: i64, until_ms: i64) -> Result<bool> {
        let (reader, process) = (reader.to_owned(), process.to_owned());
        self.writer.run(move |db| outbox::lease(db, &reader, &process, now_ms, until_ms)).await
    }

    async fn outbox_lag(&self, reader: &str, at_most: u64) -> Result<u64> {
        let reader = reader.to_owned();
        self.readers.run(move |db| outbox::lag(db, &reader, at_most)).await
    }

    async fn units(&self, units: &BTreeSet<VisitorId>) -> Result<Vec<UnitRow>> {
        let units = units.clone();
        self.readers.run(move |db| rollups::units(db, &units)).await
    }

    async fn arms(&self) -> Result<BTreeMap<String, Vec<ArmRow>>> {
        self.readers.run(rollups::arms).await
    }

    async fn looks(&self, experiment: &str) -> Result<Vec<LookRow>> {
        let experiment = experiment.to_owned();
        self.readers.run(move |db| rollups::looks(db, &experiment)).await
    }

    async fn save_roll_up(&self, roll_up: &RollUp) -> Result<()> {
        let roll_up = roll_up.clone();
        self.writer.run(move |db| rollups::save(db, &roll_up)).await
    }

    async fn reset_roll_ups(&self) -> Result<()> {
        self.writer.run(rollups::reset).await
    }

    async fn admin_user(&self, name: &str) -> Result<Option<AdminUser>> {
        let name = name.to_owned();
        self.readers.run(move |db| accounts::user(db, &name)).await
    }

    async fn put_admin_user(&self, user: &AdminUser) -> Result<()> {
        let user = user.clone();
        self.writer.run(move |db| accounts::put_user(db, &user)).await
    }

    async fn put_admin_session(&self, session: &AdminSession, now_ms: i64) -> Result<u64> {
        let session = session.clone();
        self.writer.run(move |db| accounts::put_session(db, &session, now_ms)).await
    }

    async fn admin_session(&self, token_hash: &str, now_ms: i64) -> Result<Option<AdminSession>> {
        let token_hash = token_hash.to_owned();
        self.readers.run(move |db| accounts::session(db, &token_hash, now_ms)).await
    }

    async fn delete_admin_session(&self, token_hash: &str) -> Result<()> {
        let token_hash = token_hash.to_owned();
        self.writer.run(move |db| accounts::delete_session(db, &token_hash)).await
    }

    async fn ping(&self) -> Result<()> {
        self.readers.run(schema::ping).await
    }

    async fn audit(&self) -> Result<Vec<String>> {
        self.readers.run(audit::audit).await
    }
}
