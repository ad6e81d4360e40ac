//! The double's tables and what is done with them outside a turn.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cart_core::{
    AccountId, Balances, Cart, CartId, GiftCardId, Order, OrderId, Product, Sku, Slot, StockLevels, VisitorId,
};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::super::{
    AdminSession, AdminUser, ArmRow, CartShare, Delivery, DocumentRevision, EventWrite, Exposure, History,
    ImportedOrder, KeyRef, KeyWrite, LookRow, NotedChange, OutboxEvent, PastRow, PendingPayment, PersonRow,
    ProductSupply, ReportLink, Result, RollUp, RolledExperiment, RolledUp, ShelfClick, ShelfCount, ShelfDuel,
    ShopTotals, StockRequest, StoreError, StoredCard, StoredDocuments, StoredEndpoint, StoredExperiment,
    StoredFeatures, SupplyOutcome, UnitRow, User, UserSession, readers,
};
use crate::{events::data::order_data, lists::WishList};

/// Is a cart with its place in the order of openings.
#[derive(Clone, Debug)]
pub struct CartRow {
    /// Its place.
    pub number: u64,
    /// The cart.
    pub cart: Arc<Cart>,
}

/// Is an order with where it came from.
#[derive(Clone, Debug)]
pub struct OrderRow {
    /// The order.
    pub order: Order,
    /// Tells whether it was placed here.
    pub is_shop: bool,
}

/// Is the shop's users and what belongs to them.
#[derive(Debug, Default)]
pub struct People {
    pub users: Vec<User>,
    pub sessions: Vec<UserSession>,
    /// The window and the attempts in it, by key.
    pub attempts: BTreeMap<String, (i64, u64)>,
}

/// Is everything the double keeps.
#[derive(Debug, Default)]
pub struct State {
    pub carts: BTreeMap<CartId, CartRow>,
    /// When carts that nobody touches are to be looked at.
    pub idle_due: BTreeMap<CartId, i64>,
    pub keys: BTreeMap<KeyRef, KeyWrite>,
    pub catalogue_revision: u64,
    pub products: BTreeMap<Sku, Product>,
    /// The revision at which each product was listed first.
    pub listed: BTreeMap<Sku, u64>,
    pub stock: StockLevels,
    pub stock_changes: Vec<NotedChange>,
    /// In the order of their places.
    pub stock_requests: Vec<StockRequest>,
    pub orders: BTreeMap<OrderId, OrderRow>,
    pub ordered_carts: BTreeSet<CartId>,
    /// Each with the time when it is due.
    pub pending_payments: BTreeMap<CartId, (i64, PendingPayment)>,
    pub definitions_revision: u64,
    pub features: Option<StoredFeatures>,
    /// When the tracked events of these ids happened.
    pub tracked: BTreeMap<Uuid, i64>,
    pub documents: StoredDocuments,
    pub document_history: Vec<DocumentRevision>,
    /// All revisions of each key, oldest first.
    pub experiments: BTreeMap<String, Vec<StoredExperiment>>,
    pub exposures: BTreeMap<(String, VisitorId), Exposure>,
    /// What units say of their histories.
    pub histories: BTreeMap<VisitorId, History>,
    pub outbox: Vec<OutboxEvent>,
    pub event_ids: BTreeSet<Uuid>,
    pub cursors: BTreeMap<String, u64>,
    pub deliveries: BTreeMap<(String, u64), Delivery>,
    pub endpoints: BTreeMap<String, StoredEndpoint>,
    pub lists: BTreeMap<String, WishList>,
    pub report_links: Vec<ReportLink>,
    pub shares: Vec<CartShare>,
    pub leases: BTreeMap<String, (String, i64)>,
    pub units: BTreeMap<(VisitorId, String), UnitRow>,
    pub rolled: BTreeMap<String, RolledExperiment>,
    pub arms: BTreeMap<(String, String, u32), ArmRow>,
    pub pasts: BTreeMap<(VisitorId, u64), PastRow>,
    pub known_as: BTreeMap<VisitorId, PersonRow>,
    pub looks: BTreeMap<(String, u64), LookRow>,
    pub sales: BTreeMap<(i64, Sku), u64>,
    pub shelf_clicks: BTreeMap<(VisitorId, String), ShelfClick>,
    pub shelf_duels: BTreeMap<String, ShelfDuel>,
    pub shelf_counts: BTreeMap<(i64, ShelfCount), i64>,
    pub people: People,
    pub users: BTreeMap<String, AdminUser>,
    pub sessions: BTreeMap<String, AdminSession>,
    pub accounts: BTreeMap<AccountId, i64>,
    /// What moved each account, and when, by cause.
    pub entries: BTreeMap<(AccountId, String), (i64, i64)>,
    /// Their balances stand in their accounts.
    pub gift_cards: BTreeMap<GiftCardId, StoredCard>,
}

