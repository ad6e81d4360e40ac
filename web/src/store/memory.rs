//! The strict double: memory behind the trait, for tests.
//!
//! It is stricter than the databases: what a caller can only do by mistake (writing a cart that was not wanted, moving
//! stock that was not asked for, holds that differ from the stock's) is a panic that names the mistake. And it can be
//! told to fail, conflict, stall and crash by its [`Faults`].

mod audit;
mod carts;
mod faults;
mod rules;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart_core::{Cart, CartId, Order, OrderId, Sku, StockLevel, StockLevels, VisitorId};
use tokio::sync::{Mutex, mpsc};

pub use faults::{Fault, Faults};

use super::{
    AdminSession, AdminUser, ArmRow, CatalogueSnapshot, Decision, Exposure, ImportedOrder, LookRow,
    OutboxEvent, Outcome, ProductSupply, Result, RollUp, ShopTotals, Store, StoreError, StoredDefinitions,
    StoredDocuments, StoredExperiment, SupplyOutcome, UnitRow, Wants,
};
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
    async fn turn(&self, wants: Wants, decision: Box<dyn Decision>) -> Result<Outcome> {
        let fault = self.faults.next();
        match &fault {
            Some(Fault::Stall(go_on)) => go_on.notified().await,
            Some(Fault::Fail) => return Err(StoreError::Unavailable("told to fail".into())),
            _ => {}
        }
        let mut state = self.state.lock().await;
        let staged = carts::decide(&state, &wants, decision);
        match fault {
            Some(Fault::Conflict) => return Err(StoreError::Conflict("told to conflict".into())),
            Some(Fault::CrashBeforeCommit) => return Err(StoreError::Unknown("told to crash before".into())),
            _ => {}
        }
        let outcome = carts::commit(&mut state, staged);
        match fault {
            Some(Fault::CrashAfterCommit) => Err(StoreError::Unknown("told to crash after".into())),
            _ => Ok(outcome),
        }
    }

    async fn cart(&self, id: &CartId) -> Result<Option<Cart>> {
        Ok(self.state.lock().await.carts.get(id).map(|row| Cart::clone(&row.cart)))
    }

    async fn open_cart_of(&self, owner: &VisitorId) -> Result<Option<CartId>> {
        let state = self.state.lock().await;
        let open =
            state.carts.values().filter(|row| row.cart.owner == *owner && row.cart.order_id().is_none());
        Ok(open.max_by_key(|row| row.number).map(|row| row.cart.id.clone()))
    }

    async fn carts_with_ended_holds(&self, now_ms: i64, limit: usize) -> Result<Vec<CartId>> {
        let state = self.state.lock().await;
        let ends = |row: &state::CartRow| row.cart.holds_expire_at_ms.filter(|end| *end <= now_ms);
        let mut ended: Vec<_> = state.carts.iter().filter_map(|(id, row)| Some((ends(row)?, id))).collect();
        ended.sort();
        Ok(ended.into_iter().take(limit).map(|(_, id)| id.clone()).collect())
    }

    async fn forget_keys(&self, before_ms: i64) -> Result<u64> {
        let mut state = self.state.lock().await;
        let before = state.keys.len();
        state.keys.retain(|_, key| key.at_ms >= before_ms);
        Ok((before - state.keys.len()) as u64)
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn listen(&self, _: mpsc::Sender<CartId>) -> Result<()> {
        std::future::pending().await
    }

    async fn catalogue(&self, known: u64) -> Result<Option<CatalogueSnapshot>> {
        let state = self.state.lock().await;
        let revision = state.catalogue_revision;
        let products = || state.products.values().cloned().collect();
        Ok((revision != known).then(|| CatalogueSnapshot { revision, products: products() }))
    }

    async fn put_products(&self, products: &[ProductSupply]) -> Result<Vec<SupplyOutcome>> {
        Ok(self.state.lock().await.put_products(products))
    }

    async fn stock(&self, skus: &BTreeSet<Sku>) -> Result<StockLevels> {
        Ok(self.state.lock().await.levels(skus))
    }

    async fn sold_out(&self) -> Result<BTreeSet<Sku>> {
        let state = self.state.lock().await;
        let tracked = state.products.values().filter(|p| p.stock_policy.is_tracked()).map(|p| &p.sku);
        Ok(tracked.filter(|sku| state.stock.get(*sku).is_none_or(|l| l.available == 0)).cloned().collect())
    }

    async fn documents(&self, known: u64) -> Result<Option<StoredDocuments>> {
        let stored = self.state.lock().await.documents.clone();
        Ok((stored.revision != known).then_some(stored))
    }

    async fn put_document(&self, name: &str, text: &str, _: i64) -> Result<()> {
        let stored = &mut self.state.lock().await.documents;
        stored.documents.insert(name.to_owned(), text.to_owned());
        stored.revision += 1;
        Ok(())
    }

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

    async fn import_orders(&self, orders: &[ImportedOrder]) -> Result<u64> {
        Ok(self.state.lock().await.import_orders(orders))
    }

    async fn totals(&self) -> Result<ShopTotals> {
        Ok(self.state.lock().await.totals())
    }

    async fn definitions(&self, known: u64) -> Result<Option<StoredDefinitions>> {
        let state = self.state.lock().await;
        let revision = state.definitions_revision;
        let newest = || state.experiments.values().filter_map(|history| history.last().cloned()).collect();
        Ok((revision != known).then(|| StoredDefinitions { revision, experiments: newest() }))
    }

    async fn save_definition(
        &self,
        experiment: &StoredExperiment,
        expected: Option<u64>,
        _: &str,
    ) -> Result<u64> {
        self.state.lock().await.save_definition(experiment, expected)
    }

    async fn history(&self, key: &str) -> Result<Vec<StoredExperiment>> {
        Ok(self.state.lock().await.experiments.get(key).cloned().unwrap_or_default())
    }

    async fn expose(&self, exposures: &[Exposure]) -> Result<Vec<Exposure>> {
        Ok(self.state.lock().await.expose(exposures.to_vec()))
    }

    async fn outbox_after(&self, position: u64, limit: usize) -> Result<Vec<OutboxEvent>> {
        let state = self.state.lock().await;
        Ok(state.outbox.iter().filter(|e| e.position > position).take(limit).cloned().collect())
    }

    async fn cursor(&self, reader: &str) -> Result<u64> {
        Ok(self.state.lock().await.cursor(reader))
    }

    async fn set_cursor(&self, reader: &str, position: u64) -> Result<()> {
        self.state.lock().await.cursors.insert(reader.to_owned(), position);
        Ok(())
    }

    async fn lease(&self, reader: &str, process: &str, now_ms: i64, until_ms: i64) -> Result<bool> {
        let mut state = self.state.lock().await;
        let is_free =
            state.leases.get(reader).is_none_or(|(holder, until)| holder == process || *until <= now_ms);
        if is_free {
            state.leases.insert(reader.to_owned(), (process.to_owned(), until_ms));
        }
        Ok(is_free)
    }

    async fn outbox_lag(&self, reader: &str, at_most: u64) -> Result<u64> {
        let state = self.state.lock().await;
        let at = state.cursor(reader);
        Ok((state.outbox.iter().filter(|e| e.position > at).count() as u64).min(at_most))
    }

    async fn units(&self, units: &BTreeSet<VisitorId>) -> Result<Vec<UnitRow>> {
        Ok(self.state.lock().await.units.values().filter(|row| units.contains(&row.unit)).cloned().collect())
    }

    async fn arms(&self) -> Result<BTreeMap<String, Vec<ArmRow>>> {
        let mut arms: BTreeMap<String, Vec<ArmRow>> = BTreeMap::new();
        for row in self.state.lock().await.arms.values() {
            arms.entry(row.experiment.clone()).or_default().push(row.clone());
        }
        Ok(arms)
    }

    async fn looks(&self, experiment: &str) -> Result<Vec<LookRow>> {
        Ok(self
            .state
            .lock()
            .await
            .looks
            .values()
            .filter(|row| row.experiment == experiment)
            .cloned()
            .collect())
    }

    async fn save_roll_up(&self, roll_up: &RollUp) -> Result<()> {
        self.state.lock().await.save_roll_up(roll_up)
    }

    async fn reset_roll_ups(&self) -> Result<()> {
        self.state.lock().await.reset_roll_ups();
        Ok(())
    }

    async fn admin_user(&self, name: &str) -> Result<Option<AdminUser>> {
        Ok(self.state.lock().await.users.get(name).cloned())
    }

    async fn put_admin_user(&self, user: &AdminUser) -> Result<()> {
        self.state.lock().await.users.insert(user.name.clone(), user.clone());
        Ok(())
    }

    async fn put_admin_session(&self, session: &AdminSession, now_ms: i64) -> Result<u64> {
        let mut state = self.state.lock().await;
        assert!(
            state.users.contains_key(&session.user),
            "a session for {:?}, who is no admin user",
            session.user
        );
        state.sessions.insert(session.token_hash.clone(), session.clone());
        let before = state.sessions.len();
        state.sessions.retain(|_, session| session.ends_at_ms > now_ms);
        Ok((before - state.sessions.len()) as u64)
    }

    async fn admin_session(&self, token_hash: &str, now_ms: i64) -> Result<Option<AdminSession>> {
        let state = self.state.lock().await;
        Ok(state.sessions.get(token_hash).filter(|s| s.ends_at_ms > now_ms).cloned())
    }

    async fn delete_admin_session(&self, token_hash: &str) -> Result<()> {
        self.state.lock().await.sessions.remove(token_hash);
        Ok(())
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    async fn audit(&self) -> Result<Vec<String>> {
        Ok(audit::audit(&*self.state.lock().await))
    }
}
