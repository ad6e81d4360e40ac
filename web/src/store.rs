//! The durable state behind one trait: carts, stock, orders, experiments, the outbox and what is derived from it.
//!
//! The heart is [`Store::turn`]: one transaction that loads and locks what a batch of cart commands needs, lets the
//! caller decide on it, writes what was decided and only then hands the answers out. So nothing can be answered
//! before it is committed.

pub mod accounts;
pub mod admins;
pub mod carts;
pub mod catalogue;
pub mod connect;
pub mod deliveries;
pub mod documents;
pub mod error;
pub mod experiments;
pub mod gift_cards;
pub mod histories;
pub mod lists;
pub mod memory;
pub mod orders;
pub mod outbox;
pub mod payments;
pub mod postgres;
pub mod readers;
pub mod report_links;
pub mod rollups;
pub mod search;
pub mod shares;
pub mod shelf_counts;
pub mod sqlite;
pub mod stock;
pub mod stock_requests;
pub mod turn;
pub mod users;
pub mod webhooks;

use async_trait::async_trait;

pub use accounts::{AccountStore, AccountWants, BalanceWrite, PostingWrite, balances_after};
pub use admins::{AdminSession, AdminStore, AdminUser};
pub use carts::{CartStore, Heard};
pub use catalogue::{CatalogueSnapshot, CatalogueStore, ProductSupply, SupplyOutcome};
pub use connect::connect;
pub use deliveries::{
    CursorMove, Delivery, DeliveryCounts, DeliveryQuery, DeliveryState, DeliveryStep, DeliveryStore,
    Forgetting, TRIES_MAX, Try,
};
pub use documents::{DocumentRevision, DocumentStore, StoredDocuments};
pub use error::StoreError;
pub use experiments::{
    ExperimentStore, Exposure, KNOWN, Reported, StoredDefinitions, StoredExperiment, StoredFeatures, TRACKED,
    TrackedEvent, VIEWED,
};
pub use gift_cards::{CardQuery, GiftCardStore, Issued, IssuedCard, StoredCard};
pub use histories::{ALLOWED, Because, DECLINED, DELETED, History, HistoryStore, HistoryWish};
pub use lists::ListStore;
pub use orders::{ImportedOrder, OrderQuery, OrderStore, ShopTotals};
pub use outbox::{OutboxEvent, OutboxStore, Place};
pub use payments::{PaymentStore, PendingPayment};
pub use report_links::{ReportLink, ReportLinkStore};
pub use rollups::{
    ArmRow, LATE, LateStep, LookRow, PastRow, PersonRow, RollUp, RollUpStore, RolledExperiment, RolledUp,
    SHARED, UnitRow, late_key,
};
pub use search::SearchStore;
pub use shares::{CartShare, ShareStore};
pub use shelf_counts::{ShelfClick, ShelfCount, ShelfCountStore, ShelfCounts, ShelfDuel, ShelfStep};
pub use stock::{NotedChange, StockAct, StockChange, StockOutcome, StockStore};
pub use stock_requests::{DemandQuery, StockDemand, StockRequest, StockRequestStore, StockWave};
pub use turn::{
    Accepted, Answer, CartWrite, Decision, EventWrite, IdleDue, KeyRef, KeyWrite, Loaded, LoadedCart,
    Outcome, Staged, StoredAnswer, Touched, Wants,
};
pub use users::{User, UserSession, UserStore};
pub use webhooks::{StoredEndpoint, WebhookStore};

/// Is the answer of every store call.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Keeps the state. Every method is one transaction; every write is durable when it returns.
#[async_trait]
pub trait Store:
    CartStore
    + CatalogueStore
    + DocumentStore
    + OrderStore
    + PaymentStore
    + ExperimentStore
    + OutboxStore
    + DeliveryStore
    + WebhookStore
    + RollUpStore
    + SearchStore
    + AdminStore
    + AccountStore
    + HistoryStore
    + ListStore
    + ReportLinkStore
    + ShareStore
    + ShelfCountStore
    + UserStore
    + GiftCardStore
    + StockStore
    + StockRequestStore
    + 'static
{
    /// Answers when the store can.
    async fn ping(&self) -> Result<()>;

    /// Checks the invariants over all rows and says what is broken, a sentence each: stock conserved; held pieces
    /// equal the holds of carts; sold pieces equal the lines of the shop's orders; one order a cart; balances equal the
    /// sums of their entries; the carts with payments to be ended are listed.
    async fn audit(&self) -> Result<Vec<String>>;
}