impl State {
    /// Reads the stock of products.
    pub fn levels(&self, skus: &BTreeSet<Sku>) -> StockLevels {
        let of = |sku| self.stock.of(sku).map(move |(at, level)| (Slot::new(sku, at), *level));
        skus.iter().flat_map(of).collect()
    }

    /// Reads balances.
    pub fn balances<'a>(&self, accounts: impl Iterator<Item = &'a AccountId>) -> Balances {
        accounts.filter_map(|account| Some((account.clone(), *self.accounts.get(account)?))).collect()
    }

    /// Puts products, one after the other.
    pub fn put_products(&mut self, products: &[ProductSupply]) -> Vec<SupplyOutcome> {
        let outcomes: Vec<_> = products.iter().map(|p| self.put_product(p)).collect();
        if outcomes.iter().any(SupplyOutcome::is_written) {
            self.catalogue_revision += 1;
        }
        outcomes
    }

    fn put_product(&mut self, put: &ProductSupply) -> SupplyOutcome {
        let (before, product) = (self.products.get(&put.product.sku), &put.product);
        let levels = match put.rows(&self.stock) {
            Ok(levels) => levels,
            Err(taken) => return SupplyOutcome::SupplyTooLow { taken },
        };
        if before == Some(product) && levels.iter().all(|(slot, level)| self.stock.at(slot) == Some(*level)) {
            return SupplyOutcome::Unchanged;
        }
        let outcome = if before.is_some() { SupplyOutcome::Updated } else { SupplyOutcome::Inserted };
        self.products.insert(product.sku.clone(), product.clone());
        self.listed.entry(product.sku.clone()).or_insert(self.catalogue_revision + 1);
        levels.into_iter().for_each(|(slot, level)| self.stock.insert(slot, level));
        outcome
    }

    /// Sums carts and the shop's own orders.
    pub fn totals(&self) -> ShopTotals {
        let own = self.orders.values().filter(|row| row.is_shop);
        own.fold(ShopTotals { carts: self.carts.len() as u64, ..ShopTotals::default() }, |sum, row| {
            ShopTotals {
                orders: sum.orders + 1,
                revenue_minor: sum.revenue_minor + row.order.total_minor,
                ..sum
            }
        })
    }

    /// Inserts an order, unless it or another of its cart is there; answers whether it is new.
    pub fn insert_order(&mut self, order: &Order, is_shop: bool) -> bool {
        if self.orders.contains_key(&order.order_id) || self.ordered_carts.contains(&order.cart) {
            return false;
        }
        self.ordered_carts.insert(order.cart.clone());
        self.orders.insert(order.order_id.clone(), OrderRow { order: order.clone(), is_shop });
        true
    }

    /// Inserts orders of another system that are not there yet.
    pub fn import_orders(&mut self, orders: &[ImportedOrder]) -> u64 {
        let mut new = 0;
        for ImportedOrder(order) in orders {
            if self.insert_order(order, false) {
                self.append(EventWrite {
                    id: Uuid::new_v4(),
                    at_ms: order.placed_at_ms,
                    kind: "order_placed",
                    cart: Some(order.cart.clone()),
                    unit: order.owner.clone(),
                    data: order_data(order, "import"),
                });
                new += 1;
            }
        }
        new
    }

    /// Appends an event to the outbox.
    pub fn append(&mut self, event: EventWrite) {
        let EventWrite { id, at_ms, kind, cart, unit, data } = event;
        assert!(self.event_ids.insert(id), "event {id} is in the outbox already");
        let data = RawValue::from_string(data).expect("an event's data is JSON");
        assert!(data.get().starts_with('{'), "the data of {kind} is no JSON object: {data}");
        let position = self.outbox.last().map_or(0, |e| e.position) + 1;
        self.outbox.push(OutboxEvent { position, id, at_ms, kind: kind.to_owned(), cart, unit, data });
    }

    /// Saves a definition as the next revision of its key.
    pub fn save_definition(&mut self, experiment: &StoredExperiment, expected: Option<u64>) -> Result<u64> {
        let history = self.experiments.entry(experiment.key.clone()).or_default();
        let current = history.last().map(|e| e.revision);
        if current != expected {
            return Err(StoreError::Conflict(format!(
                "experiment {} is at revision {current:?}, not {expected:?}",
                experiment.key
            )));
        }
        let revision = current.unwrap_or(0) + 1;
        history.push(StoredExperiment { revision, ..experiment.clone() });
        self.definitions_revision += 1;
        Ok(revision)
    }

    /// Logs exposures that are new, with their events, and returns them.
    pub fn expose(&mut self, mut exposures: Vec<Exposure>) -> Vec<Exposure> {
        exposures.retain(|exposure| {
            let Exposure { experiment, unit, at_ms, .. } = exposure;
            let key = (experiment.clone(), unit.clone());
            let is_new = !self.exposures.contains_key(&key);
            if is_new {
                self.exposures.insert(key, exposure.clone());
                self.append(EventWrite {
                    id: Uuid::new_v4(),
                    at_ms: *at_ms,
                    kind: "exposure_logged",
                    cart: None,
                    unit: unit.clone(),
                    data: exposure.data(),
                });
            }
            is_new
        });
        exposures
    }

    /// Returns how far a reader has come.
    pub fn cursor(&self, reader: &str) -> u64 {
        self.cursors.get(reader).copied().unwrap_or(0)
    }

    /// Writes a step of the roll-ups where the cursor stands before it.
    pub fn save_roll_up(&mut self, roll_up: &RollUp) -> Result<()> {
        let at = self.cursor(readers::ROLLUPS);
        if at != roll_up.from {
            return Err(StoreError::Conflict(format!("the roll-ups are at {at}, not at {}", roll_up.from)));
        }
        let newest = self.outbox.last().map_or(0, |e| e.position);
        assert!(roll_up.to >= at && roll_up.to <= newest, "a step to {} of {newest} events", roll_up.to);
        let mut rolled = self.rolled.clone();
        for row in &roll_up.experiments {
            rolled.entry(row.experiment.clone()).or_insert_with(|| row.clone());
        }
        for step in &roll_up.late {
            let row = rolled.get_mut(&step.experiment).filter(|row| row.position == Some(step.from));
            let Some(row) = row else {
                return Err(StoreError::Conflict("what is rolled up late is no longer where it was".into()));
            };
            row.position = step.to;
        }
        self.rolled = rolled;
        for row in &roll_up.pasts {
            self.pasts.insert((row.unit.clone(), row.position), row.clone());
        }
        for row in &roll_up.people {
            self.known_as.entry(row.visitor.clone()).or_insert_with(|| row.clone());
        }
        for row in &roll_up.units {
            self.units.insert((row.unit.clone(), row.experiment.clone()), row.clone());
        }
        for row in &roll_up.arms {
            self.arms.insert((row.experiment.clone(), row.segment.clone(), row.variation), row.clone());
        }
        for row in &roll_up.looks {
            self.looks.entry((row.experiment.clone(), row.units)).or_insert_with(|| row.clone());
        }
        for (sold, pieces) in &roll_up.sales {
            *self.sales.entry(sold.clone()).or_default() += pieces;
        }
        self.cursors.insert(readers::ROLLUPS.to_owned(), roll_up.to);
        Ok(())
    }

    /// Returns what is rolled up, of the arms that are asked for.
    pub fn rolled_up(&self, is_wanted: impl Fn(&ArmRow) -> bool) -> RolledUp {
        RolledUp {
            experiments: self.rolled.values().cloned().collect(),
            arms: self.arms.values().filter(|arm| is_wanted(arm)).cloned().collect(),
        }
    }

    /// Empties the roll-ups and sets their cursor to 0.
    pub fn reset_roll_ups(&mut self) {
        self.rolled.clear();
        self.pasts.clear();
        self.known_as.clear();
        self.units.clear();
        self.arms.clear();
        self.looks.clear();
        self.sales.clear();
        self.cursors.insert(readers::ROLLUPS.to_owned(), 0);
    }
}
