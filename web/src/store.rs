//! The durable state behind one trait: carts, stock, orders, experiments, the outbox and what is derived from it.
//!
//! The heart is [`Store::turn`]: one transaction that loads and locks what a batch of cart commands needs, lets the
//! caller decide on it, writes what was decided and only then hands the answers out. So nothing can be answered
//! before it is committed.

pub mod accounts;
pub mod catalogue;
pub mod connect;
pub mod documents;
pub mod error;
pub mod experiments;
pub mod memory;
pub mod orders;
pub mod outbox;
pub mod postgres;
pub mod rollups;
pub mod sqlite;
pub mod turn;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use cart_core::{Cart, CartId, Order, OrderId, Sku, StockLevels, VisitorId};
use tokio::sync::mpsc;

pub use accounts::{AdminSession, AdminUser};
pub use catalogue::{CatalogueSnapshot, ProductSupply, SupplyOutcome};
pub use connect::connect;
pub use documents::StoredDocuments;
pub use error::StoreError;
pub use experiments::{Exposure, StoredDefinitions, StoredExperiment};
pub use orders::{ImportedOrder, ShopTotals};
pub use outbox::OutboxEvent;
pub use rollups::{ArmRow, LookRow, RollUp, UnitRow};
pub use turn::{
    Accepted, Answer, CartWrite, Decision, EventWrite, KeyRef, KeyWrite, Loaded, LoadedCart, Outcome, Staged,
    StoredAnswer, Touched, Wants,
};

/// Is the answer of every store call.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Keeps the state. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    // Carts

    /// Runs one turn: begins a transaction; loads and locks the wanted carts in the order of their ids, then reads
    /// the wanted keys; asks `decision.skus` and locks those stock rows in the order of their SKUs; asks
    /// `decision.decide`; writes what was staged, each cart guarded by its version; commits; returns the outcome
    /// with `exposed` filled in. A turn that stages no write commits nothing and is still answered in order.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where a guard failed and nothing was written (try the turn again);
    /// [`StoreError::Unavailable`] where surely nothing was written; [`StoreError::Unknown`] where the commit's fate
    /// is not known (the callers heal by version and idempotency key).
    async fn turn(&self, wants: Wants, decision: Box<dyn Decision>) -> Result<Outcome>;

    /// Reads a cart as of now.
    async fn cart(&self, id: &CartId) -> Result<Option<Cart>>;

    /// Returns the visitor's newest cart that has not become an order.
    async fn open_cart_of(&self, owner: &VisitorId) -> Result<Option<CartId>>;

    /// Returns carts, at most `limit`, whose holds ended at or before `now_ms`.
    async fn carts_with_ended_holds(&self, now_ms: i64, limit: usize) -> Result<Vec<CartId>>;

    /// Forgets answers kept under idempotency keys before `before_ms`; returns how many.
    async fn forget_keys(&self, before_ms: i64) -> Result<u64>;

    /// Reports whether other processes may write the same carts.
    fn is_shared(&self) -> bool;

    /// Sends the id of each cart that another process has changed, until the connection breaks. A store that is not
    /// shared never returns.
    async fn listen(&self, changed: mpsc::Sender<CartId>) -> Result<()>;

    // Catalogue and stock

    /// Returns the catalogue where its revision differs from `known`; revisions grow with every change.
    async fn catalogue(&self, known: u64) -> Result<Option<CatalogueSnapshot>>;

    /// Inserts or updates products and their supply; answers one outcome a product, in order. A refused product
    /// leaves its neighbours written.
    async fn put_products(&self, products: &[ProductSupply]) -> Result<Vec<SupplyOutcome>>;

    /// Reads the stock of some products; those without a row are left out.
    async fn stock(&self, skus: &BTreeSet<Sku>) -> Result<StockLevels>;

    /// Returns the tracked products of which no piece is available.
    async fn sold_out(&self) -> Result<BTreeSet<Sku>>;

    // Terms

    /// Returns the shop's documents where their revision differs from `known`.
    async fn documents(&self, known: u64) -> Result<Option<StoredDocuments>>;

    /// Writes a document over the one of that name; the caller has checked that it makes sense.
    async fn put_document(&self, name: &str, text: &str, at_ms: i64) -> Result<()>;

    // Orders

    /// Reads an order.
    async fn order(&self, id: &OrderId) -> Result<Option<Order>>;

    /// Returns the visitor's newest orders first, imported ones included, at most `limit`.
    async fn orders_of(&self, owner: &VisitorId, limit: usize) -> Result<Vec<Order>>;

    /// Inserts orders of another system that are not there yet, each with its `order_placed` event at the order's
    /// own time and `"source":"import"`; returns how many were new. Stock is not touched.
    async fn import_orders(&self, orders: &[ImportedOrder]) -> Result<u64>;

    /// Sums carts, and the shop's own orders and their revenue in minor units.
    async fn totals(&self) -> Result<ShopTotals>;

    // Experiments

    /// Returns all definitions where their common revision differs from `known`.
    async fn definitions(&self, known: u64) -> Result<Option<StoredDefinitions>>;

    /// Saves a definition as the next revision of its key and keeps the earlier one in the history.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the key's revision is not `expected` (`None`: the key must be new).
    async fn save_definition(
        &self,
        experiment: &StoredExperiment,
        expected: Option<u64>,
        by: &str,
    ) -> Result<u64>;

    /// Returns every revision of a key, the oldest first.
    async fn history(&self, key: &str) -> Result<Vec<StoredExperiment>>;

    /// Logs exposures that are not logged yet, each with its `exposure_logged` event; returns the new ones.
    async fn expose(&self, exposures: &[Exposure]) -> Result<Vec<Exposure>>;

    // Outbox

    /// Returns events after a position, in order, at most `limit`; never one before which another may still appear.
    async fn outbox_after(&self, position: u64, limit: usize) -> Result<Vec<OutboxEvent>>;

    /// Returns how far a reader has come; 0 for a new one.
    async fn cursor(&self, reader: &str) -> Result<u64>;

    /// Notes how far a reader has come.
    async fn set_cursor(&self, reader: &str, position: u64) -> Result<()>;

    /// Takes or renews the lease of a reader for a process until `until_ms`; answers whether the process holds it. So
    /// one process at a time runs a reader, and another takes over when it dies.
    async fn lease(&self, reader: &str, process: &str, now_ms: i64, until_ms: i64) -> Result<bool>;

    /// Counts the events a reader has yet to read; counting stops at `at_most`.
    async fn outbox_lag(&self, reader: &str, at_most: u64) -> Result<u64>;

    // Roll-ups

    /// Reads the roll-up rows of some units, over all experiments.
    async fn units(&self, units: &BTreeSet<VisitorId>) -> Result<Vec<UnitRow>>;

    /// Reads the totals of every experiment's arms, by experiment key.
    async fn arms(&self) -> Result<BTreeMap<String, Vec<ArmRow>>>;

    /// Reads the looks of an experiment in order.
    async fn looks(&self, experiment: &str) -> Result<Vec<LookRow>>;

    /// Writes a step of the roll-ups and moves their cursor (reader `rollups`).
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the cursor is not `roll_up.from`: another process did this step.
    async fn save_roll_up(&self, roll_up: &RollUp) -> Result<()>;

    /// Empties the roll-ups and sets their cursor to 0, so that they are rebuilt.
    async fn reset_roll_ups(&self) -> Result<()>;

    // People

    /// Reads an admin user.
    async fn admin_user(&self, name: &str) -> Result<Option<AdminUser>>;

    /// Inserts or updates an admin user.
    async fn put_admin_user(&self, user: &AdminUser) -> Result<()>;

    /// Opens an admin session and forgets those that have ended by `now_ms`; returns how many.
    async fn put_admin_session(&self, session: &AdminSession, now_ms: i64) -> Result<u64>;

    /// Reads a session that has not ended by `now_ms`.
    async fn admin_session(&self, token_hash: &str, now_ms: i64) -> Result<Option<AdminSession>>;

    /// Ends a session.
    async fn delete_admin_session(&self, token_hash: &str) -> Result<()>;

    // Operation

    /// Answers when the store can.
    async fn ping(&self) -> Result<()>;

    /// Checks the invariants over all rows and says what is broken, a sentence each: stock conserved; held pieces
    /// equal the holds of carts; sold pieces equal the lines of the shop's orders; one order a cart.
    async fn audit(&self) -> Result<Vec<String>>;
}
